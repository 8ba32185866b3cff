/** Jobs in the states that a screen must tell apart, from the busy one to the one that has nothing yet. */
import type { JobMonitorView, TaskRowView } from "../../../src/runtime/protocol/monitor-views.ts";
import {
  ago,
  errorGroup,
  jobMonitorView,
  jobRow,
  percentiles,
  series,
  taskCounts,
  taskRow,
  taskRowId,
  windowOf,
} from "./fixtures.ts";

const OUT_OF_MEMORY = {
  code: "out_of_memory",
  message: "killed by the kernel: the machine had 2.9 GiB left and tile 44 took 3.1 GiB",
};

/** Tasks that run, the one that takes longest first; it has failed before. */
export const runningTasks = (count: number): readonly TaskRowView[] =>
  Array.from({ length: count }, (_, at) =>
    taskRow({
      index: at === 0 ? 48_211 : 78_101 + at,
      worker: at === 0 ? "w03" : `w0${1 + (at % 7)}`,
      attempts: at === 0 ? 2 : 1,
      running_seconds: at === 0 ? 9.2 : 0.4,
      error: at === 0 ? OUT_OF_MEMORY : null,
      input: JSON.stringify(`scene-${at}.blend`),
    }),
  );

/** The job of the design: 100,000 tasks, most of its errors on one worker. */
export const busyJob = (): JobMonitorView =>
  jobMonitorView({
    errors: [
      errorGroup({ message: OUT_OF_MEMORY.message }),
      errorGroup({
        group_id: "g2",
        code: "exit_status",
        exit_code: 1,
        message: "ENOSPC: no space left on device, write '/scratch/tile'",
        count: 3,
        workers: ["w03", "w07"],
        by_worker: [
          { worker: "w03", count: 2 },
          { worker: "w07", count: 1 },
        ],
        task_ids: ["17/12", "17/871", "17/9120"],
        last_at: ago(1020),
      }),
    ],
    failures_grouped: 12,
    tasks: windowOf(runningTasks(60), taskRowId, { matching: 340, total: 100_000 }),
    advice: {
      code: "one_worker",
      sentence: "9 of 12 failures are on w03, whose memory is at 88 %.",
      hint: "cc drain w03",
    },
  });

/** Nothing runs, and it says why. */
export const waitingJob = (): JobMonitorView => {
  const tasks = taskCounts({ queued: 12 });
  return jobMonitorView({
    job: jobRow({
      name: "needs-a-gpu",
      tasks,
      state: "queued",
      tasks_per_second: null,
      eta_seconds: null,
      retries: 0,
      recent: [],
      why: {
        code: "no_matching_worker",
        sentence: "No worker offers gpu=1 (4 connected).",
        hint: "cc worker --resource gpu=1",
      },
    }),
    rate: { now: null, average: null, peak: null },
    run: percentiles({ count: 0, p50: null, p95: null, p99: null, max: null, max_task_id: null }),
    wait: percentiles({ count: 0, p50: null, p95: null, p99: null, max: null, max_task_id: null }),
    slots: { busy: 0, total: 16 },
    throughput: series([]),
    failures: series([]),
    grid: { cell_tasks: 1, marks: ".".repeat(12), done: "0".repeat(12) },
    errors: [],
    failures_grouped: 0,
    tasks: windowOf(
      Array.from({ length: 12 }, (_, index) =>
        taskRow({ index, state: "queued", attempts: 0, worker: null, running_seconds: null }),
      ),
      taskRowId,
    ),
  });
};

/** Ended with a failure, a cancelled task and one that was delayed until the end. */
export const failedJob = (): JobMonitorView => {
  const tasks = taskCounts({ completed: 17, failed: 2, cancelled: 1 });
  const states = { 3: "failed", 8: "cancelled", 11: "failed" } as const;
  return jobMonitorView({
    job: jobRow({
      name: "squares",
      state: "failed",
      tasks,
      tasks_per_second: null,
      eta_seconds: null,
      finished_at: ago(2),
      retries: 4,
    }),
    rate: { now: null, average: 12, peak: 20 },
    slots: { busy: 0, total: 16 },
    grid: {
      cell_tasks: 1,
      marks: Array.from({ length: 20 }, (_, at) =>
        at === 3 || at === 11 ? "F" : at === 8 ? "X" : ".",
      ).join(""),
      done: "9".repeat(20),
    },
    errors: [
      errorGroup({
        code: "error",
        message: "cannot square 3",
        exit_code: null,
        place: "squares.ts:5:24",
        count: 2,
        workers: ["w01", "w02"],
        by_worker: [
          { worker: "w01", count: 1 },
          { worker: "w02", count: 1 },
        ],
        task_ids: ["17/3", "17/11"],
      }),
    ],
    failures_grouped: 2,
    tasks: windowOf(
      Array.from({ length: 20 }, (_, index) => {
        const state = states[index as keyof typeof states] ?? "completed";
        const error = { code: "error", message: `cannot square ${index}` };
        return taskRow({
          index,
          state,
          worker: `w0${1 + (index % 2)}`,
          running_seconds: null,
          run_seconds: 0.012 * (index + 1),
          attempts: state === "failed" ? 3 : 1,
          error: state === "failed" ? error : null,
        });
      }),
      taskRowId,
    ),
  });
};

/** Just submitted; its inputs still come. */
export const openJob = (): JobMonitorView => {
  const waiting = waitingJob();
  const tasks = taskCounts({});
  return {
    ...waiting,
    job: { ...waiting.job, name: "stream", inputs_open: true, tasks, why: null },
    counts: tasks,
    grid: { cell_tasks: 1, marks: "", done: "" },
    tasks: windowOf<TaskRowView>([], taskRowId),
  };
};
