/**
 * Why a job, a task or a worker stands where it stands: one sentence that names the values, and what
 * to type. The order of the questions is the order in which a person would ask them.
 */
import type { JobId, WorkerId } from "../../../protocol/ids.ts";
import type { WhyView } from "../../../protocol/views.ts";
import { isWanted } from "../jobs/following.ts";
import { countOf, isBlocked, queuedCount, settledCount } from "../jobs/live-job.ts";
import { attemptOfRow, rowOfIndex } from "../outcomes/assignments.ts";
import { isHeldByStorage } from "../placement/storage.ts";
import { mustRunAlone } from "../queues/ready-queue.ts";
import {
  TASK_CANCELLED,
  TASK_COMPLETED,
  TASK_DELAYED,
  TASK_FAILED,
  TASK_RUNNING,
} from "../queues/task-table.ts";
import { earliestAtMs } from "../queues/time-heap.ts";
import { delayedUntil, findAssignmentOf } from "../selectors.ts";
import type { ForemanState, LiveJob, Session, Worker } from "../state.ts";
import { whyNotPlaced } from "./explain-placement.ts";
import { formatDuration, percentText, plural } from "./wording.ts";

/** Why the job does not go on, or how it does. */
export function whyJob(state: ForemanState, jobId: JobId): WhyView {
  const job = state.jobs.get(jobId);
  if (!job) return whyEnded(state, jobId);
  return whyHeld(state, job) ?? whyQueuedJob(state, job);
}

/** Why the task does not run, or where it does. */
export function whyTask(state: ForemanState, jobId: JobId, index: number): WhyView {
  const job = state.jobs.get(jobId);
  if (!job) return whyEnded(state, jobId);
  const task = `Task ${jobId}/${index}`;
  const taskState = job.tasks.state[index];
  if (taskState === undefined || index >= job.tasks.count) {
    return why("no_such_task", `Job ${jobId} has ${job.tasks.count} tasks.`, `cc tasks ${jobId}`);
  }
  switch (taskState) {
    case TASK_COMPLETED:
      return why("completed", `${task} has completed.`, null);
    case TASK_FAILED:
      return why("failed", `${task} has failed.`, `cc tasks ${jobId}/${index}`);
    case TASK_CANCELLED:
      return why("cancelled", `${task} was cancelled.`, `cc retry ${jobId}/${index}`);
    case TASK_RUNNING:
      return whyRunning(state, job, index);
    case TASK_DELAYED:
      return whyDelayed(state, job, index);
    default:
      return whyHeld(state, job) ?? whyQueuedTask(state, job, index);
  }
}

/** Why the worker idles, or what it does. */
export function whyWorker(state: ForemanState, workerId: WorkerId): WhyView {
  const worker = state.workers.get(workerId);
  if (!worker) return why("no_such_worker", `There is no worker "${workerId}".`, "cc workers");
  const session = state.sessions.get(worker.bootId);
  const unserving = whyUnserving(state, worker, session ?? null);
  if (unserving !== null || !session) return unserving ?? lostWorker(state, worker);
  if (session.heldTasks > 0) {
    const jobs = [...session.holdings.keys()].slice(0, 5).join(", ");
    const sentence = `Worker ${workerId} holds ${plural(session.heldTasks, "task")} of job ${jobs} on ${plural(session.offer.slots, "slot")}.`;
    return why("working", sentence, null);
  }
  if (session.fencedSlots > 0) {
    return why("clearing", `Worker ${workerId} ends the processes of cancelled tasks.`, null);
  }
  return whyIdle(state, session);
}

/** What keeps the whole job from starting anything, whoever is connected; null: nothing. */
function whyHeld(state: ForemanState, job: LiveJob): WhyView | null {
  const { jobId } = job;
  if (isHeldByStorage(state)) return whyStorageFull(state);
  if (job.isPaused) return why("paused", `Job ${jobId} is paused.`, `cc resume ${jobId}`);
  const [dependency] = job.waitingFor;
  if (dependency !== undefined) return whyBlocked(state, job, dependency);
  if (job.notBeforeMs !== null && isBlocked(job, state.nowMs)) {
    const left = formatDuration(job.notBeforeMs - state.nowMs);
    return why("start_time", `Job ${jobId} starts in ${left} (--delay).`, null);
  }
  if (!isWanted(state, job)) {
    const sentence = `Job ${jobId} runs only while somebody follows it, since no foreman stays here.`;
    return why("not_followed", sentence, `cc wait ${jobId}`);
  }
  return null;
}

function whyStorageFull({ fullFolder }: ForemanState): WhyView {
  const sentence = `The foreman's disk is full (${fullFolder}): nothing new starts until there is room.`;
  return why("storage_full", sentence, `df -h ${fullFolder}`);
}

