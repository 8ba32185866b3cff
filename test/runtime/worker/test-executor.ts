/** A real executor with a job file of the test's own, and a record of everything it reports. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobFrame } from "../../../src/runtime/executor/frames.ts";
import {
  type IndexColumn,
  indexAt,
  type U32Column,
  u32At,
  ValueColumnBuilder,
  valueAt,
} from "../../../src/runtime/protocol/columns.ts";
import { decodeFailure, type Failure } from "../../../src/runtime/protocol/failure.ts";
import { LOG_STREAMS, type LogStream } from "../../../src/runtime/protocol/messages/logs.ts";
import { decodeValue, encodeValue } from "../../../src/runtime/protocol/value.ts";
import type { ResultChunk } from "../../../src/runtime/scheduler/agent/events.ts";
import { startExecutorChild } from "../../../src/runtime/worker/executors/executor-child.ts";
import type {
  ExecutorChild,
  ExecutorChildOptions,
} from "../../../src/runtime/worker/executors/executor-interface.ts";
import { createHost } from "./processes.ts";

export type RowReport =
  | { readonly value: unknown; readonly runUs: number }
  | { readonly failure: Failure; readonly runUs: number };

export interface BatchReport {
  /** By row; a row twice is an error. */
  readonly rows: ReadonlyMap<number, RowReport>;
  readonly goneRows: readonly number[];
  readonly refusal: string | null;
}

export interface TestExecutor {
  readonly child: ExecutorChild;
  readonly folder: string;
  readonly scratchFolder: string;
  readonly notices: readonly string[];
  /** What a row has printed so far: stream and text of each piece, gaps with their bytes. */
  printed(batchId: number, row: number): readonly (readonly [LogStream, string])[];
  /** Resolves when the row has printed this. */
  untilPrinted(batchId: number, row: number, text: string): Promise<void>;
  /** Resolves when it and its tree have gone. */
  readonly gone: Promise<void>;
  start(inputs: readonly unknown[], options?: BatchOptions): StartedBatch;
  run(inputs: readonly unknown[], options?: BatchOptions): Promise<BatchReport>;
  close(): Promise<void>;
}

export interface BatchOptions {
  readonly timeoutMs?: number;
  readonly indexes?: IndexColumn;
  readonly attempts?: U32Column;
  readonly job?: JobFrame;
}

export interface StartedBatch {
  readonly batchId: number;
  readonly ended: Promise<BatchReport>;
  /** Resolves with the report of a row as soon as it comes. */
  reported(row: number): Promise<RowReport>;
}

interface Record {
  readonly rows: Map<number, RowReport>;
  readonly goneRows: number[];
  readonly waits: Map<number, PromiseWithResolvers<RowReport>>;
  readonly ended: PromiseWithResolvers<BatchReport>;
}

const command = [process.execPath, `${import.meta.dir}/fixtures/executor-entry.ts`];

export const testJob: JobFrame = {
  jobId: 17,
  name: "a job",
  queue: "tests",
  metadata: { kind: "test" },
  seed: 5,
};

