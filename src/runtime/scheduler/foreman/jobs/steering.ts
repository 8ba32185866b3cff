/**
 * What people change of a job: options, pause, note, keep; cancel it or some tasks; forget it. All of
 * it is answered with what it did, and doing it twice is no error.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { JobPatch, JobSpec } from "../../../protocol/job-spec.ts";
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
import { revokeJob } from "../placement/revocation.ts";
import { TASK_RUNNING } from "../queues/task-table.ts";
import type { LiveJob } from "../state.ts";
import { armBackstop } from "../timers.ts";
import { forgetJob } from "./forget-job.ts";
import { refuseUnknownJob } from "./jobs.ts";
import { countOf } from "./live-job.ts";
import { changedSpec } from "./patch.ts";
import { queueEnded, unqueueEnded } from "./retention.ts";

export function onJobPatched(step: CurrentStep, event: EventOf<"jobPatched">): void {
  const { token, jobId, patch } = event;
  const job = step.state.jobs.get(jobId);
  if (job) {
    patchJob(step, job, patch);
    answer(step, token, jobId, null);
    return;
  }
  const facts = step.state.ended.get(jobId);
  if (facts) answer(step, token, jobId, patchEnded(step, facts, patch));
  else refuseUnknownJob(step, token, jobId);
}

export function onJobRemoved(step: CurrentStep, event: EventOf<"jobRemoved">): void {
  const { state } = step;
  const { token, jobId } = event;
  const facts = state.ended.get(jobId);
  if (facts) {
    unqueueEnded(state, jobId);
    forgetJob(step, facts, "request");
    reply(step, token, { type: "done", note: null });
  } else if (state.jobs.has(jobId)) {
    const message = `Job ${jobId} has not ended.`;
    refuse(step, token, { code: "job_unfinished", message, hint: `cc cancel ${jobId}` });
  } else refuseUnknownJob(step, token, jobId);
}

/** Also what a retry brings along. */
export function patchJob(step: CurrentStep, job: LiveJob, patch: JobPatch): void {
  const before = job.spec;
  const spec = changedSpec(before, patch);
  if (spec !== before) {
    job.spec = spec;
    job.specVersion++;
    recordChange(step, job.jobId, before, spec);
  }
  if (spec.priority !== before.priority) changePriority(step, job);
  job.isKept = patch.keep ?? job.isKept;
  if (patch.paused !== undefined && patch.paused !== job.isPaused)
    pauseJob(step, job, patch.paused);
  if (spec.timeout_seconds !== before.timeout_seconds) armBackstops(step, job);
  if (spec.work !== before.work) revokeJob(step, job, Number.POSITIVE_INFINITY);
  else if (spec.max_running !== before.max_running) revokeExcess(step, job);
  touchJob(step, job);
  step.readyJobs.add(job);
  step.concludingJobs.add(job);
}

function changePriority(step: CurrentStep, job: LiveJob): void {
  // In another level another time is kept.
  if (job.share.level === null) job.share.servedUs = 0;
  // What it has at workers may not count any more against what is now more urgent.
  for (const { session } of job.assignments) step.roomySessions.add(session);
}

function pauseJob(step: CurrentStep, job: LiveJob, paused: boolean): void {
  job.isPaused = paused;
  // What has begun goes on; what only waits at a worker comes back.
  if (paused) revokeJob(step, job, Number.POSITIVE_INFINITY);
  recordEvent(step, paused ? "job_paused" : "job_resumed", { jobId: job.jobId, body: {} });
}

function recordChange(step: CurrentStep, jobId: JobId, before: JobSpec, now: JobSpec): void {
  if (now === before) return;
  const options = Object.keys(now).filter(
    (key) => now[key as keyof JobSpec] !== before[key as keyof JobSpec],
  );
  recordEvent(step, "job_changed", { jobId, body: { options } });
}

function revokeExcess(step: CurrentStep, job: LiveJob): void {
  const { max_running: limit } = job.spec;
  if (limit !== null) revokeJob(step, job, countOf(job, TASK_RUNNING) - limit);
}

/** A time-out that came or became shorter holds for what runs, too. */
function armBackstops(step: CurrentStep, job: LiveJob): void {
  for (const assignment of job.assignments) {
    for (const row of assignment.startedAtMs.keys()) armBackstop(step, assignment, row);
  }
}

/** @returns what could not be done. */
function patchEnded(step: CurrentStep, facts: JobFacts, patch: JobPatch): string | null {
  const { name, note, keep, ...rest } = patch;
  const spec = changedSpec(facts.spec, {
    ...(name === undefined ? {} : { name }),
    ...(note === undefined ? {} : { note }),
  });
  const isChanged = spec !== facts.spec;
  const changed: JobFacts = {
    ...facts,
    spec,
    specVersion: facts.specVersion + (isChanged ? 1 : 0),
    keep: keep ?? facts.keep,
  };
  step.state.ended.set(facts.jobId, changed);
  if (changed.keep) unqueueEnded(step.state, facts.jobId);
  else queueEnded(step.state, changed);
  step.changes.push({ type: "jobChanged", facts: changed });
  recordChange(step, facts.jobId, facts.spec, spec);
  step.seenJobs.add(facts.jobId);
  return Object.keys(rest).length === 0
    ? null
    : `job ${facts.jobId} has ended (${facts.state}): only its name, note and keeping can change`;
}

function answer(step: CurrentStep, token: ReplyToken, jobId: JobId, note: string | null): void {
  reply(step, token, { type: "jobStatus", jobId, affected: 0, reopenSeq: null, note });
}
