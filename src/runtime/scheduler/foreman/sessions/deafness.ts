/**
 * Workers that we hear and that do not hear us: their heartbeats renew the lease, and what is sent to them
 * is lost. They notice by the missing echo, come back without it, and would be given it again for ever.
 */
import type { CurrentStep } from "../current-step.ts";
import type { Session } from "../state.ts";
import { armSession } from "../timers.ts";

/** One connection may break with an assignment under way; that is nobody's deafness. */
const INNOCENT_CONNECTIONS = 1;

/**
 * The worker is back without so many of its tasks. After several such connections in a row others get
 * the tasks: it rests as long as it would take to give up a silent one.
 */
export function noteUnheard(step: CurrentStep, session: Session, requeuedCount: number): void {
  if (requeuedCount === 0) return;
  session.unheardConnections++;
  if (session.unheardConnections <= INNOCENT_CONNECTIONS) return;
  const restsUntilMs = step.atMs + step.state.options.leaseMs;
  session.restsUntilMs = Math.max(session.restsUntilMs, restsUntilMs);
  armSession(step, session);
}

/** A report on a task proves that its assignment was heard. */
export function noteHeard(session: Session): void {
  session.unheardConnections = 0;
}