function whyBlocked(state: ForemanState, job: LiveJob, dependency: JobId): WhyView {
  const other = state.jobs.get(dependency);
  const done = other ? `, ${percentText(settledCount(other), other.tasks.count)} done` : "";
  const more = job.waitingFor.size > 1 ? ` and ${job.waitingFor.size - 1} more` : "";
  const sentence = `Job ${dependency} must complete first (${standingOf(state, other)}${done})${more}.`;
  return why("blocked_by_job", sentence, `cc why ${dependency}`);
}

function standingOf(state: ForemanState, job: LiveJob | undefined): string {
  if (!job) return "not here";
  if (job.isPaused) return "paused";
  if (isBlocked(job, state.nowMs)) return "waiting itself";
  return countOf(job, TASK_RUNNING) > 0 ? "running" : "queued";
}

function whyQueuedJob(state: ForemanState, job: LiveJob): WhyView {
  const { jobId } = job;
  const running = countOf(job, TASK_RUNNING);
  if (queuedCount(job) > 0) {
    const reason = whyNotPlaced(state, job);
    if (reason.code !== "slots_busy" || running === 0) return reason;
  }
  if (running > 0) {
    return whyAllAway(job, running) ?? why("running", runningText(state, job, running), null);
  }
  const delayed = countOf(job, TASK_DELAYED);
  if (delayed > 0) {
    const left = formatDuration(earliestAtMs(job.queue.delayed) - state.nowMs);
    const sentence = `${plural(delayed, "task")} of job ${jobId} failed and will be tried again, the first in ${left}.`;
    return why("backoff", sentence, `cc tasks ${jobId} --state delayed`);
  }
  return whyOpen(state, job);
}

function whyOpen({ nowMs }: ForemanState, job: LiveJob): WhyView {
  const { jobId, tasks, detachedUntilMs } = job;
  const count = tasks.count.toLocaleString("en-US");
  const settled =
    tasks.count === 0
      ? `Job ${jobId} has no inputs yet`
      : `All inputs of job ${jobId} so far are settled (${count})`;
  if (detachedUntilMs === null) return why("inputs_open", `${settled}; more may come.`, null);
  const left = formatDuration(detachedUntilMs - nowMs);
  const sentence = `${settled}; its submitter is gone and is waited for, ${left} more.`;
  return why("submitter_away", sentence, `cc cancel ${jobId}`);
}

/** null: at least one of the workers with its tasks is connected. */
function whyAllAway({ jobId, assignments }: LiveJob, running: number): WhyView | null {
  const [first] = assignments;
  if (!first || [...assignments].some(({ session }) => session.isConnected)) return null;
  const { workerId } = first.session.worker;
  const sentence = `What job ${jobId} runs, ${plural(running, "task")}, is at workers whose connection is gone, such as ${workerId}.`;
  return why("worker_away", sentence, `cc why ${workerId}`);
}

/** Short tasks stand at the workers by the thousand; only as many run as there are slots. */
function runningText(state: ForemanState, { jobId }: LiveJob, running: number): string {
  let slots = 0;
  for (const session of state.sessions.values()) slots += session.offer.slots;
  return running <= slots
    ? `Job ${jobId} runs ${plural(running, "task")}.`
    : `Job ${jobId} runs: ${plural(running, "task")} are at workers with ${plural(slots, "slot")}.`;
}

function whyQueuedTask(state: ForemanState, job: LiveJob, index: number): WhyView {
  const reason = whyNotPlaced(state, job);
  if (reason.code !== "slots_busy" || !mustRunAlone(job.tasks, index)) return reason;
  const crashes = job.tasks.trouble?.crashes[index] ?? 0;
  const suspicion =
    crashes > 0
      ? `took workers down before (${crashes} of ${job.spec.max_crashes} crashes)`
      : `was lost with its worker ${plural(job.tasks.trouble?.losses[index] ?? 0, "time")}`;
  const sentence = `Task ${job.jobId}/${index} ${suspicion}, runs alone from now on and waits for an empty worker.`;
  return why("runs_alone", sentence, "cc workers");
}

function whyRunning(state: ForemanState, job: LiveJob, index: number): WhyView {
  const assignment = findAssignmentOf(job, index);
  const task = `Task ${job.jobId}/${index}`;
  if (assignment === null) return why("running", `${task} is running.`, null);
  const { worker } = assignment.session;
  const row = rowOfIndex(assignment, index);
  const startMs = assignment.startedAtMs.get(row);
  const attempt = attemptOfRow(assignment, row);
  if (!assignment.session.isConnected) {
    const left = formatDuration(awayUntilMs(assignment.session) - state.nowMs);
    const sentence = `${task} is at worker ${worker.workerId}, whose connection is gone; it is queued again in ${left} unless the worker comes back.`;
    return why("worker_away", sentence, `cc workers ${worker.workerId}`);
  }
  if (startMs === undefined) {
    return why("assigned", `${task} is at worker ${worker.workerId} (attempt ${attempt}).`, null);
  }
  const since = formatDuration(state.nowMs - startMs);
  const sentence = `${task} has been running on worker ${worker.workerId} for ${since} (attempt ${attempt}).`;
  return why("running", sentence, null);
}

