import { expect, test } from "bun:test";
import { editDistance, nearestName } from "../../../src/runtime/platform/nearest-name.ts";

const VERBS = ["submit", "cancel", "jobs", "results", "resume", "retry", "rm"];

test("a slip of one or two letters finds the name", () => {
  expect(nearestName("sumbit", VERBS)).toBe("submit");
  expect(nearestName("cancle", VERBS)).toBe("cancel");
  expect(nearestName("job", VERBS)).toBe("jobs");
  expect(nearestName("RESULTS", VERBS)).toBe("results");
});

test("a beginning that only one name has finds it", () => {
  expect(nearestName("max-run", ["max-running", "max-fails"])).toBe("max-running");
  expect(nearestName("max-", ["max-running", "max-fails"])).toBeNull();
});

test("what resembles nothing finds nothing", () => {
  expect(nearestName("frobnicate", VERBS)).toBeNull();
  expect(nearestName("", VERBS)).toBeNull();
});

test("a swap of neighbours counts once", () => {
  expect(editDistance("sumbit", "submit")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("abc", "abc")).toBe(0);
});
