/**
 * What workers did and how busy their machines were, over the last two hours: tasks by what was
 * committed, load by their heartbeats, and their newest failures. In memory only, bounded a worker, and
 * forgotten an hour after a worker has gone.
 */
import { indexAt } from "../../../protocol/columns.ts";
import { readFailure } from "../../../protocol/failure.ts";
import { formatTaskId, type WorkerId } from "../../../protocol/ids.ts";
import type { WorkerMonitorView } from "../../../protocol/monitor-views.ts";
import type { Change } from "../../../scheduler/foreman/changes.ts";
import type { Settlement } from "../../../scheduler/foreman/facts.ts";
import {
  countInSeries,
  createSeries,
  type Series,
  type SeriesShape,
} from "../../../scheduler/foreman/series.ts";
import { makeReadable, rowValue } from "../../reading/settlement-cache.ts";
import { createGauge, type Gauge, type GaugeShape } from "./gauge.ts";

const TASKS_OVER_TIME: readonly SeriesShape[] = [
  { stepMs: 1_000, stepCount: 180 },
  { stepMs: 5_000, stepCount: 180 },
  { stepMs: 60_000, stepCount: 120 },
];
/** A worker beats every few seconds. */
const LOAD_OVER_TIME: readonly GaugeShape[] = [
  { stepMs: 3_000, stepCount: 100 },
  { stepMs: 15_000, stepCount: 80 },
  { stepMs: 60_000, stepCount: 120 },
];
const LOAD_HOLD_MS = 10_000;
const FAILURES_KEPT = 50;
/** Of one batch of failures only the last ones are looked into. */
const FAILURES_PER_BATCH = 20;
const MESSAGE_CHARACTERS_MAX = 300;
const CODE_CHARACTERS_MAX = 64;
const FORGET_AFTER_MS = 3_600_000;
const SWEEP_EACH_MS = 60_000;
/** Some ten kilobytes each; beyond it those that were heard of longest ago go, an eighth at a time. */
const PASTS_MAX = 10_000;

type RecentFailure = WorkerMonitorView["recent_failures"][number];

export interface WorkerPast {
  readonly tasks: Series;
  readonly cpu: Gauge;
  readonly memory: Gauge;
  readonly busy: Gauge;
  /** The newest last. */
  readonly failures: RecentFailure[];
  touchedAtMs: number;
}

export interface WorkerHistory {
  onCommitted(changes: readonly Change[], atMs: number): void;
  onBeat(workerId: WorkerId, load: WorkerLoad, atMs: number): void;
  /** null: nothing is known of it. */
  of(workerId: WorkerId): WorkerPast | null;
}

export interface WorkerLoad {
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  readonly busySlots: number;
}

type ChangeOf<Type extends Change["type"]> = Extract<Change, { readonly type: Type }>;

export function createWorkerHistory(): WorkerHistory {
  const pasts = new Map<WorkerId, WorkerPast>();
  let sweptAtMs = 0;

  function pastOf(workerId: WorkerId, atMs: number): WorkerPast {
    const known = pasts.get(workerId);
    if (known) {
      known.touchedAtMs = atMs;
      return known;
    }
    const past = {
      tasks: createSeries(TASKS_OVER_TIME, atMs),
      cpu: createGauge(LOAD_OVER_TIME, LOAD_HOLD_MS),
      memory: createGauge(LOAD_OVER_TIME, LOAD_HOLD_MS),
      busy: createGauge(LOAD_OVER_TIME, LOAD_HOLD_MS),
      failures: [],
      touchedAtMs: atMs,
    };
    if (pasts.size >= PASTS_MAX) makeRoom();
    pasts.set(workerId, past);
    return past;
  }

  /** Machines that come for a minute, each with a name of its own, are many in an hour. */
  function makeRoom(): void {
    const oldest = [...pasts].sort(([, a], [, b]) => a.touchedAtMs - b.touchedAtMs);
    for (const [workerId] of oldest.slice(0, PASTS_MAX / 8)) pasts.delete(workerId);
  }

  function onSettled(settlement: Settlement, atMs: number): void {
    const { workerId, status, count } = settlement;
    // What is cancelled before it begins is nobody's work.
    if (status === "cancelled" || workerId === "") return;
    const past = pastOf(workerId, atMs);
    countInSeries(past.tasks, atMs, count, status === "failed" ? count : 0);
    if (status === "failed") noteSettled(past.failures, settlement);
  }

  /** Attempts that another one follows; those of one report come from one worker. */
  function onAttemptsEnded({ jobId, rows }: ChangeOf<"attemptsEnded">, atMs: number): void {
    rows.forEach(({ outcome, workerId, index, endedAtMs, error }, at) => {
      if (outcome !== "failed") return;
      const past = pastOf(workerId, atMs);
      countInSeries(past.tasks, atMs, 1, 1);
      if (error === null || at < rows.length - FAILURES_PER_BATCH) return;
      note(past.failures, formatTaskId(jobId, index), endedAtMs, error);
    });
  }

  function sweep(atMs: number): void {
    sweptAtMs = atMs;
    for (const [workerId, { touchedAtMs }] of pasts) {
      if (atMs - touchedAtMs > FORGET_AFTER_MS) pasts.delete(workerId);
    }
  }

  return {
    onCommitted(changes, atMs) {
      for (const change of changes) {
        if (change.type === "settled") onSettled(change.settlement, atMs);
        else if (change.type === "attemptsEnded") onAttemptsEnded(change, atMs);
      }
      if (atMs - sweptAtMs > SWEEP_EACH_MS) sweep(atMs);
    },
    onBeat(workerId, { cpuPercent, memoryPercent, busySlots }, atMs) {
      const past = pastOf(workerId, atMs);
      past.cpu.look(atMs, cpuPercent);
      past.memory.look(atMs, memoryPercent);
      past.busy.look(atMs, busySlots);
    },
    of: (workerId) => pasts.get(workerId) ?? null,
  };
}

function noteSettled(failures: RecentFailure[], settlement: Settlement): void {
  const { jobId, count, indexes, settledAtMs } = settlement;
  const readable = makeReadable({ ...settlement, sharedValue: false });
  for (let row = Math.max(0, count - FAILURES_PER_BATCH); row < count; row++) {
    const taskId = formatTaskId(jobId, indexAt(indexes, row));
    note(failures, taskId, settledAtMs, rowValue(readable, row));
  }
}

function note(failures: RecentFailure[], task_id: string, atMs: number, value: Uint8Array): void {
  const { code, message } = readFailure(value).failure;
  failures.push({
    time: new Date(atMs).toISOString(),
    task_id,
    code: code.slice(0, CODE_CHARACTERS_MAX),
    message: message.slice(0, MESSAGE_CHARACTERS_MAX),
  });
  if (failures.length > FAILURES_KEPT) failures.shift();
}
