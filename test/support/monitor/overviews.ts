/** Overviews and workers in the states that a screen must tell apart, and at random. */
import type {
  JobRowView,
  OverviewView,
  WorkerMonitorView,
  WorkerRowView,
} from "../../../src/runtime/protocol/monitor-views.ts";
import {
  JOB_STATES,
  type JobState,
  type TaskCounts,
  type WorkerState,
} from "../../../src/runtime/protocol/views.ts";
import type { Random } from "../fuzz/random.ts";
import {
  ago,
  eventLine,
  jobRow,
  jobRowId,
  overviewView,
  series,
  slotRow,
  slotRowId,
  taskCounts,
  windowOf,
  workerMonitorView,
  workerRow,
  workerRowId,
} from "./fixtures.ts";
import { hostileTexts } from "./hostile-texts.ts";

export const WORKER_STATES: readonly WorkerState[] = [
  "up",
  "draining",
  "paused",
  "set aside",
  "lost",
  "gone",
];

/** The installation of the design: a job in every state, workers in every state, things that happen. */
export const busyOverview = (): OverviewView =>
  overviewView({
    jobs: windowOf(busyJobs(), jobRowId, { total: 37 }),
    workers: windowOf(busyWorkers(), workerRowId),
    worker_states: { up: 7, draining: 1, paused: 1, "set aside": 1, lost: 1, gone: 1 },
    events: [
      eventLine({
        seq: 903,
        time: ago(9),
        weight: "bad",
        sentence: "job 16: 10 tasks failed permanently (exit 137 x9, exit 1 x1)",
      }),
      eventLine({
        seq: 902,
        time: ago(27),
        sentence: "w04 draining on request of ann: 7 tasks left",
      }),
      eventLine({
        seq: 901,
        time: ago(117),
        weight: "plain",
        sentence: "job 19 submitted by bob: 10,000 tasks, priority 5",
      }),
    ],
  });

function busyJobs(): readonly JobRowView[] {
  const idle = { tasks_per_second: null, eta_seconds: null, recent: [] };
  return [
    jobRow({ job_id: 17, priority: 5 }),
    jobRow({
      job_id: 19,
      name: "thumbs-2026-11",
      owner: "bob",
      tasks: taskCounts({ queued: 8668, running: 32, completed: 1300 }),
      tasks_per_second: 140,
      eta_seconds: 62,
      retries: 1,
      recent: [0, 0, 0, 0, 0, 0, 0, 0, 20, 130, 138, 140],
    }),
    jobRow({
      job_id: 20,
      name: "nightly-etl",
      state: "paused",
      tasks: taskCounts({ queued: 96_400 }),
      retries: null,
      ...idle,
    }),
    jobRow({
      job_id: 21,
      name: "stream",
      state: "queued",
      inputs_open: true,
      tasks: taskCounts(),
      retries: 0,
      ...idle,
    }),
    jobRow({
      job_id: 22,
      name: "waits-for-20",
      state: "queued",
      tasks: taskCounts({ blocked: 12 }),
      retries: 0,
      ...idle,
    }),
    jobRow({
      job_id: 16,
      name: "fit-models",
      state: "failed",
      tasks: taskCounts({ completed: 4990, failed: 10 }),
      retries: 12,
      ...idle,
    }),
    jobRow({
      job_id: 15,
      name: "a-name-that-is-far-too-long-for-its-column-0042",
      state: "completed",
      tasks: taskCounts({ completed: 1_250_000 }),
      retries: 0,
      ...idle,
    }),
    jobRow({
      job_id: 14,
      name: "mistake",
      state: "cancelled",
      tasks: taskCounts({ completed: 3, cancelled: 97 }),
      retries: 0,
      ...idle,
    }),
  ];
}

function busyWorkers(): readonly WorkerRowView[] {
  return Array.from({ length: 12 }, (_, at) => {
    const worker_id = `w${String(at + 1).padStart(2, "0")}`;
    const base = { worker_id, cpu_percent: 90 + (at % 9), memory_percent: 57 + (at % 7) };
    const state = WORKER_STATES[at - 2];
    if (at < 2 || state === undefined || state === "up")
      return workerRow({ ...base, failed: at === 2 ? 9 : 0, memory_percent: at === 2 ? 88 : 61 });
    const isThere = state !== "lost" && state !== "gone";
    return workerRow({
      ...base,
      state,
      reason: state === "draining" ? "7 tasks left" : null,
      busy_slots: state === "draining" ? 7 : 0,
      tasks_per_second: isThere ? 31 : null,
      cpu_percent: isThere ? 22 : null,
      memory_percent: isThere ? 25 : null,
      heartbeat_age_seconds: isThere ? 0.3 : 48,
      jobs: state === "draining" ? [17] : [],
      recent: [],
    });
  });
}

