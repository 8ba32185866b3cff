import { describe, expect, test } from "bun:test";
import { type CallFacts, judgeCall } from "../../src/commands/compiler-rule.ts";

const judge = (words: readonly string[], facts: Partial<CallFacts> = {}) =>
  judgeCall({
    words,
    neverCompiler: false,
    stdoutIsTerminal: false,
    isVerb: (word) => ["submit", "jobs", "worker"].includes(word),
    isOwnOption: (name) => ["json", "foreman", "config", "output", "each-line"].includes(name),
    isFile: (path) => ["program", "x.c", "job.ts"].includes(path),
    compilerFollows: () => true,
    ...facts,
  }).kind;

describe("ours", () => {
  test.each([[[]], [["-h"]], [["--help"]], [["--help", "x.c"]]])("%p asks for help", (words) => {
    expect(judge(words)).toBe("help");
  });

  test("a verb, even where a file has its name", () => {
    expect(judge(["submit", "x.c"])).toBe("verb");
    expect(judge(["submit"], { isFile: () => true })).toBe("verb");
  });

  test("a long option of ours, but one that compilers know only before a verb", () => {
    expect(judge(["--json", "jobs"])).toBe("leading-options");
    expect(judge(["--foreman=ws://x", "jobs"])).toBe("leading-options");
    expect(judge(["--each-line", "x"])).toBe("leading-options");
    expect(judge(["--config", "c.json", "jobs"])).toBe("leading-options");
    expect(judge(["--config", "clang.cfg", "-c", "x.c"])).toBe("compiler");
    expect(judge(["--output=x", "x.c"])).toBe("compiler");
  });

  test("a bare word of letters and hyphens that is no file is a slip", () => {
    for (const word of ["sumbit", "job-list", "LS", "x"])
      expect(judge([word])).toBe("mistyped-verb");
  });

  test("a TypeScript or JavaScript file wants cc submit, whether it is there or not", () => {
    for (const word of ["job.ts", "absent.ts", "a.js", "dir/a.mts", "a.cjs", "a.tsx"])
      expect(judge([word])).toBe("job-file");
  });

  test("--version on a terminal, or where no compiler follows", () => {
    expect(judge(["--version"], { stdoutIsTerminal: true })).toBe("version");
    expect(judge(["--version"], { compilerFollows: () => false })).toBe("version");
  });
});

describe("the compiler's", () => {
  test.each([
    [["-c", "x.c"]],
    [["-"]],
    [["-v"]],
    [["-O2", "submit"]],
    [["@args"]],
    [["@job.ts"]],
    [["x.c"]],
    [["absent.c"]],
    [["lib/absent.o"]],
    [["program"]],
    [["word1"]],
    [["with space"]],
    [[""]],
    [["--"]],
    [["--sysroot=/x"]],
    [["--jsn"]],
    [["--version"]],
    [["-x", "c", "job.ts"]],
  ])("%p", (words) => {
    expect(judge(words)).toBe("compiler");
  });
});

test("as crowdcompute nothing is the compiler's", () => {
  const facts = { neverCompiler: true };
  expect(judge(["-c", "x.c"], facts)).toBe("leading-options");
  expect(judge(["x.c"], facts)).toBe("mistyped-verb");
  expect(judge(["program"], facts)).toBe("mistyped-verb");
  expect(judge(["@args"], facts)).toBe("mistyped-verb");
  expect(judge(["--version"], facts)).toBe("version");
  expect(judge([], facts)).toBe("help");
});
