/**
 * The workers that are known by name, over their boots: what outlives a session, such as a pause. One
 * that was not seen for a month is forgotten, and beyond a bound the longest unseen ones are.
 */
import type { BootId, WorkerId } from "../../../protocol/ids.ts";
import type { WorkerOffer } from "../../../protocol/job-spec.ts";
import type { CurrentStep } from "../current-step.ts";
import type { WorkerFacts } from "../facts.ts";
import { pushAt } from "../queues/time-heap.ts";
import type { ForemanState, Worker } from "../state.ts";

const WORKERS_REMEMBERED_MAX = 5_000;
export const WORKER_UNSEEN_MS_MAX = 30 * 86_400_000;
/** What is stored of one that was here all the time may be old: it gets a day to come back. */
const RECOVERED_UNSEEN_MS_MIN = 86_400_000;

export function rememberWorker(step: CurrentStep, facts: WorkerFacts): Worker {
  const { state, atMs } = step;
  const worker: Worker = {
    workerId: facts.workerId,
    firstSeenAtMs: facts.firstSeenAtMs,
    bootId: facts.bootId,
    offer: facts.offer,
    lastSeenAtMs: facts.lastSeenAtMs,
    isPaused: facts.paused,
    isGivingBack: false,
    setAsideUntilMs: facts.setAsideUntilMs,
    setAsideReason: null,
    isOnProbation: facts.setAsideUntilMs !== null,
    wasDrained: false,
    completed: 0,
    failed: 0,
    stale: 0,
    looseEvents: 0,
    unwilling: { isTold: false, notAgainBeforeMs: 0 },
    failuresInRow: new Map(),
  };
  state.workers.set(worker.workerId, worker);
  const unseenAtMs = worker.lastSeenAtMs + WORKER_UNSEEN_MS_MAX;
  armUnseen(state, worker, Math.max(unseenAtMs, atMs + RECOVERED_UNSEEN_MS_MIN));
  forgetOldest(step);
  return worker;
}

/** There is always one such timer a worker. */
function armUnseen(state: ForemanState, worker: Worker, wakeAtMs: number): void {
  pushAt(state.timers, wakeAtMs, { kind: "unseen", worker });
}

export function onUnseenTimer(step: CurrentStep, worker: Worker): void {
  const { state, atMs } = step;
  if (state.workers.get(worker.workerId) !== worker) return;
  const unseenAtMs = worker.lastSeenAtMs + WORKER_UNSEEN_MS_MAX;
  if (isWanted(state, worker)) armUnseen(state, worker, atMs + WORKER_UNSEEN_MS_MAX);
  else if (unseenAtMs > atMs) armUnseen(state, worker, unseenAtMs);
  else forgetWorker(step, worker);
}

/** It is here, or a person has paused it and will expect that to hold. */
const isWanted = ({ sessions }: ForemanState, worker: Worker): boolean =>
  sessions.has(worker.bootId) || worker.isPaused;

function forgetWorker(step: CurrentStep, { workerId }: Worker): void {
  step.state.workers.delete(workerId);
  step.changes.push({ type: "workerForgotten", workerId });
}

/** A boot of the worker has come: its record, made at the first one. */
export function openWorker(
  step: CurrentStep,
  boot: { readonly workerId: WorkerId; readonly bootId: BootId; readonly offer: WorkerOffer },
): Worker {
  const { workerId, bootId, offer } = boot;
  const known = step.state.workers.get(workerId);
  if (known) {
    // Seen last comes last, so that the longest unseen is forgotten first.
    step.state.workers.delete(workerId);
    step.state.workers.set(workerId, known);
    known.bootId = bootId;
    known.wasDrained = false;
    known.offer = offer;
    known.lastSeenAtMs = step.atMs;
    return known;
  }
  return rememberWorker(step, {
    workerId,
    bootId,
    offer,
    paused: false,
    firstSeenAtMs: step.atMs,
    lastSeenAtMs: step.atMs,
    setAsideUntilMs: null,
  });
}

export function writeWorker(step: CurrentStep, worker: Worker): void {
  const { workerId, bootId, offer, firstSeenAtMs, lastSeenAtMs, setAsideUntilMs } = worker;
  const paused = worker.isPaused;
  step.changes.push({
    type: "workerChanged",
    worker: { workerId, bootId, offer, paused, firstSeenAtMs, lastSeenAtMs, setAsideUntilMs },
  });
}

function forgetOldest(step: CurrentStep): void {
  const { state } = step;
  if (state.workers.size <= WORKERS_REMEMBERED_MAX) return;
  for (const worker of state.workers.values()) {
    if (isWanted(state, worker)) continue;
    forgetWorker(step, worker);
    if (state.workers.size <= WORKERS_REMEMBERED_MAX) return;
  }
}
