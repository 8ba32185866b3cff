/**
 * Events about tasks: one a batch, never one a task, and no more of them a job than a bound. A million
 * failing tasks leave a thousand lines and a count.
 */
import type { EventBody, EventKind } from "../../../protocol/event-kinds.ts";
import type { WorkerId } from "../../../protocol/ids.ts";
import { type CurrentStep, recordEvent } from "../current-step.ts";
import { type EventAbout, type NamedTasks, nameTasks, onlyTask } from "../event-facts.ts";
import type { LiveJob, Worker } from "../state.ts";

/** Of one job since the foreman's start. */
export const TASK_EVENTS_PER_JOB_MAX = 1_000;
/** Of one worker, about jobs that are not live any more. */
const LOOSE_EVENTS_PER_WORKER_MAX = 1_000;

export interface TasksEvent<Kind extends EventKind> {
  readonly indexes: ArrayLike<number>;
  readonly workerId?: WorkerId;
  /** Made only when the event is recorded. */
  body(named: NamedTasks): EventBody<Kind>;
}

/** Nothing happens for no tasks. */
export function recordTasks<Kind extends EventKind>(
  step: CurrentStep,
  job: LiveJob,
  kind: Kind,
  { indexes, workerId, body }: TasksEvent<Kind>,
): void {
  if (indexes.length === 0) return;
  if (job.taskEvents >= TASK_EVENTS_PER_JOB_MAX) {
    job.taskEventsLeftOut++;
    if (job.taskEventsLeftOut > 1) return;
    recordEvent(step, "events_left_out", {
      jobId: job.jobId,
      body: { recorded: TASK_EVENTS_PER_JOB_MAX },
    });
    return;
  }
  job.taskEvents++;
  recordEvent(step, kind, {
    jobId: job.jobId,
    ...onlyTask(indexes),
    ...(workerId === undefined ? {} : { workerId }),
    body: body(nameTasks(indexes)),
  });
}

/** What a worker says of a job that has ended, or never was here. */
export function recordLoose<Kind extends EventKind>(
  step: CurrentStep,
  worker: Worker | null,
  kind: Kind,
  about: EventAbout<Kind>,
): void {
  if (worker !== null) {
    if (worker.looseEvents >= LOOSE_EVENTS_PER_WORKER_MAX) return;
    worker.looseEvents++;
  }
  recordEvent(step, kind, about);
}
