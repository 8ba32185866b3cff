/**
 * A small made-up installation whose views can be asked for as a foreman's can, and that changes only when a
 * test says so: four jobs, twelve workers, some hundred tasks. Its clock is a number that steps move.
 */
import { CcError } from "../../../src/runtime/protocol/error.ts";
import type { View } from "../../../src/runtime/protocol/messages/client.ts";
import type {
  ErrorGroupRowView,
  EventLineView,
  JobRowView,
  OverviewView,
  SlotTaskView,
  TaskMonitorView,
  TaskRowView,
  WorkerMonitorView,
  WorkerRowView,
} from "../../../src/runtime/protocol/monitor-views.ts";
import {
  AT_MS,
  ago,
  attempt,
  errorGroup,
  eventLine,
  foremanView,
  jobMonitorView,
  jobRow,
  overviewView,
  slotRow,
  taskCounts,
  taskMonitorView,
  taskRow,
  workerMonitorView,
  workerRow,
} from "./fixtures.ts";
import { jobWindow, slotWindow, taskWindow, workerWindow } from "./windows.ts";

export interface MonitorWorld {
  atMs: number;
  /** Numbers are never given twice. */
  nextJobId: number;
  jobs: JobRowView[];
  workers: WorkerRowView[];
  /** The newest first. */
  events: EventLineView[];
  /** By job. */
  readonly tasks: Map<number, TaskRowView[]>;
  readonly errors: Map<number, ErrorGroupRowView[]>;
  /** What stands in a body beside its rows, where a test wants it otherwise. */
  overview: Partial<OverviewView>;
  readonly taskDetails: Map<string, Partial<TaskMonitorView>>;
  readonly workerDetails: Map<string, Partial<WorkerMonitorView>>;
}

export function createWorld(): MonitorWorld {
  return {
    atMs: AT_MS,
    nextJobId: 21,
    jobs: sampleJobs(),
    workers: sampleWorkers(),
    events: sampleEvents(),
    tasks: new Map([[17, sampleTasks()]]),
    errors: new Map([
      [17, [errorGroup(), enospc()]],
      [16, [errorGroup({ group_id: "g16", count: 10, task_id: "16/7", task_ids: ["16/7"] })]],
    ]),
    overview: {},
    taskDetails: new Map([["17/48211", { stderr_text: "Fra:48211 Mem:2911.20M", exit_code: 137 }]]),
    workerDetails: new Map(),
  };
}

/** @throws CcError as a foreman refuses what is not there. */
export function viewOf(world: MonitorWorld, view: View): object {
  switch (view.kind) {
    case "overview":
      return overviewOf(world, view);
    case "job_monitor":
      return jobOf(world, view);
    case "task_monitor":
      return taskOf(world, view.job_id, view.index);
    case "worker_monitor":
      return workerOf(world, view);
    case "foreman":
      return foremanView();
    case "last_job":
      return { job_id: world.jobs[0]?.job_id ?? null };
    case "jobs":
      return { jobs: world.jobs, more: 0 };
    case "workers":
      return { workers: world.workers };
    case "tasks":
      return { tasks: world.tasks.get(view.job_id)?.filter(hasState(view.states)) ?? [], more: 0 };
    default:
      throw new CcError({
        code: "unknown_view",
        message: `The made-up foreman has no view "${view.kind}".`,
      });
  }
}

const hasState =
  (states: readonly string[] | undefined) =>
  (task: TaskRowView): boolean =>
    states === undefined || states.includes(task.state);

function overviewOf(world: MonitorWorld, view: Extract<View, { kind: "overview" }>): object {
  return overviewView({
    at: new Date(world.atMs).toISOString(),
    ...world.overview,
    jobs: jobWindow(world.jobs, view.jobs),
    workers: workerWindow(world.workers, view.workers),
    events: world.events.slice(0, view.events),
  });
}

function jobOf(world: MonitorWorld, view: Extract<View, { kind: "job_monitor" }>): object {
  const job = findJob(world, view.job_id);
  return jobMonitorView({
    at: new Date(world.atMs).toISOString(),
    job,
    errors: world.errors.get(job.job_id) ?? [],
    tasks: taskWindow(world.tasks.get(job.job_id) ?? [], view.tasks),
  });
}

function taskOf(world: MonitorWorld, jobId: number, index: number): object {
  const job = findJob(world, jobId);
  const task = world.tasks.get(jobId)?.find((row) => row.index === index);
  if (task === undefined) throw missing("no_such_task", `task ${jobId}/${index}`);
  const failed = task.error !== null;
  return taskMonitorView({
    ...task,
    at: new Date(world.atMs).toISOString(),
    job,
    history: failed
      ? [attempt({ worker: task.worker ?? "w01" })]
      : [attempt({ attempt: 1, outcome: "completed", code: null, message: null })],
    input_text: JSON.stringify(String(index)),
    ...world.taskDetails.get(task.task_id),
  });
}

