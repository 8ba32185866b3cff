/** Views of workers, from the machine's sessions and the last heartbeats. */
import type { WorkerView } from "../../protocol/views.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { sessionSummaries } from "../../scheduler/foreman/selectors.ts";
import type { VitalsBook } from "../workers/worker-vitals.ts";
import { toTime } from "./job-views.ts";

export interface WorkerViews {
  list(): WorkerView[];
}

export function createWorkerViews(parts: {
  readonly state: ForemanState;
  readonly vitals: Pick<VitalsBook, "of">;
  nowMs(): number;
}): WorkerViews {
  return {
    list() {
      const atMs = parts.nowMs();
      return sessionSummaries(parts.state).map((session) => {
        const vitals = parts.vitals.of(session.workerId);
        return {
          worker_id: session.workerId,
          state: session.state,
          reason: session.reason,
          slots: session.offer.slots,
          busy_slots: session.busySlots,
          running: session.running,
          prefetched: session.prefetched,
          completed: session.completed,
          failed: session.failed,
          refused: session.stale,
          cpu_percent: vitals?.cpuPercent ?? null,
          memory_percent: vitals?.memoryPercent ?? null,
          heartbeat_age_seconds: vitals === null ? null : (atMs - vitals.beatAtMs) / 1000,
          connected_at: vitals === null ? null : toTime(vitals.connectedAtMs),
          offer: session.offer,
          jobs: session.jobIds,
        };
      });
    },
  };
}
