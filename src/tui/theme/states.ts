/**
 * How states look: the contract's letters for jobs and tasks, words for workers, each with its style. The
 * letter or word says it all; the style only repeats it.
 */
import type {
  AttemptView,
  JobState,
  TaskState,
  WorkerState,
} from "../../runtime/protocol/views.ts";
import type { Style } from "./theme.ts";

export interface StateLook {
  readonly letter: string;
  readonly word: string;
  readonly style: Style;
}

const JOB_LOOKS: Readonly<Record<JobState, StateLook>> = {
  queued: { letter: "Q", word: "queued", style: "queued" },
  running: { letter: "R", word: "running", style: "running" },
  paused: { letter: "P", word: "paused", style: "paused" },
  completed: { letter: "C", word: "completed", style: "completed" },
  failed: { letter: "F", word: "failed", style: "failed" },
  cancelled: { letter: "X", word: "cancelled", style: "cancelled" },
};

const OPEN: StateLook = { letter: "O", word: "open", style: "queued" };

const TASK_LOOKS: Readonly<Record<TaskState, StateLook>> = {
  blocked: { letter: "B", word: "blocked", style: "dim" },
  queued: { letter: "Q", word: "queued", style: "queued" },
  delayed: { letter: "Y", word: "delayed", style: "delayed" },
  running: { letter: "R", word: "running", style: "running" },
  completed: { letter: "C", word: "completed", style: "completed" },
  failed: { letter: "F", word: "failed", style: "failed" },
  cancelled: { letter: "X", word: "cancelled", style: "cancelled" },
};

const WORKER_STYLES: Readonly<Record<WorkerState, Style>> = {
  up: "good",
  draining: "delayed",
  paused: "paused",
  "set aside": "failed",
  lost: "lost",
  gone: "dim",
};

const OUTCOME_STYLES: Readonly<Record<AttemptView["outcome"], Style>> = {
  completed: "completed",
  failed: "failed",
  lost: "lost",
  cancelled: "cancelled",
  aborted: "cancelled",
  running: "running",
};

/** A job whose inputs still come and that has nothing to run is open; else its state is told. */
export function jobLook(job: {
  readonly state: JobState;
  readonly inputs_open: boolean;
}): StateLook {
  return job.inputs_open && job.state === "queued" ? OPEN : JOB_LOOKS[job.state];
}

export const taskLook = (state: TaskState): StateLook => TASK_LOOKS[state];

export const workerStyle = (state: WorkerState): Style => WORKER_STYLES[state];

export const outcomeStyle = (outcome: AttemptView["outcome"]): Style => OUTCOME_STYLES[outcome];

/** For the foot of the help: every letter with its word. */
export const STATE_LETTERS: readonly StateLook[] = [
  OPEN,
  TASK_LOOKS.blocked,
  TASK_LOOKS.queued,
  TASK_LOOKS.delayed,
  TASK_LOOKS.running,
  JOB_LOOKS.paused,
  TASK_LOOKS.completed,
  TASK_LOOKS.failed,
  TASK_LOOKS.cancelled,
];
