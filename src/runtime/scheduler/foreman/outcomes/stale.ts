/**
 * Results that did not pass the fence. What agrees with the record is a resend whose acknowledgement
 * was lost: silent. Everything else changes nothing, is named in the answer and leaves an event.
 */
import { indexAt, u32At } from "../../../protocol/columns.ts";
import type { CurrentStep, EventOf } from "../current-step.ts";
import { type NamedTasks, nameTasks, onlyTask } from "../event-facts.ts";
import type { HeldTasks } from "../events.ts";
import {
  TASK_ALONE,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_QUEUED,
} from "../queues/task-table.ts";
import type { Session } from "../state.ts";
import { recordLoose, recordTasks } from "./task-events.ts";

/**
 * @param unheld rows of the report.
 * @returns what the worker is told of.
 */
export function noteUnheld(
  step: CurrentStep,
  session: Session | null,
  event: EventOf<"attemptsReported">,
  unheld: Uint32Array,
): HeldTasks[] {
  const stale = unheld
    .filter((row) => !agreesWithRecord(step, session, event, row))
    .map((row) => indexAt(event.indexes, row));
  if (stale.length === 0) return [];
  if (session !== null) session.worker.stale += stale.length;
  recordStale(step, session, event, stale);
  return [{ assignmentId: event.assignmentId, indexes: stale }];
}

function recordStale(
  step: CurrentStep,
  session: Session | null,
  { jobId, assignmentId, bootId, status }: EventOf<"attemptsReported">,
  indexes: Uint32Array,
): void {
  const worker = session?.worker ?? null;
  const from = worker === null ? {} : { workerId: worker.workerId };
  const body = (named: NamedTasks) => ({
    ...named,
    assignment: assignmentId,
    boot: bootId,
    status,
  });
  const { jobs, ended } = step.state;
  const job = jobs.get(jobId);
  if (job) recordTasks(step, job, "stale_attempt", { ...from, indexes, body });
  else if (ended.has(jobId)) {
    const about = { jobId, ...from, ...onlyTask(indexes) };
    recordLoose(step, worker, "stale_attempt", { ...about, body: body(nameTasks(indexes)) });
  } else {
    // Under no job: with one that is forgotten, or never was, nobody would ever forget it.
    const named = { job_id: jobId, ...body(nameTasks(indexes)) };
    recordLoose(step, worker, "stale_attempt", { ...from, body: named });
  }
}

function agreesWithRecord(
  step: CurrentStep,
  session: Session | null,
  event: EventOf<"attemptsReported">,
  row: number,
): boolean {
  const job = step.state.jobs.get(event.jobId);
  // A job that ended took its tasks along. What a session from before our start sends again was
  // most likely recorded by the foreman before us; everybody else's reports have known numbers.
  if (job === undefined) return session?.isRecovered ?? false;
  const { state, attempt, count } = job.tasks;
  const index = indexAt(event.indexes, row);
  if (index >= count || u32At(event.attempts, row) !== attempt[index]) return false;
  const taskState = state[index] as number;
  if (event.status === "completed") return taskState === TASK_COMPLETED;
  // A waiting task's last attempt may have failed or have been lost with its worker: only of a session
  // from before our start is the first the likelier one, as others' reports have known numbers.
  return taskState === TASK_FAILED || (session?.isRecovered === true && waitsAgain(taskState));
}

/** Its last attempt is over and the next one has not begun. */
const waitsAgain = (taskState: number): boolean =>
  taskState === TASK_QUEUED || taskState === TASK_ALONE || taskState === TASK_DELAYED;
