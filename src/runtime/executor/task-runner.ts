/**
 * Runs the rows of batches one after the other and leaves their results in the journal. What a task
 * throws, returns or leaves behind ends that task alone. It must cost a task that does nothing well
 * under a microsecond, so it awaits only what can be awaited.
 *
 * The event loop gets a turn when a task is asynchronous, between batches, and at least each 8 ms of
 * short tasks; only then are aborts and further batches heard.
 */
import { rmSync } from "node:fs";
import { describeThrown } from "../job-module/describe-thrown.ts";
import {
  abortContext,
  createContext,
  openedFolder,
  type TaskContext,
} from "../job-module/task-context.ts";
import { indexAt, u32At } from "../protocol/columns.ts";
import { encodeFailure, type Failure } from "../protocol/failure.ts";
import { VALUE_BYTES_MAX } from "../protocol/limits.ts";
import { encodeValue, VALUE_UNDEFINED } from "../protocol/value.ts";
import { beginConsole, readConsole } from "./console-ring.ts";
import { decodeInput } from "./decode-input.ts";
import type { AbortFrame, BatchFrame, JobFrame } from "./frames.ts";
import { type Journal, STATUS_COMPLETED, STATUS_FAILED, STATUS_SKIPPED } from "./journal.ts";
import { claimRow, isSkipped, noteRowStart, runningRow, type SharedCell } from "./shared-cell.ts";
import { blameStorage } from "./storage-fault.ts";
import { currentOwner, runAs, type Waiting } from "./stray-faults.ts";
import type { TaskModule } from "./task-module.ts";

/**
 * Finished results wait at most so long for others to be written with; a task that runs longer does not
 * hold them up, since the worker reads the journal itself. At 1 ms the worker woke for nearly every task
 * of a millisecond, which cost it 90 microseconds each; at 5 ms it is 60.
 */
const FLUSH_AFTER_MS = 5;
const YIELD_AFTER_MS = 8;

export interface TaskRunner {
  readonly cell: SharedCell;
  readonly journal: Journal;
  readonly module: TaskModule;
  readonly bundlePath: string;
  readonly scratchFolder: string;
  /** Undoes what a task has done to the process. */
  readonly comeHome: () => void;
  /** What runs now; null between tasks. */
  current: CurrentTask | null;
  /** The last one begun. */
  batch: BatchFrame | null;
  flushedAtMs: number;
  yieldedAtMs: number;
  flushTimer: NodeJS.Timeout | null;
}

export interface PrintingRow {
  readonly batchId: number;
  readonly row: number;
}

interface CurrentTask extends Waiting {
  readonly batchId: number;
  readonly row: number;
  readonly abort: (reason: unknown) => void;
}

export function createTaskRunner(
  parts: Pick<
    TaskRunner,
    "cell" | "journal" | "module" | "bundlePath" | "scratchFolder" | "comeHome"
  >,
): TaskRunner {
  return { ...parts, current: null, batch: null, flushedAtMs: 0, yieldedAtMs: 0, flushTimer: null };
}

/** Resolves with how many rows were started: all, unless the worker closed the batch. */
export async function runBatch(
  runner: TaskRunner,
  batch: BatchFrame,
  job: JobFrame,
): Promise<number> {
  const { cell, journal } = runner;
  const { slot, count, values } = batch;
  let nowMs = performance.now();
  let from = 0;
  let row = 0;
  journal.begin(batch.batchId, slot);
  runner.batch = batch;
  for (; row < count; row++) {
    const to = from + u32At(values.lengths, row);
    noteRowStart(cell, nowMs);
    if (!claimRow(cell, slot, row)) break;
    if (isSkipped(cell, slot, row)) {
      journal.pushKind(VALUE_UNDEFINED);
      journal.commit(STATUS_SKIPPED, 0);
    } else {
      if (!runner.module.isReady) nowMs = await prepareFor(runner, batch, row, job);
      const waiting = runner.module.isReady
        ? runRow(runner, { batch, row, from, to, job, startedAtMs: nowMs })
        : null;
      if (waiting !== null) await waiting;
    }
    from = to;
    nowMs = performance.now();
    if (nowMs - runner.flushedAtMs >= FLUSH_AFTER_MS) flush(runner, nowMs);
    if (nowMs - runner.yieldedAtMs >= YIELD_AFTER_MS) nowMs = await yieldToEventLoop(runner);
  }
  flush(runner, nowMs);
  return row;
}

/** An abort that the worker has sent for the row that runs; too late for any other. */
export function abortRow({ current }: TaskRunner, { batchId, row, reason }: AbortFrame): void {
  if (current?.batchId === batchId && current.row === row) current.abort(reason);
}

/** The row whose code prints at this moment; null: that of a task that ended long ago, or of none. */
export function printingRow({ cell, batch }: TaskRunner): PrintingRow | null {
  if (batch === null) return null;
  const owner = currentOwner();
  const running = runningRow(cell, batch.slot)?.row ?? -1;
  const row =
    owner === undefined || owner === "module" ? running : rowOfOwner(batch, owner, running);
  return row < 0 ? null : { batchId: batch.batchId, row };
}

/** Mostly the one that runs; what a task has left behind may print while others run. */
function rowOfOwner(batch: BatchFrame, owner: TaskContext, running: number): number {
  const { index } = owner.task;
  const { indexes, attempts, count } = batch;
  if (running >= 0 && indexAt(indexes, running) === index) return running;
  const row = indexes instanceof Uint32Array ? indexes.indexOf(index) : index - indexes.first;
  return row >= 0 && row < count && u32At(attempts, row) === owner.attempt ? row : -1;
}