/** A foreman that was just started: nothing to show, and what to do about it. */
export const emptyOverview = (): OverviewView =>
  overviewView({
    throughput: series(Array.from({ length: 60 }, () => null)),
    failures: series([]),
    rate: { now: null, average: null, peak: null },
    queue: { depth: 0, delayed: 0, blocked: 0, running: 0, trend: null, recent: [] },
    eta_seconds: null,
    failed_percent: null,
    run: { count: 0, p50: null, p95: null, p99: null, max: null, max_task_id: null },
    slots: { busy: 0, total: 0 },
    memory: { used_bytes: 0, total_bytes: 0 },
    job_states: { queued: 0, running: 0, paused: 0, completed: 0, failed: 0, cancelled: 0 },
    worker_states: { up: 0, draining: 0, paused: 0, "set aside": 0, lost: 0, gone: 0 },
    jobs: windowOf<JobRowView>([], jobRowId),
    workers: windowOf<WorkerRowView>([], workerRowId),
    events: [],
    why: { code: "no_workers", sentence: "no worker is connected", hint: "cc worker" },
  });

/** The worker of the design: 32 slots, two jobs, failures that have something in common. */
export const busyWorker = (): WorkerMonitorView =>
  workerMonitorView({
    worker: workerRow({
      worker_id: "w03",
      cpu_percent: 88,
      memory_percent: 88,
      failed: 9,
      busy_slots: 31,
      jobs: [17, 19],
      labels: { zone: "a", gpu: "none" },
    }),
    lanes: Array.from({ length: 32 }, (_, slot) => ({ slot, lane: laneOf(slot) })),
    tasks: windowOf(
      Array.from({ length: 31 }, (_, at) =>
        slotRow({
          slot: at,
          job_id: at % 5 === 4 ? 19 : 17,
          task_id: `${at % 5 === 4 ? 19 : 17}/${78_100 + at}`,
          attempt: at === 0 ? 2 : 1,
          running_seconds: at === 0 ? 9.2 : 0.2,
          cpu_percent: 90 + (at % 10),
          memory_bytes: at === 0 ? 3.1 * 1024 ** 3 : (400 + at) * 1024 ** 2,
          what: `blender -f ${78_100 + at} scene.blend`,
        }),
      ),
      slotRowId,
    ),
    recent_failures: Array.from({ length: 9 }, (_, at) => ({
      time: ago(17 + 19 * at),
      task_id: `17/${48_211 + at}`,
      code: "out_of_memory",
      message: "killed by the kernel: the machine had 2.9 GiB left",
    })),
    why: {
      code: "worker_fails",
      sentence: "9 of 12 failures of job 17 are on w03; memory 88 %.",
      hint: "cc drain w03",
    },
  });

/** A minute: mostly job `a`, a while of `b`, some idle seconds, now and then a failure. */
const laneOf = (slot: number): string =>
  Array.from({ length: 60 }, (_, second) => {
    if ((second * 7 + slot * 13) % 97 === 0) return "!";
    if ((second + slot * 5) % 29 < slot % 4) return ".";
    return second > 20 && second < 20 + (slot % 5) * 6 ? "b" : "a";
  }).join("");

const NUMBERS = [0, 1, 0.5, 9.949, 999.95, 1e9, 1e15, -3, Number.NaN, Number.POSITIVE_INFINITY];

