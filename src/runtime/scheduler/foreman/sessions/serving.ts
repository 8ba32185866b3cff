/** Which sessions take tasks, and which could run a given need. */
import { couldRun, sumMatches } from "../placement/demand.ts";
import type { Demand, ForemanState, Session } from "../state.ts";

/** Connected, willing, neither paused nor set aside. Its changes are told by `noteServing`. */
export function isServing({ isConnected, isAccepting, worker }: Session): boolean {
  return isConnected && isAccepting && !worker.isPaused && worker.setAsideUntilMs === null;
}

/** May be given something at this moment. */
export function isPlaceable(session: Session, nowMs: number): boolean {
  return isServing(session) && !session.isAlone && session.restsUntilMs <= nowMs;
}

/** Sessions come, go or change their mind: sums kept with needs are out of date. */
export function noteServing(state: ForemanState): void {
  state.sessionsVersion++;
}

/** How many sessions could run the need now, and their slots. */
export function servingSums(state: ForemanState, demand: Demand): Demand {
  return sumMatches(state, demand, isServing);
}

/** Whether anybody else could run the need now. */
export function hasOtherServing(state: ForemanState, session: Session, demand: Demand): boolean {
  for (const other of state.sessions.values()) {
    if (other !== session && isServing(other) && couldRun(other, demand)) return true;
  }
  return false;
}

/** Whether some live job would have nobody left without this session. */
export function isIndispensable(state: ForemanState, session: Session): boolean {
  const ownCount = isServing(session) ? 1 : 0;
  for (const job of state.jobs.values()) {
    if (!couldRun(session, job.demand)) continue;
    if (servingSums(state, job.demand).sessionCount <= ownCount) return true;
  }
  return false;
}

/** Heartbeats that stay out for so long: the line is cut, or somebody stands still. */
export const isSilence = ({ options }: ForemanState, gapMs: number): boolean =>
  gapMs > 2 * options.heartbeatMs;
