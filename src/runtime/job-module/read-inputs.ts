/**
 * Turns a job file's `inputs` into batches of values, whatever form they have: an array, any iterable,
 * an async iterable, or a function of the arguments that returns one. It reads no further ahead than
 * two batches, and never waits to fill a batch while the source itself is waiting.
 */
import { type CcError, usageError } from "../protocol/error.ts";
import { describeThrown } from "./describe-thrown.ts";
import { describeKind } from "./export-problem.ts";
import type { JobModule } from "./job-module.ts";

export interface ReadInputsOptions {
  /** At most so many values a batch. */
  readonly batchCountMax?: number;
}

/** Enough that a batch's own cost does not show, small enough that one of large values fits memory. */
const BATCH_COUNT_MAX = 1024;
/** About so much may wait in memory of an async source that is faster than its reader. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** A slow generator gives up the thread after so long, so that sockets and the progress line live. */
const SYNC_TURN_MS = 8;
/** Values between two looks at the clock, which costs more than taking a value from an array. */
const CLOCK_EVERY = 8;

/**
 * A module without `inputs` gives one task whose input is undefined. Read the first batch before
 * submitting anything: what is wrong at once shows there.
 * @throws CcError with exit code 2: `inputs_empty`, `inputs_not_iterable`, `inputs_failed`.
 */
export async function* readInputBatches(
  module: JobModule,
  args: readonly string[],
  { batchCountMax = BATCH_COUNT_MAX }: ReadInputsOptions = {},
): AsyncGenerator<readonly unknown[], void, undefined> {
  if (!module.hasInputs) {
    yield [undefined];
    return;
  }
  let count = 0;
  try {
    const source = await openSource(module, args);
    const batches = isAsyncIterable(source)
      ? batchesOfAsync(source[Symbol.asyncIterator](), batchCountMax)
      : batchesOfSync(source, batchCountMax);
    for await (const batch of batches) {
      count += batch.length;
      yield batch;
    }
  } catch (thrown) {
    throw isOurs(thrown) ? thrown.error : inputsFailed(module, thrown, count);
  }
  if (count === 0) throw inputsEmpty(module);
}

/** The same, one value at a time: simpler, and slower by an await each. */
export async function* readInputs(
  module: JobModule,
  args: readonly string[],
): AsyncGenerator<unknown, void, undefined> {
  for await (const batch of readInputBatches(module, args)) yield* batch;
}

type Source = Iterable<unknown> | AsyncIterable<unknown>;

/** Keeps our own refusals apart from what the author's code throws. */
class Refusal {
  readonly error: CcError;
  constructor(error: CcError) {
    this.error = error;
  }
}

const isOurs = (thrown: unknown): thrown is Refusal => thrown instanceof Refusal;

async function openSource(module: JobModule, args: readonly string[]): Promise<Source> {
  const { inputs } = module;
  const source: unknown = await (typeof inputs === "function" ? inputs([...args]) : inputs);
  if (typeof source !== "string" && (isIterable(source) || isAsyncIterable(source))) return source;
  throw new Refusal(
    usageError(
      "inputs_not_iterable",
      `${where(module)}inputs ${typeof inputs === "function" ? "returned" : "is"} ${describeKind(source)}, expected an array or another iterable.`,
      typeof source === "string"
        ? 'For one input write [text]; for its lines text.split("\\n").'
        : "Write: export const inputs = [1, 2, 3], or export function* inputs(args) { … }",
    ),
  );
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === "function";
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  const iterate = (value as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator];
  return typeof iterate === "function";
}

async function* batchesOfSync(
  source: Iterable<unknown>,
  batchCountMax: number,
): AsyncGenerator<readonly unknown[], void, undefined> {
  let batch: unknown[] = [];
  let turnEndsAtMs = performance.now() + SYNC_TURN_MS;
  try {
    for (const value of source) {
      batch.push(value);
      const isSlow = batch.length % CLOCK_EVERY === 0 && performance.now() >= turnEndsAtMs;
      if (!isSlow && batch.length < batchCountMax) continue;
      yield take();
      if (isSlow) await nextTurn();
      turnEndsAtMs = performance.now() + SYNC_TURN_MS;
    }
  } catch (thrown) {
    // The values before the error come first.
    if (batch.length > 0) yield take();
    throw thrown;
  }
  if (batch.length > 0) yield take();

  function take(): readonly unknown[] {
    const taken = batch;
    batch = [];
    return taken;
  }
}