function workerOf(world: MonitorWorld, view: Extract<View, { kind: "worker_monitor" }>): object {
  const worker = world.workers.find((row) => row.worker_id === view.worker_id);
  if (worker === undefined) throw missing("no_such_worker", `worker ${view.worker_id}`);
  return workerMonitorView({
    at: new Date(world.atMs).toISOString(),
    worker,
    tasks: slotWindow(sampleSlots(), view.tasks),
    ...world.workerDetails.get(worker.worker_id),
  });
}

function findJob(world: MonitorWorld, jobId: number): JobRowView {
  const job = world.jobs.find((row) => row.job_id === jobId);
  if (job === undefined) throw missing("no_such_job", `job ${jobId}`);
  return job;
}

const missing = (code: string, what: string): CcError =>
  new CcError({ code, message: `There is no ${what}.`, hint: "See `cc jobs`.", exitCode: 2 });

function sampleJobs(): JobRowView[] {
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
      elapsed_seconds: 9.3,
      recent: [0, 0, 0, 0, 0, 0, 0, 0, 20, 130, 138, 140],
      created_at: ago(117),
    }),
    jobRow({
      job_id: 20,
      name: "nightly-etl",
      state: "paused",
      tasks: taskCounts({ queued: 96_400 }),
      retries: 0,
      why: { code: "paused", sentence: "job 20 is paused", hint: "cc resume 20" },
      ...idle,
    }),
    jobRow({
      job_id: 16,
      name: "fit-models",
      state: "failed",
      tasks: taskCounts({ completed: 4990, failed: 10 }),
      finished_at: ago(9),
      retries: 12,
      ...idle,
    }),
  ];
}

function sampleWorkers(): WorkerRowView[] {
  return Array.from({ length: 12 }, (_, at) => {
    const id = `w${String(at + 1).padStart(2, "0")}`;
    const normal = { worker_id: id, cpu_percent: 90 + (at % 9), memory_percent: 57 + (at % 7) };
    if (id === "w03")
      return workerRow({ ...normal, busy_slots: 31, failed: 9, memory_percent: 88 });
    if (id !== "w04") return workerRow({ ...normal, failed: at % 2 });
    return workerRow({
      ...normal,
      state: "draining",
      reason: "draining: 7 tasks left",
      busy_slots: 7,
      cpu_percent: 22,
      memory_percent: 25,
      tasks_per_second: 31,
    });
  });
}

function sampleEvents(): EventLineView[] {
  return [
    eventLine({
      seq: 903,
      time: ago(9),
      kind: "job_ended",
      job_id: 16,
      weight: "bad",
      sentence: "job 16 failed: 4,990 completed, 10 failed",
    }),
    eventLine({
      seq: 902,
      time: ago(27),
      kind: "worker_draining",
      job_id: null,
      worker: "w04",
      sentence: "w04 draining on request of ann",
    }),
    eventLine({ seq: 901, time: ago(117), sentence: "job 19 submitted by bob: 10,000 tasks" }),
  ];
}

function enospc(): ErrorGroupRowView {
  return errorGroup({
    group_id: "g2",
    code: "exit_status",
    message: "ENOSPC: no space left on /scratch",
    count: 3,
    task_id: "17/12",
    workers: ["w03", "w07"],
    last_at: ago(960),
    task_ids: ["17/12", "17/871", "17/9120"],
    by_worker: [
      { worker: "w03", count: 2 },
      { worker: "w07", count: 1 },
    ],
    exit_code: 1,
  });
}

function sampleTasks(): TaskRowView[] {
  const failed = [12, 871, 9120, 48_211].map((index) =>
    taskRow({
      index,
      state: "failed",
      attempts: 2,
      worker: "w03",
      run_seconds: 8.8,
      running_seconds: null,
      error: { code: "out_of_memory", message: "killed by the kernel: out of memory" },
    }),
  );
  const running = Array.from({ length: 200 }, (_, at) =>
    taskRow({
      index: 78_100 + at,
      worker: `w${String((at % 12) + 1).padStart(2, "0")}`,
      running_seconds: Math.round((at % 40) * 3) / 10,
    }),
  );
  return [...failed, ...running];
}

function sampleSlots(): readonly SlotTaskView[] {
  return Array.from({ length: 31 }, (_, slot) =>
    slotRow({
      slot,
      task_id: `17/${78_100 + slot}`,
      attempt: 1,
      running_seconds: Math.round((31 - slot) * 1.3) / 10,
      cpu_percent: 95 + (slot % 5),
      memory_bytes: (400 + slot) * 1024 ** 2,
      what: `blender -f ${78_100 + slot} scene.blend`,
    }),
  );
}