/** Loads and sets up on the first row's account: its time-out, its failure, its console. */
async function prepareFor(
  runner: TaskRunner,
  batch: BatchFrame,
  row: number,
  job: JobFrame,
): Promise<number> {
  const { cell, journal, module } = runner;
  const startedAtMs = performance.now();
  const controller = new AbortController();
  noteRowStart(cell, startedAtMs);
  beginConsole(cell);
  try {
    const abort = (reason: unknown) => controller.abort(reason);
    const current: CurrentTask = {
      batchId: batch.batchId,
      row,
      abort,
      owner: "module",
      fail: null,
    };
    const prepare = () => module.prepare(job, controller.signal);
    await whileBlamed(runner, current, runAs("module", prepare));
  } catch (thrown) {
    journal.pushValue(encodeThrown(runner, thrown));
    journal.commit(STATUS_FAILED, elapsedUs(startedAtMs, performance.now()));
  }
  const nowMs = performance.now();
  noteRowStart(cell, nowMs);
  return nowMs;
}

interface RowRun {
  readonly batch: BatchFrame;
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly job: JobFrame;
  readonly startedAtMs: number;
}

/** A promise only where the task returned one. Its result lies in the journal in the end. */
function runRow(runner: TaskRunner, run: RowRun): Promise<void> | null {
  const { batch, row } = run;
  const { module } = runner;
  const index = indexAt(batch.indexes, row);
  const context = createContext(module.sharedOf(run.job), index, u32At(batch.attempts, row));
  beginConsole(runner.cell);
  try {
    const input = decodeInput(batch.values.data, run.from, run.to);
    // `prepare` has succeeded, so the module is loaded.
    const { task } = module.loaded as NonNullable<TaskModule["loaded"]>;
    const returned = runAs(context, task, input, context);
    if (isThenable(returned)) return finishLater(runner, run, context, returned);
    finishRow(runner, run, context, pushResult(runner, returned));
  } catch (thrown) {
    finishRow(runner, run, context, pushThrown(runner, thrown));
  }
  return null;
}

async function finishLater(
  runner: TaskRunner,
  run: RowRun,
  context: TaskContext,
  returned: PromiseLike<unknown>,
): Promise<void> {
  const current: CurrentTask = {
    batchId: run.batch.batchId,
    row: run.row,
    abort: (reason) => abortContext(context, reason),
    owner: context,
    fail: null,
  };
  let status: number;
  // What is finished must not wait for as long as this task does.
  if (!runner.journal.isEmpty) runner.flushTimer ??= setTimeout(onFlushTimer, 1, runner);
  try {
    status = pushResult(runner, await whileBlamed(runner, current, returned));
  } catch (thrown) {
    status = pushThrown(runner, thrown);
  }
  finishRow(runner, run, context, status);
}

function finishRow(runner: TaskRunner, run: RowRun, context: TaskContext, status: number): void {
  runner.journal.commit(status, elapsedUs(run.startedAtMs, performance.now()));
  runner.comeHome();
  const folder = openedFolder(context);
  if (folder !== undefined) removeFolder(folder);
}

/** Makes `current` the one to blame and to abort until `work` has settled. */
function whileBlamed<Value>(
  runner: TaskRunner,
  current: CurrentTask,
  work: PromiseLike<Value>,
): Promise<Value> {
  runner.current = current;
  return new Promise<Value>((resolve, reject) => {
    current.fail = reject;
    work.then(resolve, reject);
  }).finally(() => {
    runner.current = null;
  });
}

/** Pushes the value, or the failure it turned into; returns the row's status. */
function pushResult(runner: TaskRunner, value: unknown): number {
  const { journal } = runner;
  encodeValue(value, journal);
  if (journal.valueBytes <= VALUE_BYTES_MAX) return STATUS_COMPLETED;
  journal.pushValue(encodeFailure(withConsole(runner, resultTooLarge(journal.valueBytes))));
  return STATUS_FAILED;
}

function pushThrown(runner: TaskRunner, thrown: unknown): number {
  runner.journal.pushValue(encodeThrown(runner, thrown));
  return STATUS_FAILED;
}

function encodeThrown(runner: TaskRunner, thrown: unknown): Uint8Array {
  const { bundlePath, module } = runner;
  const classifyError = module.loaded?.classifyError;
  const { code, message, stack, permanent } = describeThrown(thrown, { bundlePath, classifyError });
  const failure = { code, message, stack, permanent };
  const blamed = blameStorage(failure, thrown, runner.scratchFolder);
  return encodeFailure(withConsole(runner, blamed));
}

function withConsole(runner: TaskRunner, failure: Failure): Failure {
  const printed = readConsole(runner.cell);
  return printed === "" ? failure : { ...failure, console: printed };
}

const resultTooLarge = (byteCount: number): Failure => ({
  code: "result_too_large",
  message: `The result takes ${byteCount} bytes; at most ${VALUE_BYTES_MAX / 2 ** 20} MiB are carried.`,
});

function flush(runner: TaskRunner, nowMs: number): void {
  runner.journal.flush();
  runner.flushedAtMs = nowMs;
}

function onFlushTimer(runner: TaskRunner): void {
  runner.flushTimer = null;
  flush(runner, performance.now());
}

async function yieldToEventLoop(runner: TaskRunner): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  runner.yieldedAtMs = performance.now();
  return runner.yieldedAtMs;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return typeof (value as { then?: unknown }).then === "function";
}

function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Locked by its own task: the worker removes it with everything else of this process.
  }
}

const elapsedUs = (fromMs: number, toMs: number): number =>
  Math.min(0xffff_ffff, Math.round((toMs - fromMs) * 1000));
