/** Which lines of a stack an author gets to see. */
import { expect, test } from "bun:test";
import { parseFrames } from "../../../src/runtime/job-module/stack-trace.ts";

const BUNDLE = "/cache/ab/bundle.mjs";
const texts = (...lines: string[]): string[] =>
  parseFrames(["Error: no", ...lines].join("\n"), BUNDLE).map(({ text }) => text);

test("the author's frames are named from the bundle's folder, and lead to a place", () => {
  expect(parseFrames("Error: no\n    at parse (/cache/ab/lib/parse.ts:4:13)", BUNDLE)).toEqual([
    { text: "at parse (lib/parse.ts:4:13)", place: "lib/parse.ts:4:13" },
  ]);
});

test("what the engine ran for the author stays, what called the author goes", () => {
  expect(
    texts(
      "    at <parse> (:0)",
      "    at parse (unknown)",
      "    at row (/cache/ab/rows.ts:5:40)",
      "    at map (native:1:11)",
      "    at all (/cache/ab/rows.ts:9:2)",
      "    at run (native)",
      "    at processTicksAndRejections (native:7:39)",
    ),
  ).toEqual([
    "at parse (native)",
    "at row (rows.ts:5:40)",
    "at map (native)",
    "at all (rows.ts:9:2)",
  ]);
});

test("without a frame of the author's, what is known is shown", () => {
  expect(texts("    at parse (unknown)", "    at run (native)")).toEqual([
    "at parse (native)",
    "at run (native)",
  ]);
});
