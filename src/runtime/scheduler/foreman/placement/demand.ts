/**
 * What a task needs of a worker and whether a worker's offer has it at all. Needs are shared by all
 * jobs that agree in them, so that an answer is worked out once a session and not once a task.
 */
import type { JobSpec, WorkerOffer } from "../../../protocol/job-spec.ts";
import type { Demand, ForemanState, Session } from "../state.ts";
import { matchesQueue } from "./queue-pattern.ts";

/** Beyond so many different needs the collection starts anew; jobs keep the ones they hold. */
const DEMANDS_MAX = 10_000;
const MATCHES_KEPT_MAX = 4_096;

export function demandOf(state: ForemanState, spec: JobSpec): Demand {
  const labels = sortedEntries(spec.worker_labels);
  const resources = sortedEntries(spec.resources).filter(([, amount]) => amount > 0);
  const needs = {
    queue: spec.queue,
    role: spec.role,
    labels,
    cpus: spec.cpus,
    memoryBytes: spec.memory_bytes ?? 0,
    resources,
    timeRequestMs: (spec.time_request_seconds ?? 0) * 1000,
  };
  const key = JSON.stringify(needs);
  const known = state.demands.get(key);
  if (known) return known;
  if (state.demands.size >= DEMANDS_MAX) state.demands.clear();
  const isReserving = needs.memoryBytes > 0 || resources.length > 0;
  const demand: Demand = { ...needs, isReserving, sumsVersion: 0, sessionCount: 0, slotCount: 0 };
  state.demands.set(key, demand);
  return demand;
}

/** Whether the session's offer has what the task needs, leaving aside what is in use now. */
export function couldRun(session: Session, demand: Demand): boolean {
  const known = session.matches.get(demand);
  if (known !== undefined) return known;
  if (session.matches.size >= MATCHES_KEPT_MAX) session.matches.clear();
  const matches = firstMismatch(session.offer, demand) === null;
  session.matches.set(demand, matches);
  return matches;
}

/** What of the needs this offer lacks, as one types it: `gpu=1`; null when it has everything. */
export function firstMismatch(offer: WorkerOffer, demand: Demand): string | null {
  if (!matchesQueue(offer.queues, demand.queue)) return `queue ${demand.queue}`;
  if (demand.role !== null && !offer.roles.includes(demand.role)) return `role ${demand.role}`;
  for (const [name, value] of demand.labels) {
    if (!Object.hasOwn(offer.labels, name) || offer.labels[name] !== value) {
      return `label ${name}=${value}`;
    }
  }
  for (const [name, amount] of demand.resources) {
    const offered = Object.hasOwn(offer.resources, name) ? (offer.resources[name] ?? 0) : 0;
    if (offered < amount) return `${name}=${amount}`;
  }
  if (demand.cpus > offer.slots) return `${demand.cpus} slots`;
  if (demand.memoryBytes > offer.memory_bytes)
    return `${formatBytes(demand.memoryBytes)} of memory`;
  return null;
}

/** Whether enough of the worker's `--time-limit` is left. */
export function hasTimeLeft(session: Session, demand: Demand, nowMs: number): boolean {
  if (session.endsAtMs === null || demand.timeRequestMs === 0) return true;
  return session.endsAtMs - nowMs >= demand.timeRequestMs;
}

/** Brings `sessionCount` and `slotCount` up to date: sessions that could run it and take tasks. */
export function sumMatches(
  state: ForemanState,
  demand: Demand,
  isServing: (session: Session) => boolean,
): Demand {
  if (demand.sumsVersion === state.sessionsVersion) return demand;
  demand.sumsVersion = state.sessionsVersion;
  demand.sessionCount = 0;
  demand.slotCount = 0;
  for (const session of state.sessions.values()) {
    if (!isServing(session) || !couldRun(session, demand)) continue;
    demand.sessionCount++;
    demand.slotCount += session.offer.slots;
  }
  return demand;
}

function sortedEntries<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ["G", 2 ** 30],
    ["M", 2 ** 20],
    ["K", 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))}${unit}`;
  }
  return `${bytes}B`;
}
