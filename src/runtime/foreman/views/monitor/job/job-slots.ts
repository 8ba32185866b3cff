/** How many slots a job has of those that it could have. */
import { couldRun } from "../../../../scheduler/foreman/placement/demand.ts";
import type { ForemanState, LiveJob } from "../../../../scheduler/foreman/state.ts";

/** Of connected workers. Tasks that wait at a full worker take its slots in proportion. */
export function slotsOf(
  { sessions }: ForemanState,
  { jobId, demand }: LiveJob,
): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const session of sessions.values()) {
    if (!session.isConnected) continue;
    const { slots } = session.offer;
    const held = (session.holdings.get(jobId)?.count ?? 0) * demand.cpus;
    busy += session.heldSlots <= slots ? held : (held * slots) / session.heldSlots;
    if (couldRun(session, demand)) total += slots;
  }
  return { busy: Math.round(busy), total };
}
