/**
 * The program inside an executor: one bundle of one owner in one environment, told what to run over
 * the channel that it is given as descriptor 3. It must stay small and start fast. It writes with blocking calls, so that a result is
 * with the worker before the next task can crash; the worker never blocks on it in turn.
 */
import { writeSync, writevSync } from "node:fs";
import { LOG_STREAM_LOG } from "../protocol/messages/logs.ts";
import { captureConsole, captureStandardStreams } from "./console-capture.ts";
import {
  type AbortFrame,
  type BatchEndFrame,
  type BatchFrame,
  createFrameReader,
  decodeBatchFrame,
  decodeJsonFrame,
  encodeJsonFrame,
  FRAME_ABORT,
  FRAME_BATCH,
  FRAME_BATCH_END,
  FRAME_JOB,
  FRAME_NOTICE,
  FRAME_OPEN,
  FRAME_READY,
  type JobFrame,
  type NoticeFrame,
  type OpenFrame,
  type ReadyFrame,
} from "./frames.ts";
import { createJournal } from "./journal.ts";
import { createLogSender } from "./log-sender.ts";
import { takeChannel } from "./private-channel.ts";
import { mapCell } from "./shared-cell.ts";
import { createStrayFaults } from "./stray-faults.ts";
import { createTaskModule } from "./task-module.ts";
import {
  abortRow,
  createTaskRunner,
  printingRow,
  runBatch,
  type TaskRunner,
} from "./task-runner.ts";
import { keepWorkingFolder } from "./working-folder.ts";

/** Of the channel; known once the executor runs. */
let channel = 3;
/** A fault of our own, as every program of ours reports it. */
const EXIT_INTERNAL = 70;
const STDERR = 2;
const NOTICE_LENGTH_MAX = 4_096;

/** Runs until the worker closes the channel, and then ends the process. */
export async function runExecutor(): Promise<void> {
  const waiting: { readonly batch: BatchFrame; readonly job: JobFrame }[] = [];
  let job: JobFrame | null = null;
  let runner: TaskRunner | null = null;
  let isWorking = false;

  async function work(active: TaskRunner): Promise<void> {
    isWorking = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const startedCount = await runBatch(active, next.batch, next.job);
      const end: BatchEndFrame = { batchId: next.batch.batchId, startedCount };
      write([encodeJsonFrame(FRAME_BATCH_END, end)]);
    }
    isWorking = false;
  }

  function onFrame(type: number, body: Uint8Array): void {
    if (type === FRAME_OPEN) {
      runner = open(decodeJsonFrame<OpenFrame>(body));
      return;
    }
    if (runner === null) throw new Error(`frame ${type} before the first`);
    if (type === FRAME_JOB) {
      job = decodeJsonFrame<JobFrame>(body);
    } else if (type === FRAME_BATCH && job !== null) {
      waiting.push({ batch: decodeBatchFrame(body), job });
      if (!isWorking) work(runner).catch(exitWithFault);
    } else if (type === FRAME_ABORT) {
      abortRow(runner, decodeJsonFrame<AbortFrame>(body));
    }
  }

  const reader = createFrameReader(onFrame);
  channel = takeChannel();
  for await (const chunk of Bun.file(channel).stream()) reader.push(chunk);
  // The worker has closed it, or is dead: either way nobody waits for a result any more.
  process.exit(0);
}

function open(frame: OpenFrame): TaskRunner {
  const { bundlePath, scratchFolder } = frame;
  Object.assign(process.env, frame.environment);
  const cell = mapCell(frame.cellPath);
  const ready: ReadyFrame = { nowMs: performance.now() };
  write([encodeJsonFrame(FRAME_READY, ready)]);
  const log = createLogSender(cell, write);
  const print = (stream: number, text: string | Uint8Array): void => {
    const row = printingRow(runner);
    if (row !== null) log.print(row, stream, text);
  };
  const printLine = (text: string): void => print(LOG_STREAM_LOG, text);
  captureConsole(printLine);
  captureStandardStreams(print);
  const module = createTaskModule({ bundlePath, scratchFolder, print: printLine });
  const journal = createJournal(cell, (pieces) => {
    // Who sees a result finds what was printed before it.
    log.flush();
    write(pieces);
  });
  const comeHome = keepWorkingFolder();
  const runner: TaskRunner = createTaskRunner({
    cell,
    journal,
    module,
    bundlePath,
    scratchFolder,
    comeHome,
  });
  const strays = createStrayFaults({ current: () => runner.current, notice });
  process.on("uncaughtException", strays.onThrown);
  process.on("unhandledRejection", strays.onRejected);
  process.on("rejectionHandled", strays.onHandled);
  return runner;
}

/** No running task is to blame: it had ended, or none had begun. */
function notice(thrown: unknown, taskId: string | null): void {
  const fault = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const text = taskId === null ? fault : `after task ${taskId} had ended: ${fault}`;
  const body: NoticeFrame = { text: text.slice(0, NOTICE_LENGTH_MAX) };
  write([encodeJsonFrame(FRAME_NOTICE, body)]);
}

/** Returns when everything is written. The descriptor blocks, so the rest of a short write follows. */
function write(pieces: readonly Uint8Array[]): void {
  let left = pieces.filter((piece) => piece.byteLength > 0);
  while (left.length > 0) {
    let written = writeOnce(left);
    const rest: Uint8Array[] = [];
    for (const piece of left) {
      if (written < piece.byteLength) rest.push(piece.subarray(written));
      written = Math.max(0, written - piece.byteLength);
    }
    left = rest;
  }
}

/** Without a channel (the worker is dead, or a task has closed it) there is nothing left to do. */
function writeOnce(pieces: readonly Uint8Array[]): number {
  try {
    return writevSync(channel, pieces);
  } catch {
    process.exit(EXIT_INTERNAL);
  }
}

function exitWithFault(thrown: unknown): never {
  // Not through the console and the streams, which are the author's.
  writeSync(STDERR, `${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  process.exit(EXIT_INTERNAL);
}
