/**
 * Rows and bodies of the monitor's views, each complete with what a test did not name: a calm moment of a
 * small installation at a fixed instant. Times never come from a clock.
 */
import type {
  ErrorGroupRowView,
  EventLineView,
  GridView,
  JobMonitorView,
  JobRowView,
  LaneView,
  OverviewView,
  PercentilesView,
  SeriesView,
  SlotTaskView,
  TaskMonitorView,
  TaskRowView,
  WindowView,
  WorkerMonitorView,
  WorkerRowView,
} from "../../../src/runtime/protocol/monitor-views.ts";
import type {
  AttemptView,
  ForemanView,
  JobView,
  TaskCounts,
  WorkerView,
} from "../../../src/runtime/protocol/views.ts";

/** The instant of every fixture. */
export const AT = "2026-11-22T14:22:07.000Z";
export const AT_MS = Date.parse(AT);

/** So many seconds before the fixtures' instant (or before another). */
export const ago = (seconds: number, at = AT): string =>
  new Date(Date.parse(at) - seconds * 1000).toISOString();

export function taskCounts(counts: Partial<Omit<TaskCounts, "total">> = {}): TaskCounts {
  const all = {
    blocked: 0,
    queued: 0,
    delayed: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
  };
  const given = { ...all, ...counts };
  return { total: Object.values(given).reduce((sum, count) => sum + count, 0), ...given };
}

export const series = (values: readonly (number | null)[], stepSeconds = 2): SeriesView => ({
  step_seconds: stepSeconds,
  until: AT,
  values,
});

export const percentiles = (changes: Partial<PercentilesView> = {}): PercentilesView => ({
  count: 4000,
  p50: 0.18,
  p95: 0.41,
  p99: 0.9,
  max: 9.2,
  max_task_id: "17/48211",
  ...changes,
});

/** All rows, in their order, as one window that begins at the first. */
export function windowOf<Row>(
  rows: readonly Row[],
  idOf: (row: Row) => string,
  changes: Partial<WindowView<Row>> = {},
): WindowView<Row> {
  return {
    total: rows.length,
    matching: rows.length,
    from: 0,
    order: rows.map(idOf),
    rows: Object.fromEntries(rows.map((row) => [idOf(row), row])),
    anchor_at: null,
    ...changes,
  };
}

export const jobRowId = (row: JobRowView): string => String(row.job_id);
export const workerRowId = (row: WorkerRowView): string => row.worker_id;
export const taskRowId = (row: TaskRowView): string => row.task_id;
export const slotRowId = (row: SlotTaskView): string => row.task_id;

export function jobView(changes: Partial<JobView> = {}): JobView {
  return {
    job_id: 17,
    name: "render-frames",
    owner: "ann",
    state: "running",
    inputs_open: false,
    queue: "default",
    priority: 0,
    tasks: taskCounts({ queued: 21_548, running: 340, completed: 78_100, failed: 12 }),
    tasks_per_second: 1700,
    eta_seconds: 13,
    created_at: ago(61),
    finished_at: null,
    note: null,
    keep: false,
    ...changes,
  };
}

export function jobRow(changes: Partial<JobRowView> = {}): JobRowView {
  return {
    ...jobView(),
    retries: 48,
    recent: [1500, 1610, 1580, 1700, 1720, 1690, 1650, 1700, 1740, 1710, 1690, 1700],
    elapsed_seconds: 61,
    why: null,
    ...changes,
  };
}

export function workerRow(changes: Partial<WorkerRowView> = {}): WorkerRowView {
  const id = changes.worker_id ?? "w01";
  return {
    worker_id: id,
    state: "up",
    reason: null,
    slots: 32,
    busy_slots: 32,
    running: 96,
    prefetched: 64,
    completed: 12_040,
    failed: 1,
    refused: 0,
    cpu_percent: 98,
    memory_percent: 61,
    heartbeat_age_seconds: 0.4,
    connected_at: ago(3600),
    jobs: [17],
    host: `node-${id.replace(/\D/g, "") || "1"}.lan`,
    version: "0.1.0",
    memory_bytes: 256 * 1024 ** 3,
    tasks_per_second: 168,
    recent: [150, 161, 158, 170, 172, 169, 165, 170, 174, 171, 169, 168],
    queues: ["*"],
    labels: {},
    ...changes,
  };
}