function whyDelayed(state: ForemanState, job: LiveJob, index: number): WhyView {
  const task = `Task ${job.jobId}/${index}`;
  const untilMs = delayedUntil(job, index) ?? state.nowMs;
  const failures = job.tasks.trouble?.failures[index] ?? 0;
  const left = formatDuration(untilMs - state.nowMs);
  if (failures === 0) {
    return why("handed_back", `${task} was handed back and is offered again in ${left}.`, null);
  }
  const sentence = `${task} failed ${plural(failures, "time")} and is tried again in ${left} (${failures + 1} of ${job.spec.retries + 1} tries).`;
  return why("backoff", sentence, `cc tasks ${job.jobId}/${index}`);
}

function whyUnserving(
  state: ForemanState,
  worker: Worker,
  session: Session | null,
): WhyView | null {
  const { workerId } = worker;
  if (session === null) return lostWorker(state, worker);
  if (!session.isConnected) return whyAway(state, session);
  if (session.draining !== null) return whyDraining(session);
  if (worker.isPaused) {
    return why("paused", `Worker ${workerId} is paused.`, `cc resume ${workerId}`);
  }
  if (worker.setAsideUntilMs !== null) {
    const left = formatDuration(worker.setAsideUntilMs - state.nowMs);
    const sentence = `Worker ${workerId} is set aside for another ${left}: ${worker.setAsideReason ?? "tasks failed there"}.`;
    return why("set_aside", sentence, `cc workers ${workerId}`);
  }
  if (!session.isAccepting) {
    const reason = session.reason ?? "it said so";
    return why("not_accepting", `Worker ${workerId} takes no new tasks: ${reason}.`, null);
  }
  return null;
}

function whyDraining({ worker, draining, reason, heldTasks }: Session): WhyView {
  const { workerId } = worker;
  const verb = heldTasks === 1 ? "has" : "have";
  const rest = heldTasks === 0 ? "now" : `when ${plural(heldTasks, "task")} there ${verb} ended`;
  if (draining === "requested") {
    const sentence = `Worker ${workerId} is draining and ends ${rest}.`;
    return why("draining", sentence, `cc drain ${workerId} --undo`);
  }
  const sentence = `Worker ${workerId} is stopping (${reason ?? "it said so"}) and ends ${rest}.`;
  return why("draining", sentence, null);
}

function lostWorker(state: ForemanState, { workerId, bootId, wasDrained }: Worker): WhyView {
  if (wasDrained) {
    const sentence = `Worker ${workerId} was drained and has ended.`;
    return why("drained", sentence, `cc worker --id ${workerId}`);
  }
  const lost = state.lostBoots.get(bootId);
  const sentence =
    lost === undefined
      ? `Worker ${workerId} is not connected.`
      : `Worker ${workerId} was lost ${formatDuration(state.nowMs - lost.lostAtMs)} ago and has not come back.`;
  return why("lost", sentence, `cc worker --id ${workerId}`);
}

/** Its connection is gone, and there is time left to come back. */
function whyAway(state: ForemanState, session: Session): WhyView {
  const { workerId } = session.worker;
  const left = formatDuration(awayUntilMs(session) - state.nowMs);
  const held =
    session.heldTasks === 0
      ? ""
      : ` What it holds, ${plural(session.heldTasks, "task")}, is then run elsewhere.`;
  const sentence = `The connection of worker ${workerId} is gone; it is given up in ${left} unless it comes back.${held}`;
  return why("away", sentence, `cc worker --id ${workerId}`);
}

const awayUntilMs = ({ leaseEndsAtMs, graceEndsAtMs }: Session): number =>
  Math.min(leaseEndsAtMs, graceEndsAtMs ?? Number.POSITIVE_INFINITY);

function whyIdle(state: ForemanState, session: Session): WhyView {
  const { workerId } = session.worker;
  if (isHeldByStorage(state)) return whyStorageFull(state);
  for (const level of state.levels) {
    for (const job of level.jobs) {
      const reason = whyNotPlaced(state, job);
      const sentence = `Worker ${workerId} idles while job ${job.jobId} waits: ${reason.sentence}`;
      return why("idle", sentence, reason.hint);
    }
  }
  return why("idle", `Worker ${workerId} idles: nothing is queued.`, null);
}

function whyEnded(state: ForemanState, jobId: JobId): WhyView {
  const facts = state.ended.get(jobId);
  if (!facts) return why("no_such_job", `There is no job ${jobId}.`, "cc jobs");
  const sentence = `Job ${jobId} has ended: ${facts.state}.`;
  return why("ended", sentence, facts.state === "completed" ? null : `cc retry ${jobId}`);
}

function why(code: string, sentence: string, hint: string | null): WhyView {
  return { code, sentence, hint };
}
