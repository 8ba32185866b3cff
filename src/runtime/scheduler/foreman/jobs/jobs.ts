/**
 * How a job comes: the submission, its inputs in batches, their end. Every request may be sent again:
 * a known submission is found, not made twice, and inputs that are here are skipped.
 */
import { sliceValues, type ValueColumn, valueOffsets } from "../../../protocol/columns.ts";
import { asJobId, type JobId } from "../../../protocol/ids.ts";
import { JOB_TASKS_MAX } from "../../../protocol/limits.ts";
import {
  type CurrentStep,
  type EventOf,
  recordEvent,
  refuse,
  reply,
  touchJob,
} from "../current-step.ts";
import type { ReplyToken } from "../events.ts";
import type { JobFacts } from "../facts.ts";
import { addTasks, trimTasks } from "../queues/task-table.ts";
import { type LiveJob, submissionKey } from "../state.ts";
import { armJob } from "../timers.ts";
import { addDependencies, unknownDependency } from "./dependencies.ts";
import { noteInputs } from "./inputs.ts";
import { createLiveJob, factsOf } from "./live-job.ts";
import { noteAdded } from "./moves.ts";
import { isSameSubmission } from "./same-spec.ts";

type JobSubmitted = EventOf<"jobSubmitted">;
type TasksSubmitted = EventOf<"tasksSubmitted">;

export function onJobSubmitted(step: CurrentStep, event: JobSubmitted): void {
  const { state } = step;
  const known = state.submissions.get(submissionKey(event.owner, event.submissionId));
  if (known !== undefined) answerKnown(step, known, event);
  else if (event.count > JOB_TASKS_MAX) refuseTooMany(step, event.token);
  else {
    const missing = unknownDependency(state, event.spec.after);
    if (missing === null) createJob(step, event);
    else refuseDependency(step, event.token, missing);
  }
}

export function onTasksSubmitted(step: CurrentStep, event: TasksSubmitted): void {
  const { token, jobId, firstIndex, count } = event;
  const job = step.state.jobs.get(jobId);
  const held = job?.tasks.count ?? step.state.ended.get(jobId)?.inputCount;
  if (held === undefined) refuseUnknownJob(step, token, jobId);
  else if (firstIndex > held) {
    const message = `Job ${jobId} holds ${held} inputs, so input ${firstIndex} leaves a gap.`;
    refuse(step, token, { code: "input_gap", message, hint: `Send on from input ${held}.` });
  } else if (firstIndex + count <= held) {
    reply(step, token, { type: "tasksAccepted", jobId, nextIndex: held });
  } else if (!job || job.inputsClosedAtMs !== null) refuseClosed(step, token, jobId);
  else if (firstIndex + count > JOB_TASKS_MAX) refuseTooMany(step, token);
  else {
    appendInputs(step, job, event, held - firstIndex);
    reply(step, token, { type: "tasksAccepted", jobId, nextIndex: job.tasks.count });
  }
}

export function onInputsClosed(step: CurrentStep, event: EventOf<"inputsClosed">): void {
  const { token, jobId, count } = event;
  const job = step.state.jobs.get(jobId);
  const held = job?.tasks.count ?? step.state.ended.get(jobId)?.inputCount;
  if (held === undefined) {
    refuseUnknownJob(step, token, jobId);
    return;
  }
  if (held !== count) {
    const message = `Job ${jobId} holds ${held} inputs, not the ${count} that the submitter names.`;
    refuse(step, token, { code: "input_count_mismatch", message });
    return;
  }
  if (job && job.inputsClosedAtMs === null) closeInputs(step, job);
  reply(step, token, { type: "jobStatus", jobId, affected: 0, reopenSeq: null, note: null });
}

export function refuseUnknownJob(step: CurrentStep, token: ReplyToken | null, jobId: JobId): void {
  const message = `There is no job ${jobId}.`;
  refuse(step, token, { code: "no_such_job", message, hint: "cc jobs" });
}

