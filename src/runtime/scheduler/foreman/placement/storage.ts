/**
 * While the store's disk is full nothing new is started, so that what is left of it serves the results
 * of what runs. Cancels, ends and returns go on as ever.
 */
import { type CurrentStep, type EventOf, recordEvent } from "../current-step.ts";
import type { ForemanState } from "../state.ts";

export const isHeldByStorage = (state: ForemanState): boolean => state.fullFolder !== null;

export function onStorageChanged(step: CurrentStep, event: EventOf<"storageChanged">): void {
  const { state } = step;
  const { fullFolder } = event;
  if (state.fullFolder === fullFolder) return;
  state.fullFolder = fullFolder;
  for (const jobId of state.jobs.keys()) step.seenJobs.add(jobId);
  if (fullFolder !== null) {
    recordEvent(step, "storage_full", { body: { folder: fullFolder } });
    return;
  }
  recordEvent(step, "storage_recovered", { body: {} });
  // What became ready or free meanwhile was not looked at.
  for (const session of state.sessions.values()) step.roomySessions.add(session);
  for (const job of state.jobs.values()) step.readyJobs.add(job);
}