export function taskRow(changes: Partial<TaskRowView> = {}): TaskRowView {
  const index = changes.index ?? 48_211;
  return {
    task_id: `17/${index}`,
    index,
    state: "running",
    attempts: 1,
    worker: "w03",
    run_seconds: null,
    error: null,
    running_seconds: 0.4,
    attempts_allowed: 3,
    ...changes,
  };
}

export function slotRow(changes: Partial<SlotTaskView> = {}): SlotTaskView {
  return {
    slot: 14,
    job_id: 17,
    task_id: "17/48211",
    attempt: 2,
    running_seconds: 9.2,
    cpu_percent: 99,
    memory_bytes: 3.1 * 1024 ** 3,
    what: "blender -f 48211 scene.blend",
    ...changes,
  };
}

export function eventLine(changes: Partial<EventLineView> = {}): EventLineView {
  return {
    seq: 1,
    time: ago(30),
    kind: "job_submitted",
    job_id: 19,
    task_id: null,
    worker: null,
    weight: "notice",
    sentence: "job 19 submitted by bob: 10,000 tasks",
    ...changes,
  };
}

export function errorGroup(changes: Partial<ErrorGroupRowView> = {}): ErrorGroupRowView {
  return {
    group_id: "g1",
    code: "out_of_memory",
    message: "killed by the kernel: out of memory",
    place: null,
    count: 9,
    task_id: "17/48211",
    workers: ["w03"],
    last_at: ago(17),
    task_ids: ["17/48211", "17/50233"],
    by_worker: [{ worker: "w03", count: 9 }],
    exit_code: 137,
    ...changes,
  };
}

export function attempt(changes: Partial<AttemptView> = {}): AttemptView {
  return {
    attempt: 1,
    outcome: "failed",
    code: "out_of_memory",
    message: "killed by the kernel: out of memory",
    stack: null,
    worker: "w03",
    run_seconds: 8.8,
    ended_at: ago(17),
    ...changes,
  };
}

export function foremanView(changes: Partial<ForemanView> = {}): ForemanView {
  return {
    foreman_id: "f-1",
    url: "ws://127.0.0.1:9000",
    store: "/var/lib/crowdcompute",
    version: "0.1.0",
    started_at: ago(3 * 86_400 + 4 * 3600),
    only_followed: false,
    connected_workers: 12,
    slots: 384,
    unfinished_jobs: 3,
    active_tasks: 372,
    queued_tasks: 126_640,
    completed_tasks: 84_400,
    failed_tasks: 22,
    tasks_per_second: 1840,
    ...changes,
  };
}

/** A wave, so that charts have a shape. */
export const wave = (length: number, middle: number, swing: number): readonly number[] =>
  Array.from({ length }, (_, at) => Math.round(middle + swing * Math.sin(at / 4)));

export function overviewView(changes: Partial<OverviewView> = {}): OverviewView {
  return {
    at: AT,
    foreman: foremanView(),
    throughput: series(wave(60, 1750, 250)),
    failures: series(Array.from({ length: 60 }, (_, at) => (at === 40 ? 5 : 0))),
    rate: { now: 1840, average: 1790, peak: 2010 },
    queue: {
      depth: 126_640,
      delayed: 12,
      blocked: 0,
      running: 372,
      trend: -412,
      recent: wave(24, 130_000, 3000),
    },
    eta_seconds: 70,
    failed_percent: 0.2,
    run: percentiles(),
    slots: { busy: 372, total: 384 },
    memory: { used_bytes: 5.1 * 1024 ** 4, total_bytes: 8.4 * 1024 ** 4 },
    job_states: { queued: 0, running: 2, paused: 1, completed: 30, failed: 1, cancelled: 3 },
    worker_states: { up: 11, draining: 1, paused: 0, "set aside": 0, lost: 0, gone: 0 },
    jobs: windowOf([jobRow()], jobRowId),
    workers: windowOf([workerRow()], workerRowId),
    events: [eventLine()],
    why: null,
    ...changes,
  };
}

