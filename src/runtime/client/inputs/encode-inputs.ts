/**
 * Values on their way into a job: cut to `--head`, grouped by `--chunk`, encoded, and cut into the
 * batches that travel. It holds one batch, and gives it away when it is full, when the source ends or
 * when the source is slow, so that the first tasks of a slow generator run at once.
 */
import type { Clock } from "../../platform/clock.ts";
import { type ValueColumn, ValueColumnBuilder } from "../../protocol/columns.ts";
import { CcError, usageError } from "../../protocol/error.ts";
import {
  BATCH_TASKS_MAX,
  JOB_TASKS_MAX,
  SUBMIT_BATCH_BYTES,
  VALUE_BYTES_MAX,
} from "../../protocol/limits.ts";
import { encodeValue } from "../../protocol/value.ts";
import type { InputSource } from "./choose-inputs.ts";

/** Longer than a busy source pauses, shorter than anybody notices. */
const QUIET_MS = 5;

export interface EncodedBatch {
  readonly firstIndex: number;
  readonly count: number;
  readonly values: ValueColumn;
  /** The source has ended; false where that is not known yet. */
  readonly isLast: boolean;
}

export interface EncodeOptions {
  /** Inputs a task, as an array; 0: one, not in an array. */
  readonly chunk: number;
  readonly head: number | undefined;
  readonly clock: Clock;
}

/**
 * At least one batch, or it throws.
 * @throws CcError with exit 2: `inputs_empty`, `unserializable` or `input_too_large` with the input's
 * number, and whatever the source throws.
 */
export async function* encodeInputs(
  source: InputSource,
  options: EncodeOptions,
): AsyncGenerator<EncodedBatch> {
  const builder = new ValueColumnBuilder();
  const pending: PendingChunk = { values: [] };
  let firstIndex = 0;
  const take = (isLast: boolean): EncodedBatch => {
    const count = builder.count;
    const batch = { firstIndex, count, values: builder.take(), isLast };
    firstIndex += count;
    return batch;
  };
  for await (const step of quietSteps(source.batches, options, () => builder.count > 0)) {
    if (step === "quiet") {
      yield take(false);
      continue;
    }
    for (const value of grouped(step, pending, options.chunk)) {
      pushValue(builder, value, firstIndex);
      if (isFull(builder)) yield take(false);
    }
  }
  if (pending.values.length > 0) pushValue(builder, pending.values, firstIndex);
  if (builder.count > 0) yield take(true);
  else if (firstIndex === 0) throw noInputs(source.label);
}

const isFull = (builder: ValueColumnBuilder): boolean =>
  builder.byteCount >= SUBMIT_BATCH_BYTES || builder.count >= BATCH_TASKS_MAX;

/** The source's batches up to `head`, and `quiet` where it waits while something could be sent. */
async function* quietSteps(
  batches: AsyncIterable<readonly unknown[]>,
  { head = Number.POSITIVE_INFINITY, clock }: EncodeOptions,
  hasSomething: () => boolean,
): AsyncGenerator<readonly unknown[] | "quiet"> {
  const iterator = batches[Symbol.asyncIterator]();
  let left = head;
  try {
    while (left > 0) {
      const next = iterator.next();
      if (hasSomething() && (await isQuiet(next, clock))) yield "quiet";
      const step = await next;
      if (step.done) return;
      const values = step.value.length > left ? step.value.slice(0, left) : step.value;
      left -= values.length;
      yield values;
    }
  } finally {
    // Told, not waited for: a source that nobody needs any more may be waiting for ever.
    iterator.return?.().catch(() => {});
  }
}

/** Whether nothing has come for a moment. A failure is heard by whoever awaits `next`. */
async function isQuiet(next: Promise<unknown>, clock: Clock): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const timer = clock.setTimer(QUIET_MS, () => resolve(true));
    const arrived = (): void => {
      timer.cancel();
      resolve(false);
    };
    next.then(arrived, arrived);
  });
}

interface PendingChunk {
  values: unknown[];
}

/** Arrays of `chunk` values; what does not fill one waits for the next batch. */
function* grouped(
  values: readonly unknown[],
  pending: PendingChunk,
  chunk: number,
): Generator<unknown> {
  if (chunk === 0) {
    yield* values;
    return;
  }
  for (const value of values) {
    pending.values.push(value);
    if (pending.values.length < chunk) continue;
    yield pending.values;
    pending.values = [];
  }
}

function pushValue(builder: ValueColumnBuilder, value: unknown, firstIndex: number): void {
  const index = firstIndex + builder.count;
  if (index >= JOB_TASKS_MAX) {
    throw usageError("too_many_tasks", `A job has at most ${JOB_TASKS_MAX} tasks.`);
  }
  try {
    encodeValue(value, builder);
  } catch (thrown) {
    throw inputRefused(index, thrown);
  }
  if (builder.lengthOfLast() <= VALUE_BYTES_MAX) return;
  const bytes = builder.lengthOfLast();
  builder.dropLast();
  throw usageError(
    "input_too_large",
    `Input ${index} has ${bytes} bytes, an input may have at most ${VALUE_BYTES_MAX}.`,
    "Give the task a file name to read instead.",
  );
}

function inputRefused(index: number, thrown: unknown): unknown {
  if (!(thrown instanceof CcError)) return thrown;
  return new CcError({
    code: thrown.code,
    message: `Input ${index}: ${thrown.message}`,
    hint: "Inputs are what JSON carries, or undefined, Date, bigint, Uint8Array, Map or Set.",
    exitCode: 2,
    cause: thrown,
  });
}

function noInputs(label: string): Error {
  return usageError("inputs_empty", `${label} has no inputs, expected at least one.`);
}