/** Whatever somebody may have named things, and whatever the numbers are. */
export function randomOverview(random: Random): OverviewView {
  const any = chooser(random);
  return overviewView({
    throughput: series(any.values()),
    failures: series(any.values()),
    rate: { now: any.rate(), average: any.rate(), peak: any.rate() },
    queue: {
      depth: any.count(),
      delayed: any.count(),
      blocked: any.count(),
      running: any.count(),
      trend: any.rate(),
      recent: [any.number(), any.number()],
    },
    eta_seconds: any.rate(),
    failed_percent: any.rate(),
    slots: { busy: any.count(), total: any.count() },
    memory: { used_bytes: any.number(), total_bytes: any.number() },
    jobs: windowOf(
      Array.from({ length: random.below(30) }, (_, at) => randomJob(at, random)),
      jobRowId,
      { from: random.below(3), total: any.count() },
    ),
    workers: windowOf(
      Array.from({ length: random.below(30) }, (_, at) => randomWorkerRow(at, random)),
      workerRowId,
    ),
    events: Array.from({ length: random.below(20) }, (_, at) =>
      eventLine({
        seq: at,
        time: any.text(),
        sentence: any.text(),
        weight: random.pick(["plain", "notice", "bad"]),
      }),
    ),
    why: random.chance(0.3) ? { code: "x", sentence: any.text(), hint: any.text() } : null,
  });
}

function randomJob(at: number, random: Random): JobRowView {
  const any = chooser(random);
  const counts = Object.fromEntries(
    Object.keys(taskCounts()).map((state) => [state, any.count()]),
  ) as unknown as TaskCounts;
  return jobRow({
    job_id: at * random.pick([1, 1_000_003]),
    name: any.text(),
    owner: any.text(),
    queue: any.text(),
    state: random.pick<JobState>(JOB_STATES),
    inputs_open: random.chance(0.3),
    priority: any.count(),
    tasks: counts,
    tasks_per_second: any.rate(),
    eta_seconds: any.rate(),
    retries: any.count(),
    elapsed_seconds: any.number(),
    recent: [any.number(), any.number(), any.number()],
  });
}

export function randomWorkerRow(at: number, random: Random): WorkerRowView {
  const any = chooser(random);
  return workerRow({
    worker_id: `${at}${any.text()}`,
    host: any.text(),
    state: random.pick(WORKER_STATES),
    reason: random.chance(0.3) ? any.text() : null,
    slots: any.count(),
    busy_slots: any.count(),
    completed: any.count(),
    failed: any.count(),
    cpu_percent: any.rate(),
    memory_percent: any.rate(),
    memory_bytes: any.rate(),
    tasks_per_second: any.rate(),
    heartbeat_age_seconds: any.rate(),
    version: any.text(),
    jobs: Array.from({ length: random.below(9) }, () => any.count()),
    recent: [any.number(), any.number()],
    labels: { [any.text()]: any.text() },
    queues: [any.text()],
  });
}

export function randomWorker(random: Random): WorkerMonitorView {
  const any = chooser(random);
  return workerMonitorView({
    worker: { ...randomWorkerRow(3, random), worker_id: "w03" },
    cpu: series(any.values()),
    memory: series(any.values()),
    throughput: series(any.values()),
    round_trip_ms: any.rate(),
    lanes: Array.from({ length: random.pick([0, 1, 7, 256]) }, (_, slot) => ({
      slot,
      lane: laneOf(slot).slice(random.below(60)),
    })),
    lane_jobs: { a: { job_id: any.count(), name: any.text() }, Z: { job_id: 1, name: any.text() } },
    tasks: windowOf(
      Array.from({ length: random.below(40) }, (_, at) =>
        slotRow({
          slot: at,
          task_id: `${at}/${any.text()}`,
          attempt: any.count(),
          running_seconds: any.number(),
          cpu_percent: any.rate(),
          memory_bytes: any.rate(),
          what: any.text(),
        }),
      ),
      slotRowId,
    ),
    recent_failures: Array.from({ length: random.below(12) }, () => ({
      time: any.text(),
      task_id: any.text(),
      code: any.text(),
      message: any.text(),
    })),
    why: random.chance(0.5) ? { code: "x", sentence: any.text(), hint: null } : null,
  });
}

const TEXTS = hostileTexts(120, 5);

function chooser(random: Random) {
  const number = () => random.pick(NUMBERS);
  return {
    text: () => random.pick(TEXTS),
    number,
    count: () => random.pick([0, 1, 7, 9_999, 1e9]),
    rate: () => (random.chance(0.2) ? null : number()),
    values: () =>
      Array.from({ length: random.below(200) }, () => (random.chance(0.2) ? null : number())),
  };
}
