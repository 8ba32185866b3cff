/**
 * The foreman's machine: `step` takes one event and says what becomes durable and what is then done.
 * Deterministic: no clock, no chance but the state's own, no I/O. The event's handler only notes what
 * it touched; timers that are due, ends of jobs and placement follow, each once.
 */
import { assertNever } from "../../protocol/error.ts";
import { type CurrentStep, createStep, type EventOf, recordEvent } from "./current-step.ts";
import type { ForemanEvent } from "./events.ts";
import type { StoredState } from "./facts.ts";
import { onCancelRequested } from "./jobs/cancel.ts";
import { concludeJobs } from "./jobs/conclude.ts";
import { onFollowingChanged } from "./jobs/following.ts";
import { onInputsClosed, onJobSubmitted, onTasksSubmitted } from "./jobs/jobs.ts";
import { factsOf } from "./jobs/live-job.ts";
import {
  applyRetention,
  onGarbageCollected,
  onReadingChanged,
  retentionDueAtMs,
} from "./jobs/retention.ts";
import { onRetryRequested } from "./jobs/retry.ts";
import { onJobPatched, onJobRemoved } from "./jobs/steering.ts";
import { cancelDetached, onSubmitterAttached, onSubmitterDetached } from "./jobs/submitter.ts";
import type { ForemanOptions, StepOutput } from "./machine-interface.ts";
import { onBackstop } from "./outcomes/backstop.ts";
import { onAttemptsReported, onTasksStarted } from "./outcomes/reports.ts";
import { onTasksGone, onTasksReturned } from "./outcomes/returns.ts";
import { placeTasks } from "./placement/placement.ts";
import { onStealCheck } from "./placement/stealing.ts";
import { onStorageChanged } from "./placement/storage.ts";
import { releaseDelayed } from "./queues/ready-queue.ts";
import { earliestAtMs, popDue } from "./queues/time-heap.ts";
import { takeStored } from "./recovery.ts";
import { liftSetAside } from "./sessions/blame.ts";
import { onDrainRequested } from "./sessions/draining.ts";
import {
  onConnectionLost,
  onHeartbeat,
  onOfferChanged,
  onSessionEnded,
  onSessionReady,
  onSessionTimer,
} from "./sessions/sessions.ts";
import { onWorkerPaused } from "./sessions/worker-steering.ts";
import { onUnseenTimer } from "./sessions/workers.ts";
import {
  createState,
  type LiveJob,
  type ForemanState as MachineState,
  type Timer,
} from "./state.ts";
import { armJob, armSession } from "./timers.ts";

/** The machine's memory. Only `step` and `recover` may change it. */
export type ForemanState = MachineState;

/** An empty foreman. */
export const createForemanState = (options: ForemanOptions): ForemanState => createState(options);

/** Takes one event in. `changes` must be durable before `effects` are performed. */
export function step(state: ForemanState, event: ForemanEvent): StepOutput {
  const current = beginStep(state, event.atMs);
  handle(current, event);
  return endStep(current);
}

/** Fills an empty state with what is stored; to be called once, before any step. */
export function recover(state: ForemanState, stored: StoredState, atMs: number): StepOutput {
  const current = beginStep(state, atMs);
  takeStored(current, stored);
  return endStep(current);
}

/** When `clockAdvanced` is wanted at the latest; null: not at all. */
export function nextWakeAtMs(state: ForemanState): number | null {
  const wakeAtMs = Math.min(
    earliestAtMs(state.timers),
    state.stealCheckAtMs ?? Number.POSITIVE_INFINITY,
    retentionDueAtMs(state),
    // Coming often while leases run: a long gap then means that we ourselves stood still.
    state.sessions.size > 0 ? state.nowMs + state.options.leaseMs / 4 : Number.POSITIVE_INFINITY,
  );
  return wakeAtMs === Number.POSITIVE_INFINITY ? null : wakeAtMs;
}