/** What the reading half and the giving half of an async source share. */
interface Pump {
  values: unknown[];
  /** Of `values`, roughly. */
  byteCount: number;
  ended: boolean;
  failure: { readonly thrown: unknown } | null;
  /** Wakes the giving half: there is a value, or the end. */
  arrived: PromiseWithResolvers<void>;
  /** Wakes the reading half: the batch was taken. */
  taken: PromiseWithResolvers<void>;
}

/**
 * The source is read by a loop of its own, so that a batch is given away as soon as the source waits
 * for anything; one that never waits fills whole batches within a turn.
 */
async function* batchesOfAsync(
  iterator: AsyncIterator<unknown>,
  batchCountMax: number,
): AsyncGenerator<readonly unknown[], void, undefined> {
  const pump: Pump = {
    values: [],
    byteCount: 0,
    ended: false,
    failure: null,
    arrived: Promise.withResolvers(),
    taken: Promise.withResolvers(),
  };
  const reading = readAll(iterator, pump, batchCountMax);
  try {
    for (;;) {
      await pump.arrived.promise;
      await nextTurn();
      const batch = pump.values;
      pump.values = [];
      pump.byteCount = 0;
      pump.arrived = Promise.withResolvers();
      if (pump.ended) pump.arrived.resolve();
      pump.taken.resolve();
      if (batch.length > 0) yield batch;
      else if (pump.failure) throw pump.failure.thrown;
      else if (pump.ended) break;
    }
    await reading;
  } finally {
    if (!pump.ended) stop(iterator, pump);
  }
}

/** Never rejects: a failure waits its turn behind the values before it. */
async function readAll(
  iterator: AsyncIterator<unknown>,
  pump: Pump,
  batchCountMax: number,
): Promise<void> {
  try {
    while (!pump.ended) {
      const step = await iterator.next();
      if (step.done) break;
      pump.values.push(step.value);
      pump.byteCount += roughBytes(step.value);
      pump.arrived.resolve();
      if (pump.values.length < batchCountMax && pump.byteCount < BATCH_BYTES_MAX) continue;
      await pump.taken.promise;
      pump.taken = Promise.withResolvers();
    }
  } catch (thrown) {
    pump.failure = { thrown };
  }
  pump.ended = true;
  pump.arrived.resolve();
}

/** Texts and bytes, also one level deep: what large inputs are made of. Cheap rather than exact. */
function roughBytes(value: unknown): number {
  const own = flatBytes(value);
  if (own > 0 || typeof value !== "object" || value === null) return own;
  let sum = 0;
  for (const key in value) sum += flatBytes((value as Record<string, unknown>)[key]);
  return sum;
}

function flatBytes(value: unknown): number {
  if (typeof value === "string") return value.length;
  return ArrayBuffer.isView(value) ? value.byteLength : 0;
}

/** Nobody reads any more. The source is told, but not waited for: it may be waiting for ever. */
function stop(iterator: AsyncIterator<unknown>, pump: Pump): void {
  pump.ended = true;
  pump.taken.resolve();
  const close = async (): Promise<unknown> => iterator.return?.();
  close().catch(() => {
    // What it throws while it is abandoned concerns nobody: the submission has already ended.
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const where = (module: JobModule): string =>
  module.places["inputs"] === undefined ? "" : `${module.places["inputs"]}: `;

function inputsEmpty(module: JobModule): CcError {
  return usageError(
    "inputs_empty",
    `${where(module)}inputs has no values, expected at least one.`,
    "Each value is the input of one task; leave inputs out for a single task without input.",
  );
}

function inputsFailed(module: JobModule, thrown: unknown, count: number): CcError {
  const { message, place } = describeThrown(thrown, {
    bundlePath: module.path,
    classifyError: undefined,
  });
  const prefix = place === null ? where(module) : `${place}: `;
  const progress = count === 0 ? "" : ` after ${count} input${count === 1 ? "" : "s"}`;
  const error = usageError("inputs_failed", `${prefix}inputs threw${progress}: ${message}`);
  error.cause = thrown;
  return error;
}
