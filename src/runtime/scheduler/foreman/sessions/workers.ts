/**
 * The workers that are known by name, over their boots: what outlives a session, such as a pause. Of
 * lost ones the longest unseen are forgotten beyond a bound.
 */
import type { BootId, WorkerId } from "../../../protocol/ids.ts";
import type { WorkerOffer } from "../../../protocol/job-spec.ts";
import type { CurrentStep } from "../current-step.ts";
import type { WorkerFacts } from "../facts.ts";
import type { ForemanState, Worker } from "../state.ts";

const WORKERS_REMEMBERED_MAX = 5_000;

export function rememberWorker(state: ForemanState, facts: WorkerFacts): Worker {
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
    completed: 0,
    failed: 0,
    stale: 0,
    looseEvents: 0,
    failuresInRow: new Map(),
  };
  state.workers.set(worker.workerId, worker);
  forgetOldest(state);
  return worker;
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
    known.offer = offer;
    known.lastSeenAtMs = step.atMs;
    return known;
  }
  return rememberWorker(step.state, {
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

function forgetOldest(state: ForemanState): void {
  if (state.workers.size <= WORKERS_REMEMBERED_MAX) return;
  for (const [workerId, worker] of state.workers) {
    if (state.sessions.has(worker.bootId) || worker.isPaused) continue;
    state.workers.delete(workerId);
    if (state.workers.size <= WORKERS_REMEMBERED_MAX) return;
  }
}
