import { expect, test } from "bun:test";
import { describeThrown } from "../../../src/runtime/job-module/describe-thrown.ts";
import type { ClassifyFunction } from "../../../src/runtime/job-module/job-module.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import {
  ERROR_MESSAGE_BYTES_MAX,
  ERROR_STACK_BYTES_MAX,
} from "../../../src/runtime/protocol/limits.ts";

function describe(thrown: unknown, classifyError?: ClassifyFunction) {
  return describeThrown(thrown, { bundlePath: "/cache/bundle.mjs", classifyError });
}

/** An error whose stack is what a bundle in /cache would give. */
function errorAt(error: Error, ...frames: string[]): Error {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map((it) => `    at ${it}`)].join(
    "\n",
  );
  return error;
}

function createPermanent(code?: unknown): Error {
  const error = new Error("never");
  return Object.assign(error, {
    name: "PermanentError",
    code,
    [Symbol.for("crowdcompute.permanent")]: true,
  });
}

test("an error has its message, and a stack of the author's frames", () => {
  const error = errorAt(
    new Error("boom"),
    "check (/cache/lib/check.ts:4:13)",
    "async task (/cache/job.ts:8:20)",
    "processTicksAndRejections (native:7:39)",
    "async runTask (/$bunfs/root/cc:7:238)",
  );
  expect(describe(error)).toEqual({
    code: "error",
    message: "boom",
    stack: "Error: boom\n    at check (lib/check.ts:4:13)\n    at async task (job.ts:8:20)",
    permanent: false,
    place: "lib/check.ts:4:13",
  });
});

test("the name stands in the message where it says more than Error", () => {
  expect(describe(errorAt(new TypeError("x is not a function"))).message).toBe(
    "TypeError: x is not a function",
  );
  expect(describe(errorAt(new RangeError(""))).message).toBe("RangeError");
  expect(describe(errorAt(new Error(""))).message).toBe("Error without a message");
});

test("an error's own code is not a failure code", () => {
  expect(describe(Object.assign(new Error("no such file"), { code: "ENOENT" })).code).toBe("error");
});

test("a PermanentError is permanent, with its own code if it is a word", () => {
  expect(describe(createPermanent())).toMatchObject({
    code: "error",
    permanent: true,
    message: "never",
  });
  expect(describe(createPermanent("bad_input"))).toMatchObject({
    code: "bad_input",
    permanent: true,
  });
  expect(describe(createPermanent("two words"))).toMatchObject({ code: "error", permanent: true });
  expect(describe(createPermanent(7))).toMatchObject({ code: "error", permanent: true });
});

test("classifyError sees what was thrown and has the last word", () => {
  const seen: unknown[] = [];
  const error = createPermanent("mine");
  const classify = (thrown: unknown) => {
    seen.push(thrown);
    return { code: "rate_limited", permanent: false };
  };
  expect(describe(error, classify)).toMatchObject({ code: "rate_limited", permanent: false });
  expect(seen).toEqual([error]);
});

test("classifyError may judge only one thing, or nothing", () => {
  const error = createPermanent("mine");
  expect(describe(error, () => ({ code: "other" }))).toMatchObject({
    code: "other",
    permanent: true,
  });
  expect(describe(error, () => ({ permanent: false }))).toMatchObject({
    code: "mine",
    permanent: false,
  });
  expect(describe(error, () => undefined)).toMatchObject({ code: "mine", permanent: true });
});

test.each([
  [
    "throws",
    () => {
      throw new Error("oops");
    },
    "classifyError itself threw: oops",
  ],
  [
    "gives a promise",
    async () => ({}),
    "classifyError returned a promise, expected { code?, permanent? }",
  ],
  ["gives a text", () => "bad", "classifyError returned a string, expected { code?, permanent? }"],
  [
    "gives a code that is no word",
    () => ({ code: "so bad" }),
    "classifyError returned an object, expected { code?, permanent? }",
  ],
])("a classifyError that %s changes nothing but is noted", (_, classify, note) => {
  const described = describe(errorAt(new Error("boom")), classify);
  expect(described).toEqual({
    code: "error",
    message: "boom",
    stack: `Error: boom\n${note}`,
    permanent: false,
    place: null,
  });
});

