/**
 * The rules by which the record judges a change: results against who has the task and what really ran,
 * ends against the limits of the job, starts against back-offs, counters against tasks.
 */
import { type Ledger, taskName } from "./ledger.ts";
import type { RecordedJob, RecordedTask, SettledAs } from "./recorded.ts";
import { demand } from "./violation.ts";

export interface JudgedResult {
  readonly job: RecordedJob;
  readonly index: number;
  readonly attempt: number;
  readonly status: SettledAs;
  readonly code: string | null;
  readonly worker: string;
  readonly boot: string;
}

export interface JudgementParts {
  readonly ledger: () => Ledger;
  /** How far the foreman's wall clock had been set when it started. */
  readonly timeLineOffsetMs: () => number;
}

export interface Judgements {
  /** A task is about to be recorded as completed or failed. */
  result(task: RecordedTask, judged: JudgedResult): void;
  /** A task is about to be assigned. */
  backoff(task: RecordedTask, atMs: number, name: string): void;
  /** What the job's own row says must be what its tasks are. */
  counters(job: RecordedJob): void;
}

/** Ends that the foreman decides without a worker's word. */
const FOREMANS_CODES: ReadonlySet<string> = new Set([
  "max_fails",
  "all_failing",
  "dependency_failed",
  "submitter_lost",
  "cancelled",
]);

export function createJudgements(parts: JudgementParts): Judgements {
  function result(task: RecordedTask, judged: JudgedResult): void {
    const { job, index, attempt, status, code, worker, boot } = judged;
    const name = taskName(job.jobId, index);
    if (code === "poison") {
      demand(
        task.losses >= job.maxCrashesMin,
        `it is poison after ${task.losses} losses, and ${job.maxCrashesMin} are allowed`,
        name,
      );
      return;
    }
    if (code !== null && FOREMANS_CODES.has(code)) return;
    const held = task.assignment ?? task.left;
    demand(
      held !== null && held.worker === worker && held.boot === boot && held.attempt === attempt,
      `a result of attempt ${attempt} on ${worker} is recorded while ${held === null ? "nobody has it" : `attempt ${held.attempt} is on ${held.worker}`}`,
      name,
    );
    const execution = parts.ledger().find(job.jobId, index, attempt);
    // The foreman's own end of a time-out comes before the worker's.
    const isOurs = code === "timeout";
    demand(
      isOurs || (execution?.end === status && execution.worker === worker),
      `attempt ${attempt} is recorded as ${status} on ${worker}, and it was ${execution?.end ?? "never run"} on ${execution?.worker}`,
      name,
    );
    if (status !== "failed") return;
    const failures = task.failures + 1;
    demand(
      failures <= job.retriesMax + 1,
      `it has failed ${failures} times with ${job.retriesMax} retries`,
      name,
    );
    demand(
      execution?.isPermanent === true || failures >= job.retriesMin + 1,
      `it is given up after ${failures} failures, and ${job.retriesMin} retries are allowed`,
      name,
    );
  }

  function backoff(task: RecordedTask, atMs: number, name: string): void {
    const { notBefore } = task;
    task.notBefore = null;
    // A foreman that starts after its machine's clock was set cannot know how long it was away.
    if (notBefore === null || notBefore.timeLineOffsetMs !== parts.timeLineOffsetMs()) return;
    const earlyMs = notBefore.atMs - atMs;
    demand(earlyMs <= 0, `it is assigned ${earlyMs} ms before its back-off is over`, name);
  }

  function counters({ jobId, facts, tasks }: RecordedJob): void {
    const counts = { completed: 0, failed: 0, cancelled: 0 };
    for (const { settled } of tasks) if (settled) counts[settled.as]++;
    demand(
      facts.inputCount === tasks.length,
      `job ${jobId} says ${facts.inputCount} inputs of ${tasks.length}`,
    );
    for (const status of ["completed", "failed", "cancelled"] as const) {
      demand(
        facts[status] === counts[status],
        `job ${jobId} counts ${facts[status]} ${status} tasks, and ${counts[status]} are`,
      );
    }
    const settledCount = counts.completed + counts.failed + counts.cancelled;
    demand(
      facts.finishedAtMs === null || settledCount === tasks.length,
      `job ${jobId} has ended with ${tasks.length - settledCount} open tasks`,
    );
  }

  return { result, backoff, counters };
}
