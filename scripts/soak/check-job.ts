/**
 * Compares an ended job with its plan: every task settled as it must be, once, with its value, within
 * the attempts that failures and kills explain, and the job's counters equal to its tasks' states.
 */
import type { PlannedJob } from "./job-kinds.ts";

export interface SeenJob {
  readonly job: Readonly<Record<string, unknown>>;
  /** `cc tasks --json`. */
  readonly tasks: readonly Readonly<Record<string, unknown>>[];
  /** `cc results --format jsonl`. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** A broken job names a few of its tasks, not all. */
const EXAMPLES_MAX = 5;

/** @param killCount kills and other losses so far, each of which may cost a task an attempt. */
export function checkJob(planned: PlannedJob, seen: SeenJob, killCount: number): string[] {
  return [
    ...checkCounters(planned, seen),
    ...checkRows(planned, seen),
    ...checkAttempts(planned, seen, killCount),
  ].slice(0, EXAMPLES_MAX);
}

function* checkCounters({ taskCount }: PlannedJob, { job, tasks, rows }: SeenJob) {
  const counters = job["tasks"] as Readonly<Record<string, number>>;
  if (counters["total"] !== taskCount) yield `${counters["total"]} tasks, not ${taskCount}`;
  if (tasks.length !== taskCount) yield `${tasks.length} tasks are listed, not ${taskCount}`;
  if (rows.length !== taskCount) yield `${rows.length} results, not ${taskCount}`;
  const listed = new Map<string, number>();
  for (const { state } of tasks) listed.set(String(state), (listed.get(String(state)) ?? 0) + 1);
  for (const [state, counted] of Object.entries(counters)) {
    if (state === "total" || counted === (listed.get(state) ?? 0)) continue;
    yield `counts ${counted} ${state} and lists ${listed.get(state) ?? 0}`;
  }
}

function* checkRows(planned: PlannedJob, { rows }: SeenJob) {
  const seen = new Set<number>();
  for (const row of rows) {
    const index = Number(row["index"]);
    if (seen.has(index)) yield `task ${index} has two results`;
    seen.add(index);
    const { status, value } = planned.expected(index);
    const allowed = status.split(" or ");
    if (!allowed.includes(String(row["status"]))) {
      yield `task ${index} is ${row["status"]}, not ${status}`;
    } else if (row["status"] === "completed" && value !== undefined && row["value"] !== value) {
      yield `task ${index} returned ${JSON.stringify(row["value"])}, not ${JSON.stringify(value)}`;
    }
  }
}

function* checkAttempts(planned: PlannedJob, { tasks }: SeenJob, killCount: number) {
  const rounds = planned.meanwhile === "retry" ? 2 : 1;
  const attemptsMax = rounds * (1 + planned.retries) + killCount;
  for (const { index, attempts } of tasks) {
    if (Number(attempts) <= attemptsMax) continue;
    yield `task ${index} had ${attempts} attempts; ${attemptsMax} can be explained`;
  }
}