function beginStep(state: ForemanState, eventAtMs: number): CurrentStep {
  const { leaseMs } = state.options;
  const atMs = Math.max(eventAtMs, state.nowMs);
  const current = createStep(state, atMs);
  const stoodMs = atMs - state.nowMs;
  const hasStoodStill = stoodMs > leaseMs / 2;
  state.nowMs = atMs;
  if (hasStoodStill && state.sessions.size > 0) {
    recordEvent(current, "foreman_stood_still", {
      body: { seconds: stoodMs / 1000, workers: state.sessions.size },
    });
    // Nobody could renew anything meanwhile: rather than declare all workers lost, begin anew.
    for (const session of state.sessions.values()) {
      session.leaseEndsAtMs = Math.max(session.leaseEndsAtMs, atMs + leaseMs);
      if (session.graceEndsAtMs !== null) session.graceEndsAtMs += leaseMs;
      armSession(current, session);
    }
  }
  return current;
}

function endStep(current: CurrentStep): StepOutput {
  fireTimers(current);
  concludeJobs(current);
  applyRetention(current);
  placeTasks(current);
  for (const job of current.changedJobs) {
    current.changes.push({ type: "jobChanged", facts: factsOf(job) });
  }
  const { effects } = current;
  for (const jobId of current.settledJobs) effects.push({ type: "notifySettled", jobId });
  for (const jobId of current.seenJobs) effects.push({ type: "notifyJobChanged", jobId });
  for (const jobId of current.endedJobs) effects.push({ type: "notifyJobEnded", jobId });
  return { changes: current.changes, effects };
}

type Handlers = {
  readonly [Type in ForemanEvent["type"]]: (step: CurrentStep, event: EventOf<Type>) => void;
};

const HANDLERS: Handlers = {
  jobSubmitted: onJobSubmitted,
  tasksSubmitted: onTasksSubmitted,
  inputsClosed: onInputsClosed,
  jobPatched: onJobPatched,
  cancelRequested: onCancelRequested,
  retryRequested: onRetryRequested,
  jobRemoved: onJobRemoved,
  submitterAttached: onSubmitterAttached,
  submitterDetached: onSubmitterDetached,
  followingChanged: onFollowingChanged,
  readingChanged: onReadingChanged,
  garbageCollected: onGarbageCollected,
  sessionReady: onSessionReady,
  offerChanged: onOfferChanged,
  heartbeatReceived: onHeartbeat,
  connectionLost: onConnectionLost,
  sessionEnded: onSessionEnded,
  tasksStarted: onTasksStarted,
  attemptsReported: onAttemptsReported,
  tasksReturned: onTasksReturned,
  tasksGone: onTasksGone,
  workerPaused: onWorkerPaused,
  drainRequested: onDrainRequested,
  storageChanged: onStorageChanged,
  // Timers that are due fire in every step.
  clockAdvanced: () => {},
};

function handle(current: CurrentStep, event: ForemanEvent): void {
  // The table pairs every type with a handler of that very type.
  const onEvent = HANDLERS[event.type] as (step: CurrentStep, event: ForemanEvent) => void;
  onEvent(current, event);
}

function fireTimers(current: CurrentStep): void {
  const { state, atMs } = current;
  for (let timer = popDue(state.timers, atMs); timer; timer = popDue(state.timers, atMs)) {
    fire(current, timer);
  }
  onStealCheck(current);
}

function fire(current: CurrentStep, timer: Timer): void {
  switch (timer.kind) {
    case "job":
      onJobTimer(current, timer.job);
      break;
    case "session":
      onSessionTimer(current, timer.session);
      break;
    case "worker":
      liftSetAside(current, timer.worker);
      break;
    case "unseen":
      onUnseenTimer(current, timer.worker);
      break;
    case "backstop":
      onBackstop(current, timer.assignment, timer.row);
      break;
    default:
      assertNever(timer, "timer");
  }
}

/** Back-offs are over, its start time has come, or its submitter stayed away. */
function onJobTimer(current: CurrentStep, job: LiveJob): void {
  job.timerAtMs = Number.POSITIVE_INFINITY;
  if (current.state.jobs.get(job.jobId) !== job) return;
  releaseDelayed(job, current.atMs);
  cancelDetached(current, job);
  armJob(current, job);
  current.readyJobs.add(job);
  current.concludingJobs.add(job);
  current.seenJobs.add(job.jobId);
}