function createJob(step: CurrentStep, event: JobSubmitted): void {
  const { state, atMs } = step;
  const { spec, owner, submissionId, resumable } = event;
  const jobId = asJobId(state.nextJobId++);
  const notBeforeMs = spec.delay_seconds > 0 ? atMs + spec.delay_seconds * 1000 : null;
  const job = createLiveJob(state, {
    jobId,
    owner,
    submissionId,
    resumable,
    createdAtMs: atMs,
    notBeforeMs,
    spec,
    taskCount: 0,
  });
  state.jobs.set(jobId, job);
  state.submissions.set(submissionKey(owner, submissionId), jobId);
  step.changes.push({ type: "jobCreated", facts: factsOf(job) });
  recordEvent(step, "job_submitted", {
    jobId,
    body: {
      name: spec.name,
      owner,
      queue: spec.queue,
      task_count: event.count,
      inputs_open: !event.close,
    },
  });
  if (event.count > 0) appendInputs(step, job, { ...event, firstIndex: 0 }, 0);
  if (event.close) endInputs(step, job);
  addDependencies(step, job);
  armJob(step, job);
  touchJob(step, job);
  reply(step, event.token, {
    type: "jobAccepted",
    jobId,
    nextIndex: job.tasks.count,
    inputCrc32: job.inputCrc32,
    existing: false,
  });
}

/** Inputs beyond those held; the `skipped` first ones are here already. */
function appendInputs(
  step: CurrentStep,
  job: LiveJob,
  event: Pick<TasksSubmitted, "firstIndex" | "count" | "values" | "inputCrc32">,
  skipped: number,
): void {
  const count = event.count - skipped;
  const firstIndex = event.firstIndex + skipped;
  const values: ValueColumn =
    skipped === 0
      ? event.values
      : sliceValues(event.values, skipped, event.count, valueOffsets(event.values, event.count));
  addTasks(job.tasks, count);
  noteAdded(job, count);
  noteInputs(job.inputs, { firstIndex, count, values }, step.atMs);
  job.inputCrc32 = event.inputCrc32;
  const { jobId } = job;
  step.changes.push({ type: "inputsAppended", jobId, firstIndex, count, values });
  touchJob(step, job);
  step.readyJobs.add(job);
}

function closeInputs(step: CurrentStep, job: LiveJob): void {
  endInputs(step, job);
  recordEvent(step, "inputs_closed", {
    jobId: job.jobId,
    body: { task_count: job.tasks.count },
  });
}

function endInputs(step: CurrentStep, job: LiveJob): void {
  job.inputsClosedAtMs = step.atMs;
  job.detachedUntilMs = null;
  trimTasks(job.tasks);
  touchJob(step, job);
  step.concludingJobs.add(job);
}

function answerKnown(step: CurrentStep, jobId: JobId, event: JobSubmitted): void {
  const { state } = step;
  const job = state.jobs.get(jobId);
  const facts: JobFacts | undefined = job ? factsOf(job) : state.ended.get(jobId);
  if (!facts || !isSameSubmission(facts, event.spec)) {
    const message = `The submission "${event.submissionId}" is job ${jobId} already, with other options or other code.`;
    const hint = "Submit it under another --idempotency-key.";
    refuse(step, event.token, { code: "idempotency_conflict", message, hint });
    return;
  }
  // Whoever asks for an open job again is its submitter.
  if (job) job.detachedUntilMs = null;
  const { inputCount: nextIndex, inputCrc32 } = facts;
  reply(step, event.token, { type: "jobAccepted", jobId, nextIndex, inputCrc32, existing: true });
}

function refuseTooMany(step: CurrentStep, token: ReplyToken): void {
  const message = `A job may have ${JOB_TASKS_MAX} tasks.`;
  refuse(step, token, { code: "too_many_tasks", message, hint: "Split it into several jobs." });
}

function refuseDependency(step: CurrentStep, token: ReplyToken, jobId: number): void {
  const message = `There is no job ${jobId} to wait for (--after ${jobId}).`;
  refuse(step, token, { code: "no_such_job", message, hint: "cc jobs" });
}

function refuseClosed(step: CurrentStep, token: ReplyToken, jobId: JobId): void {
  const ended = step.state.ended.get(jobId);
  const state = ended ? `has ended (${ended.state})` : "takes no more inputs";
  refuse(step, token, { code: "inputs_closed", message: `Job ${jobId} ${state}.` });
}