export const grid = (changes: Partial<GridView> = {}): GridView => ({
  cell_tasks: 430,
  marks: `${".".repeat(37)}F${".".repeat(64)}F${".".repeat(77)}${"R".repeat(3)}${".".repeat(50)}`,
  done: `${"9".repeat(180)}4${"0".repeat(52)}`,
  ...changes,
});

export function jobMonitorView(changes: Partial<JobMonitorView> = {}): JobMonitorView {
  const job = changes.job ?? jobRow();
  return {
    at: AT,
    job,
    what: "blender -f {} scene.blend",
    submitted_from: "ann@desk:/home/ann/scene",
    counts: job.tasks,
    throughput: series(wave(60, 1600, 200)),
    failures: series(Array.from({ length: 60 }, (_, at) => (at === 40 ? 5 : 0))),
    rate: { now: 1700, average: 1650, peak: 1900 },
    run: percentiles(),
    wait: percentiles({ p50: 2.1, p95: 4.4, p99: 5, max: 6.1, max_task_id: "17/12" }),
    slots: { busy: 340, total: 384 },
    grid: grid(),
    errors: [errorGroup()],
    failures_grouped: 9,
    tasks: windowOf([taskRow()], taskRowId),
    advice: null,
    ...changes,
  };
}

export function taskMonitorView(changes: Partial<TaskMonitorView> = {}): TaskMonitorView {
  return {
    ...taskRow({ attempts: 2 }),
    at: AT,
    job: jobView(),
    history: [
      attempt(),
      attempt({
        attempt: 2,
        outcome: "running",
        code: null,
        message: null,
        run_seconds: null,
        ended_at: null,
      }),
    ],
    not_before: null,
    running_seconds: 9.2,
    why: null,
    input_text: '"48211"',
    input_bytes: 7,
    result_text: null,
    result_bytes: null,
    stderr_text: "Fra:48211 Mem:2911.20M (Peak 3104.11M)",
    exit_code: null,
    signal: null,
    log: { lines: 4812, bytes: 2_100_000 },
    ...changes,
  };
}

export const workerOffer = (changes: Partial<WorkerView["offer"]> = {}): WorkerView["offer"] => ({
  slots: 32,
  queues: ["*"],
  roles: [],
  labels: { zone: "a" },
  resources: {},
  memory_bytes: 256 * 1024 ** 3,
  queue_size: null,
  time_left_ms: null,
  sandbox: "process",
  host: "node-03.lan",
  platform: "linux-x64",
  version: "0.1.0",
  pid: 4711,
  ...changes,
});

/** Slots 0 to 3, a minute each; `a` is job 17. */
export const lanes = (): readonly LaneView[] =>
  Array.from({ length: 4 }, (_, slot) => ({
    slot,
    lane: `${"a".repeat(20 + slot)}${".".repeat(slot)}!${"b".repeat(39 - 2 * slot)}`,
  }));

export function workerMonitorView(changes: Partial<WorkerMonitorView> = {}): WorkerMonitorView {
  return {
    at: AT,
    worker: workerRow({ worker_id: "w03" }),
    offer: workerOffer(),
    cpu: series(wave(60, 88, 8)),
    memory: series(wave(60, 80, 10)),
    throughput: series(wave(60, 150, 20)),
    failures: series(Array.from({ length: 60 }, (_, at) => (at === 40 ? 2 : 0))),
    busy: series(wave(60, 30, 2)),
    round_trip_ms: 0.3,
    lanes: lanes(),
    lane_jobs: {
      a: { job_id: 17, name: "render-frames" },
      b: { job_id: 19, name: "thumbs-2026-11" },
    },
    tasks: windowOf([slotRow()], slotRowId),
    recent_failures: [
      {
        time: ago(17),
        task_id: "17/48211",
        code: "out_of_memory",
        message: "killed by the kernel",
      },
    ],
    why: null,
    ...changes,
  };
}
