import { expect, test } from "bun:test";
import { globMatcher } from "../../../../src/runtime/foreman/views/glob.ts";

test.each([
  ["*", "", true],
  ["render*", "render-frames", true],
  ["render*", "xrender", false],
  ["*frames", "render-frames", true],
  ["r?nder*-*s", "render-frames", true],
  ["a*b*c", "a-b-x-c-d", false],
  ["a*b*c", "a-b-x-c", true],
  ["?", "", false],
  ["", "", true],
])("the pattern %p of the name %p: %p", (glob, name, expected) => {
  expect(globMatcher(glob)(name)).toBe(expected);
});

test("a pattern with too many stars is refused, and a hostile one ends", () => {
  expect(() => globMatcher("*".repeat(9))).toThrow("more than 8 stars");
  expect(globMatcher("*a*a*a*a*a*a*a*b")("a".repeat(20_000))).toBe(false);
});