test.each([
  ["a text", "no such user", "no such user"],
  ["an empty text", "", "an empty string was thrown"],
  ["undefined", undefined, "undefined was thrown, which is not an Error"],
  ["null", null, "null was thrown, which is not an Error"],
  ["a number", 42, "42 was thrown, which is not an Error"],
  ["a symbol", Symbol("s"), "Symbol(s) was thrown, which is not an Error"],
  ["an object", { a: 1, b: [2] }, "{ a: 1, b: [ 2 ] } was thrown, which is not an Error"],
])("what is no error can be thrown too: %s", (_, thrown, message) => {
  expect(describe(thrown)).toEqual({
    code: "error",
    message,
    stack: message,
    permanent: false,
    place: null,
  });
});

test("an object that looks like an error is taken for one", () => {
  const stack = "Weird: odd\n    at task (/cache/job.ts:1:2)";
  expect(describe({ name: "Weird", message: "odd", stack })).toMatchObject({
    message: "Weird: odd",
    place: "job.ts:1:2",
  });
});

test("an AggregateError names the first three and the number of the others", () => {
  const errors = ["one", "two", "three", "four", "five"].map((text) => errorAt(new Error(text)));
  const { message } = describe(errorAt(new AggregateError(errors, "All promises were rejected")));
  expect(message).toBe("AggregateError: All promises were rejected: one; two; three (and 2 more)");
});

test("causes follow in the stack", () => {
  const cause = errorAt(new TypeError("inner\nsecond line"), "parse (/cache/lib/parse.ts:2:3)");
  const error = errorAt(new Error("outer", { cause }), "task (/cache/job.ts:8:20)");
  expect(describe(error).stack).toBe(
    [
      "Error: outer",
      "    at task (job.ts:8:20)",
      "caused by: TypeError: inner",
      "    at parse (lib/parse.ts:2:3)",
    ].join("\n"),
  );
});

test("a long or circular chain of causes ends", () => {
  let chain = errorAt(new Error("0"));
  for (let depth = 1; depth < 100; depth += 1)
    chain = errorAt(new Error(String(depth), { cause: chain }));
  const lines = describe(chain).stack?.split("\n");
  expect(lines?.at(-1)).toBe("caused by: …");
  expect(lines?.length).toBe(7);
  const circular = errorAt(new Error("a"));
  circular.cause = circular;
  expect(describe(circular).stack).toBe("Error: a");
});

test("message and stack are bounded in bytes, and no character is cut in two", () => {
  const described = describe(new Error("ü€😀".repeat(10_000)));
  const bytes = (text: string) => new TextEncoder().encode(text).byteLength;
  expect(bytes(described.message)).toBeLessThanOrEqual(ERROR_MESSAGE_BYTES_MAX);
  expect(bytes(described.message)).toBeGreaterThan(ERROR_MESSAGE_BYTES_MAX - 10);
  expect(described.message).toEndWith("…");
  expect(described.message.isWellFormed()).toBe(true);
  expect(bytes(described.stack ?? "")).toBeLessThanOrEqual(ERROR_STACK_BYTES_MAX);
});

test("a message exactly as long as the limit is kept whole", () => {
  const text = "x".repeat(ERROR_MESSAGE_BYTES_MAX);
  expect(describe(text).message).toBe(text);
  expect(describe(`${text}x`).message).toHaveLength(ERROR_MESSAGE_BYTES_MAX - 2);
});

test("hostile values are described without harm", () => {
  const getters = Object.defineProperties(new Error("hidden"), {
    message: {
      get: () => {
        throw new Error("trap");
      },
    },
    stack: {
      get: () => {
        throw new Error("trap");
      },
    },
  });
  expect(describe(getters).message).toBe("Error without a message");
  const trap = () => {
    throw new Error("trap");
  };
  const proxy = new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap });
  expect(describe(proxy)).toMatchObject({ code: "error", permanent: false });
  expect(describe({ message: 42, stack: [], name: null }).code).toBe("error");
  expect(describe(Object.assign(new Error("x"), { stack: "y".repeat(10_000_000) })).message).toBe(
    "x",
  );
});

test("lines of a message that look like frames are no frames", () => {
  const error = errorAt(
    new Error("see\n    at fake (/cache/fake.ts:1:1)"),
    "task (/cache/job.ts:2:3)",
  );
  expect(describe(error).place).toBe("job.ts:2:3");
});

test("an error of our own speaks for itself", () => {
  const error = new CcError({ code: "unserializable", message: "The value is a function." });
  expect(describe(error, () => ({ code: "mine" }))).toEqual({
    code: "unserializable",
    message: "The value is a function.",
    permanent: true,
    place: null,
  });
});