export function startTestExecutor(
  source: string,
  changes: Partial<ExecutorChildOptions> = {},
): TestExecutor {
  const folder = mkdtempSync(join(tmpdir(), "cc-executor-"));
  const bundlePath = join(folder, "job.mjs");
  const scratchFolder = join(folder, "scratch");
  writeFileSync(bundlePath, source);
  mkdirSync(scratchFolder);
  const records = new Map<number, Record>();
  const notices: string[] = [];
  const printed = new Map<string, [LogStream, string][]>();
  let onPrinted = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const child = startExecutorChild({
    command,
    bundlePath,
    environment: { atStart: { PATH: "/usr/bin:/bin" }, afterStart: {} },
    scratchFolder,
    memoryBytesMax: null,
    host: createHost(),
    listener: {
      onPrinted: (batchId, row, { streams, lengths, data, droppedBytes }) => {
        const lines = printed.get(`${batchId}/${row}`) ?? [];
        printed.set(`${batchId}/${row}`, lines);
        if (droppedBytes > 0) lines.push(["gap", String(droppedBytes)]);
        let from = 0;
        for (let piece = 0; piece < lengths.length; piece++) {
          const to = from + (lengths[piece] ?? 0);
          const stream = LOG_STREAMS[streams[piece] ?? 0] ?? "gap";
          lines.push([stream, Buffer.from(data.subarray(from, to)).toString("utf8")]);
          from = to;
        }
        onPrinted.resolve();
        onPrinted = Promise.withResolvers();
      },
      onResults: (batchId, chunks) => {
        for (const chunk of chunks) recordChunk(recordOf(records, batchId), chunk);
      },
      onRowsGone: (batchId, rows) => recordOf(records, batchId).goneRows.push(...rows),
      onBatchEnded(batchId, refusal) {
        const { rows, goneRows, ended } = recordOf(records, batchId);
        ended.resolve({ rows, goneRows, refusal });
      },
      onNotice: (text) => notices.push(text),
      onGone: gone.resolve,
    },
    ...changes,
  });
  let batchId = 100;

  function start(inputs: readonly unknown[], options: BatchOptions = {}): StartedBatch {
    const id = ++batchId;
    const record: Record = {
      rows: new Map(),
      goneRows: [],
      waits: new Map(),
      ended: Promise.withResolvers<BatchReport>(),
    };
    records.set(id, record);
    child.run({
      batchId: id,
      job: options.job ?? testJob,
      count: inputs.length,
      indexes: options.indexes ?? { first: 0 },
      attempts: options.attempts ?? 1,
      values: encodeAll(inputs),
      timeoutMs: options.timeoutMs ?? 0,
    });
    return {
      batchId: id,
      ended: record.ended.promise,
      reported(row) {
        const known = record.rows.get(row);
        if (known !== undefined) return Promise.resolve(known);
        const wait = record.waits.get(row) ?? Promise.withResolvers<RowReport>();
        record.waits.set(row, wait);
        return wait.promise;
      },
    };
  }

  return {
    child,
    folder,
    scratchFolder,
    notices,
    gone: gone.promise,
    printed: (id, row) => printed.get(`${id}/${row}`) ?? [],
    async untilPrinted(id, row, text) {
      const all = () => (printed.get(`${id}/${row}`) ?? []).map(([, part]) => part).join("");
      while (!all().includes(text)) await onPrinted.promise;
    },
    start,
    run: (inputs, options) => start(inputs, options).ended,
    async close() {
      await child.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Values by row, `code: message` for failures: what most tests compare. */
export function summary(report: BatchReport): unknown[] {
  const rows = [...report.rows].sort(([a], [b]) => a - b);
  return rows.map(([row, result]) =>
    "value" in result
      ? [row, result.value]
      : [row, `${result.failure.code}: ${result.failure.message}`],
  );
}

export function failureOf(report: BatchReport, row: number): Failure {
  const result = report.rows.get(row);
  if (result === undefined || !("failure" in result)) throw new Error(`row ${row} did not fail`);
  return result.failure;
}

export function resultOf(report: BatchReport, row: number): unknown {
  const result = report.rows.get(row);
  if (result === undefined || !("value" in result)) throw new Error(`row ${row} has no value`);
  return result.value;
}

function encodeAll(inputs: readonly unknown[]) {
  const builder = new ValueColumnBuilder();
  for (const input of inputs) encodeValue(input, builder);
  return builder.take();
}

function recordOf(records: ReadonlyMap<number, Record>, batchId: number): Record {
  const record = records.get(batchId);
  if (record === undefined) throw new Error(`report of the unknown batch ${batchId}`);
  return record;
}

function recordChunk(record: Record, chunk: ResultChunk): void {
  for (let place = 0; place < chunk.count; place++) {
    const row = indexAt(chunk.rows, place);
    if (record.rows.has(row)) throw new Error(`row ${row} was reported twice`);
    const bytes = valueAt(chunk.values, place);
    const runUs = u32At(chunk.runUs, place);
    const report =
      chunk.status === "completed"
        ? { value: decodeValue(bytes), runUs }
        : { failure: checkedFailure(chunk, place, bytes), runUs };
    record.rows.set(row, report);
    record.waits.get(row)?.resolve(report);
  }
}

function checkedFailure(chunk: ResultChunk, place: number, bytes: Uint8Array): Failure {
  const { failure } = decodeFailure(bytes);
  const isSame =
    chunk.codes?.[place] === failure.code &&
    u32At(chunk.permanent, place) === (failure.permanent ? 1 : 0);
  if (!isSame) throw new Error(`columns and value disagree on ${JSON.stringify(failure)}`);
  return failure;
}
