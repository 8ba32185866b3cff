import { expect, test } from "bun:test";
import type { JobModule } from "../../../src/runtime/job-module/job-module.ts";
import { readInputBatches, readInputs } from "../../../src/runtime/job-module/read-inputs.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import { createModule } from "./modules.ts";

async function readAll(module: JobModule, args: readonly string[] = []): Promise<unknown[]> {
  return Array.fromAsync(readInputs(module, args));
}

async function errorOf(module: JobModule): Promise<CcError> {
  const thrown: unknown = await readAll(module).catch((reason: unknown) => reason);
  if (!(thrown instanceof CcError)) throw new Error(`expected a CcError, got ${String(thrown)}`);
  return thrown;
}

function* countTo(end: number) {
  for (let value = 1; value <= end; value += 1) yield value;
}

async function* countSlowlyTo(end: number) {
  for (let value = 1; value <= end; value += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    yield value;
  }
}

test.each([
  ["an array", [1, 2, 3]],
  ["a set", new Set([1, 2, 3])],
  ["a generator", countTo(3)],
  ["an async generator", countSlowlyTo(3)],
  ["a promise of an array", Promise.resolve([1, 2, 3])],
  ["a generator function", () => countTo(3)],
  ["an async generator function", () => countSlowlyTo(3)],
  ["a function that returns an array", () => [1, 2, 3]],
  ["an async function", async () => [1, 2, 3]],
  ["a function that returns a promise of an async iterable", async () => countSlowlyTo(3)],
])("inputs may be %s", async (_, inputs) => {
  expect(await readAll(createModule({ inputs }))).toEqual([1, 2, 3]);
});

test("a function gets the arguments, in an array of its own", async () => {
  const args = ["a", "b"];
  const inputs = (given: string[]) => given.splice(0);
  expect(await readAll(createModule({ inputs }), args)).toEqual(["a", "b"]);
  expect(args).toEqual(["a", "b"]);
});

test("without inputs there is one task whose input is undefined", async () => {
  expect(await readAll(createModule())).toEqual([undefined]);
});

test("a source that is ready gives full batches, and a last one with the rest", async () => {
  for (const inputs of [countTo(2500), countFastTo(2500)]) {
    const batches = await Array.fromAsync(readInputBatches(createModule({ inputs }), []));
    expect(batches.flat().length).toBe(2500);
    expect(batches.length).toBeLessThan(12);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(1025);
  }
});

async function* countFastTo(end: number) {
  for (let value = 1; value <= end; value += 1) yield value;
}

test("a source that waits gives what it has at once", async () => {
  const gate = Promise.withResolvers<void>();
  async function* inputs() {
    yield "first";
    await gate.promise;
    yield "second";
  }
  const batches = readInputBatches(createModule({ inputs }), []);
  expect((await batches.next()).value).toEqual(["first"]);
  gate.resolve();
  expect((await batches.next()).value).toEqual(["second"]);
  expect((await batches.next()).done).toBe(true);
});

test("an async source is read no further ahead than two batches", async () => {
  let given = 0;
  async function* inputs() {
    for (;;) {
      given += 1;
      yield given;
    }
  }
  const batches = readInputBatches(createModule({ inputs }), [], { batchCountMax: 10 });
  await batches.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBeLessThanOrEqual(22);
  await batches.return();
});

test("an async source of large values is read ahead by bytes, not by count", async () => {
  let given = 0;
  async function* inputs() {
    for (;;) {
      given += 1;
      yield { bytes: new Uint8Array(1024 * 1024) };
    }
  }
  const batches = readInputBatches(createModule({ inputs }), []);
  await batches.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBeLessThanOrEqual(12);
  await batches.return();
});

test("a source that nobody reads to its end is closed", async () => {
  let closed = 0;
  function* sync() {
    try {
      for (;;) yield 1;
    } finally {
      closed += 1;
    }
  }
  async function* async() {
    try {
      for (;;) yield 1;
    } finally {
      closed += 1;
    }
  }
  for (const inputs of [sync, async]) {
    for await (const value of readInputs(createModule({ inputs }), [])) {
      expect(value).toBe(1);
      break;
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(2);
});

test("abandoning a source that waits for ever does not wait for it", async () => {
  async function* inputs() {
    yield 1;
    await new Promise(() => undefined);
  }
  const batches = readInputBatches(createModule({ inputs }), []);
  await batches.next();
  await batches.return();
});

test.each([
  ["an empty array", []],
  ["a generator that ends at once", () => countTo(0)],
  ["an async generator that ends at once", () => countSlowlyTo(0)],
])("inputs without a value are refused: %s", async (_, inputs) => {
  const error = await errorOf(createModule({ inputs, places: { inputs: "job.ts:3:1" } }));
  expect(error.toView()).toEqual({
    code: "inputs_empty",
    message: "job.ts:3:1: inputs has no values, expected at least one.",
    hint: "Each value is the input of one task; leave inputs out for a single task without input.",
    retryable: false,
  });
  expect(error.exitCode).toBe(2);
});

test.each([
  ["a number", 42, "inputs is a number"],
  ["an object", { a: 1 }, "inputs is an object"],
  ["null", null, "inputs is null"],
  ["a function that returns nothing", () => undefined, "inputs returned undefined"],
])("inputs that cannot be iterated are refused: %s", async (_, inputs, message) => {
  const error = await errorOf(createModule({ inputs, places: { inputs: "job.ts:3:1" } }));
  expect(error.message).toStartWith(`job.ts:3:1: ${message}`);
  expect(error.exitCode).toBe(2);
});

test("a text is refused, though it could be iterated letter by letter", async () => {
  const error = await errorOf(createModule({ inputs: () => "abc" }));
  expect(error.toView()).toEqual({
    code: "inputs_not_iterable",
    message: "inputs returned a string, expected an array or another iterable.",
    hint: 'For one input write [text]; for its lines text.split("\\n").',
    retryable: false,
  });
});

test("inputs that throw at once say so before anything was read", async () => {
  const inputs = () => {
    throw new TypeError("no such table");
  };
  const error = await errorOf(createModule({ inputs }));
  expect(error.code).toBe("inputs_failed");
  expect(error.exitCode).toBe(2);
  expect(error.message).toEndWith("inputs threw: TypeError: no such table");
  expect(error.cause).toBeInstanceOf(TypeError);
});

test("inputs that throw later give what came before, then the error with the number read", async () => {
  for (const inputs of [failAfter, failSlowlyAfter]) {
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const value of readInputs(createModule({ inputs }), [])) seen.push(value);
    })();
    const error: unknown = await reading.catch((reason: unknown) => reason);
    expect(seen).toEqual([1, 2]);
    expect(String(error)).toEndWith("inputs threw after 2 inputs: connection lost");
  }
});

function* failAfter() {
  yield 1;
  yield 2;
  throw new Error("connection lost");
}

async function* failSlowlyAfter() {
  yield* failAfter();
}
