/**
 * The foreman's start: everything stored is taken into the memory. Assignments stand, every session
 * that holds some has a full lease from now on, and what workers present is adopted when they return.
 */
import { compactIndexes, compactU32, expandIndexes, u32At } from "../../protocol/columns.ts";
import { type CurrentStep, recordEvent } from "./current-step.ts";
import type { AssignmentFacts, StoredState } from "./facts.ts";
import { renewDependencies } from "./jobs/dependencies.ts";
import { moveTask } from "./jobs/moves.ts";
import { delayRetention, queueEnded } from "./jobs/retention.ts";
import { reviveJob } from "./jobs/revive.ts";
import { detachSubmitter } from "./jobs/submitter.ts";
import { holdAssignment } from "./outcomes/assignments.ts";
import { chargeUs } from "./placement/charge.ts";
import { dropStaleDelays } from "./queues/ready-queue.ts";
import { isSettledState, TASK_RUNNING } from "./queues/task-table.ts";
import { realign } from "./realign.ts";
import { createSession } from "./sessions/sessions.ts";
import { rememberWorker } from "./sessions/workers.ts";
import { type LiveJob, type Session, submissionKey } from "./state.ts";
import { armJob, armSession, armWorker } from "./timers.ts";

/** A clock that is so little behind was only corrected. */
const CLOCK_BACK_TOLD_MS = 1_000;

export function takeStored(step: CurrentStep, found: StoredState): void {
  const { state } = step;
  const { stored, backMs, changes } = realign(found, step.atMs);
  step.changes.push(...changes);
  state.nextJobId = stored.nextJobId;
  state.totals.series.sinceMs = step.atMs;
  for (const facts of stored.ended) {
    state.ended.set(facts.jobId, facts);
    state.submissions.set(submissionKey(facts.owner, facts.submissionId), facts.jobId);
    queueEnded(state, facts);
  }
  for (const worker of stored.workers) armWorker(step, rememberWorker(step, worker));
  for (const job of stored.jobs) {
    const revived = reviveJob(state, job);
    state.jobs.set(revived.jobId, revived);
    state.submissions.set(submissionKey(revived.owner, revived.submissionId), revived.jobId);
  }
  for (const facts of stored.assignments) takeAssignment(step, facts);
  for (const job of state.jobs.values()) resumeJob(step, job);
  delayRetention(step);
  recordEvent(step, "foreman_started", {
    body: { jobs: state.jobs.size, assignments: state.assignments.size },
  });
  if (backMs < CLOCK_BACK_TOLD_MS) return;
  recordEvent(step, "clock_went_back", { body: { seconds: Math.round(backMs / 1000) } });
}

function resumeJob(step: CurrentStep, job: LiveJob): void {
  // Where the clock went back, a task that runs already has a back-off that seems to last.
  dropStaleDelays(job);
  renewDependencies(step.state, job);
  detachSubmitter(step, job);
  armJob(step, job);
  step.readyJobs.add(job);
  step.concludingJobs.add(job);
}

function takeAssignment(step: CurrentStep, facts: AssignmentFacts): void {
  const job = step.state.jobs.get(facts.jobId);
  const session = job ? findSession(step, facts) : null;
  const live = job && session ? selectLive(job, facts) : null;
  if (!job || !session || !live) {
    const { assignmentId } = facts;
    step.changes.push({ type: "assignmentShrunk", assignmentId, remaining: null });
    return;
  }
  holdAssignment(step, { session, job, chargedUs: chargeUs(job) }, live);
}

/** Unsettled tasks whose attempt under this assignment has not ended yet; they become running. */
function selectLive(job: LiveJob, facts: AssignmentFacts): AssignmentFacts | null {
  const { tasks } = job;
  const indexes: number[] = [];
  const attempts: number[] = [];
  expandIndexes(facts.indexes, facts.count).forEach((index, row) => {
    const attempt = u32At(facts.attempts, row);
    const taskState = tasks.state[index];
    if (taskState === undefined || isSettledState(taskState) || taskState === TASK_RUNNING) return;
    if (attempt <= (tasks.attempt[index] as number)) return;
    moveTask(job, index, TASK_RUNNING);
    tasks.attempt[index] = attempt;
    indexes.push(index);
    attempts.push(attempt);
  });
  if (indexes.length === 0) return null;
  return {
    ...facts,
    count: indexes.length,
    indexes: compactIndexes(Uint32Array.from(indexes)),
    attempts: compactU32(Uint32Array.from(attempts)),
  };
}

/** A boot that held tasks may come back; its lease begins now. */
function findSession(step: CurrentStep, { bootId, workerId }: AssignmentFacts): Session | null {
  const { state, atMs } = step;
  const known = state.sessions.get(bootId);
  if (known) return known;
  const worker = state.workers.get(workerId);
  if (!worker) return null;
  const session = createSession(worker, { bootId, isRecovered: true });
  session.leaseEndsAtMs = atMs + state.options.leaseMs;
  state.sessions.set(bootId, session);
  armSession(step, session);
  return session;
}
