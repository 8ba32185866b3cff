/**
 * What the SQLite store costs, on a fresh store in a temporary folder: time and CPU a task of commits
 * by batch size, the fold, and the removal of a job of a million tasks. Prints one JSON line a figure.
 * Run alone: `bun bench/store.ts [FOLDER]`, where FOLDER chooses the disk.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/runtime/platform/clock.ts";
import type { ValueColumn } from "../src/runtime/protocol/columns.ts";
import { asAssignmentId, asBootId, asJobId, asWorkerId } from "../src/runtime/protocol/ids.ts";
import type { Change } from "../src/runtime/scheduler/foreman/changes.ts";
import type { JobFacts } from "../src/runtime/scheduler/foreman/facts.ts";
import { openSqliteStore } from "../src/runtime/store/sqlite/sqlite-store.ts";
import type { Store } from "../src/runtime/store/store.ts";
import { aSpec } from "../test/support/specs.ts";

const TASK_COUNT = 1_000_000;
const BATCH_SIZES = [1_000, 4_000, 16_000];
const INPUT_CHUNK_TASKS = 16_384;
const SINGLE_COMMITS = 1_000;
const SINGLE_ROWS = 200_000;
/** Such as `1:123456` with its kind byte: what no-op tasks return. */
const VALUE_BYTES = 8;

export interface StoreFigure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
}

