import { describe, expect, test } from "bun:test";
import { createTally } from "../../../src/runtime/client/tally.ts";
import { pageOf } from "./results-page.ts";

const failed = (message: string, code = "error", stack?: string) => ({
  failure: { code, message, stack },
});

describe("a tally", () => {
  test("counts each end, also on pages of one kind", () => {
    const tally = createTally();
    tally.add(pageOf([{ value: 1 }, { value: 2 }]));
    tally.add(
      pageOf([failed("x"), { value: 1 }, { ...failed("y", "cancelled"), cancelled: true }]),
    );
    tally.add(pageOf([{ ...failed("y", "cancelled"), cancelled: true }]));
    expect([tally.completed, tally.failed, tally.cancelled]).toEqual([3, 1, 2]);
  });

  test("groups failures without regard to digits, paths and hex, the largest first", () => {
    const tally = createTally();
    tally.add(
      pageOf([
        failed("timeout after 12 ms at /tmp/a"),
        failed("no such host"),
        failed("timeout after 999 ms at /var/b/c"),
        failed("bad block 0xdeadbeef01"),
        failed("bad block 0x0123456789"),
        failed("timeout after 5 ms at /x"),
      ]),
    );
    expect(tally.errorGroups()).toMatchObject([
      { code: "error", message: "timeout after 12 ms at /tmp/a", count: 3, index: 0 },
      { message: "bad block 0xdeadbeef01", count: 2, index: 3 },
      { message: "no such host", count: 1, index: 1 },
    ]);
  });

  test("the same message at another place is another group", () => {
    const tally = createTally();
    tally.add(
      pageOf([
        failed("no", "error", "Error: no\n    at job.ts:3:1"),
        failed("no", "error", "Error: no\n    at job.ts:9:1"),
      ]),
    );
    expect(tally.errorGroups().map(({ place }) => place)).toEqual(["job.ts:3:1", "job.ts:9:1"]);
  });

  test("tells each kind once, and keeps a bounded number of kinds", () => {
    const told: string[] = [];
    const tally = createTally((group) => told.push(group.message));
    const letters = (i: number) =>
      `${"abcdefghij"[Math.floor(i / 100) % 10]}${"klmnopqrst"[Math.floor(i / 10) % 10]}${"uvwxyzABCD"[i % 10]}${i >= 1000 ? "!" : ""}`;
    tally.add(pageOf(Array.from({ length: 1_500 }, (_, i) => failed(letters(i)))));
    expect(told.length).toBe(1_000);
    expect(tally.errorGroups().length).toBe(1_000);
    expect(tally.failed).toBe(1_500);
  });
});