/** Takes some seconds. */
export async function benchStore(parent = tmpdir()): Promise<StoreFigure[]> {
  const folder = mkdtempSync(join(parent, "cc-bench-store-"));
  const figures: StoreFigure[] = [];
  const note = (figure: string, value: number, unit: string): void => {
    figures.push({ figure, value: Number(value.toPrecision(3)), unit });
  };
  try {
    const store = await openSqliteStore({ folder, readOnly: false, clock: systemClock });
    await measureSingles(store, note);
    for (const [i, batch] of BATCH_SIZES.entries()) await measureBatches(store, i + 2, batch, note);
    await measureSingleRows(store, note);
    await measureReading(store, note);
    await measureRemoval(store, note);
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

type Note = (figure: string, value: number, unit: string) => void;

async function measureSingles(store: Store, note: Note): Promise<void> {
  await commit(store, [{ type: "jobCreated", facts: job(1) }]);
  const times: number[] = [];
  for (let i = 0; i < SINGLE_COMMITS; i++) {
    const startedAtMs = performance.now();
    await commit(store, [
      settledChange(1, { seq: i + 1, first: i, count: 1 }),
      { type: "jobChanged", facts: { ...job(1), completed: i + 1, nextSettleSeq: i + 2 } },
    ]);
    times.push(performance.now() - startedAtMs);
  }
  times.sort((a, b) => a - b);
  note("one-task commit, p50", times[SINGLE_COMMITS / 2] ?? 0, "ms");
  note("one-task commit, p99", times[Math.floor(SINGLE_COMMITS * 0.99)] ?? 0, "ms");
}

/** A million tasks as the foreman writes them: inputs, then assignment and settlement by batch. */
async function measureBatches(
  store: Store,
  jobId: number,
  batch: number,
  note: Note,
): Promise<void> {
  await commit(store, [{ type: "jobCreated", facts: job(jobId) }]);
  const inputs = await timed(async () => {
    for (let first = 0; first < TASK_COUNT; first += INPUT_CHUNK_TASKS) {
      const count = Math.min(INPUT_CHUNK_TASKS, TASK_COUNT - first);
      const values = valuesOf(count);
      const id = asJobId(jobId);
      await commit(store, [
        { type: "inputsAppended", jobId: id, firstIndex: first, count, values },
        { type: "jobChanged", facts: { ...job(jobId), inputCount: first + count } },
      ]);
    }
  });
  const batches = await timed(async () => {
    for (let first = 0, seq = 1; first < TASK_COUNT; first += batch, seq++) {
      const count = Math.min(batch, TASK_COUNT - first);
      await commit(store, batchChanges(jobId, { seq, first, count }));
    }
  });
  const perTask = 1_000 / TASK_COUNT;
  note(`inputs, CPU a task (job ${jobId})`, inputs.cpuMs * perTask, "µs");
  note(`batches of ${batch}, CPU a task`, batches.cpuMs * perTask, "µs");
  note(`batches of ${batch}, wall a task`, batches.wallMs * perTask, "µs");
}

/** Slow tasks settle one by one, but several a commit. */
async function measureSingleRows(store: Store, note: Note): Promise<void> {
  await commit(store, [{ type: "jobCreated", facts: { ...job(9), inputCount: SINGLE_ROWS } }]);
  const { cpuMs } = await timed(async () => {
    for (let first = 0; first < SINGLE_ROWS; first += 100) {
      const rows = Array.from({ length: 100 }, (_, i) =>
        settledChange(9, { seq: first + i + 1, first: first + i, count: 1 }),
      );
      await commit(store, rows);
    }
  });
  note("one-task settlements, 100 a commit, CPU a task", (cpuMs * 1_000) / SINGLE_ROWS, "µs");
}

async function measureReading(store: Store, note: Note): Promise<void> {
  const folds: readonly (readonly [string, number, number])[] = [
    ["fold of 1 M tasks in batches of 1,000", 2, TASK_COUNT],
    ["fold of 200 k tasks in rows of one", 9, SINGLE_ROWS],
  ];
  for (const [figure, jobId, inputCount] of folds) {
    const { wallMs } = await timed(() => store.readFold(asJobId(jobId), inputCount));
    note(figure, wallMs, "ms");
  }
  const input = await timed(() => store.readInputChunk(asJobId(2), TASK_COUNT / 2));
  note("one input chunk of 16,384", input.wallMs, "ms");
  const settlement = await timed(() => store.readSettlement(asJobId(4), 30));
  note("one settlement of 16,000", settlement.wallMs, "ms");
  const history = await timed(() => store.readTaskHistory(asJobId(9), SINGLE_ROWS - 1));
  note("a task's history among 200 k rows", history.wallMs, "ms");
  const load = await timed(() => store.load());
  note("load of 5 unfinished jobs, 3.2 M tasks", load.wallMs, "ms");
}

async function measureRemoval(store: Store, note: Note): Promise<void> {
  for (const [i, batch] of BATCH_SIZES.entries()) {
    const change: Change = { type: "jobRemoved", jobId: asJobId(i + 2) };
    const { wallMs } = await timed(() => commit(store, [change]));
    note(`removal of 1 M tasks in batches of ${batch}`, wallMs, "ms");
  }
  const { wallMs } = await timed(() => commit(store, [{ type: "jobRemoved", jobId: asJobId(9) }]));
  note("removal of 200 k tasks in rows of one", wallMs, "ms");
}

async function commit(store: Store, changes: readonly Change[]): Promise<void> {
  const outcome = await store.commit(changes);
  if (outcome !== "ok") throw new Error(`the store is ${outcome}`);
}

async function timed(run: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  await run();
  const wallMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1_000 };
}

interface Batch {
  readonly seq: number;
  readonly first: number;
  readonly count: number;
}

/** What one batch's report causes: its settlement, the end of its assignment, the next one. */
function batchChanges(jobId: number, { seq, first, count }: Batch): Change[] {
  const assignmentId = (number: number) => asAssignmentId(jobId * 2 ** 32 + number);
  const assigned: Change = {
    type: "assigned",
    assignment: {
      assignmentId: assignmentId(seq),
      jobId: asJobId(jobId),
      workerId: asWorkerId("w1"),
      bootId: asBootId("boot"),
      count,
      indexes: { first },
      attempts: 1,
      assignedAtMs: 0,
    },
  };
  const progress = { completed: first + count, nextSettleSeq: seq + 1, inputCount: TASK_COUNT };
  return [
    assigned,
    settledChange(jobId, { seq, first, count }),
    { type: "assignmentShrunk", assignmentId: assignmentId(seq - 1), remaining: null },
    { type: "jobChanged", facts: { ...job(jobId), ...progress } },
  ];
}

function settledChange(jobId: number, { seq, first, count }: Batch): Change {
  return {
    type: "settled",
    settlement: {
      jobId: asJobId(jobId),
      seq,
      status: "completed",
      workerId: asWorkerId("w1"),
      bootId: asBootId("boot"),
      settledAtMs: 0,
      count,
      indexes: { first },
      attempts: 1,
      runUs: Uint32Array.from({ length: count }, (_, i) => i),
      values: valuesOf(count),
    },
  };
}

const valuesByCount = new Map<number, ValueColumn>();

function valuesOf(count: number): ValueColumn {
  const known = valuesByCount.get(count);
  if (known) return known;
  // Lengths that differ, so that the column is written out as it is in real jobs.
  const lengths = Uint32Array.from({ length: count }, (_, i) => VALUE_BYTES + (i % 2));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const values = { lengths, data: new Uint8Array(total).fill(49) };
  valuesByCount.set(count, values);
  return values;
}

function job(jobId: number): JobFacts {
  return {
    jobId: asJobId(jobId),
    owner: "bench",
    submissionId: `bench-${jobId}`,
    resumable: false,
    spec: SPEC,
    specVersion: 1,
    inputCount: TASK_COUNT,
    inputCrc32: 0,
    inputsClosedAtMs: 0,
    paused: false,
    keep: false,
    state: "running",
    completed: 0,
    failed: 0,
    cancelled: 0,
    nextSettleSeq: 1,
    createdAtMs: 0,
    notBeforeMs: null,
    finishedAtMs: null,
    runUs: 0,
  };
}

const SPEC = aSpec({ name: "bench", max_fails: { kind: "default" } });

if (import.meta.main) {
  for (const figure of await benchStore(process.argv[2])) console.log(JSON.stringify(figure));
}
