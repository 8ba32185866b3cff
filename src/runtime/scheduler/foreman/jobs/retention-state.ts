/** The rules by which ended jobs are forgotten, and the ended jobs in the order of their ends. */
import type { JobId } from "../../../protocol/ids.ts";
import { createTimeHeap, type TimeHeap } from "../queues/time-heap.ts";

export interface RetentionRules {
  /** Completed jobs go so long after their end; null: never by age. */
  readonly completedMs: number | null;
  /** Failed and cancelled ones. */
  readonly failedMs: number | null;
  /** So many ended jobs stay, kept ones not counted; null: any number. */
  readonly jobsMax: number | null;
  /** Only when `cc gc` asks: how a foreman is run that was started for it. */
  readonly onlyOnRequest: boolean;
}

export const DEFAULT_RETENTION: RetentionRules = {
  completedMs: 7 * 86_400_000,
  failedMs: 30 * 86_400_000,
  jobsMax: 10_000,
  onlyOnRequest: false,
};

export interface EndedQueue {
  /** By the instant of the job's end; an entry that `endedAtMs` does not confirm is stale. */
  readonly byEnd: TimeHeap<JobId>;
  readonly endedAtMs: Map<JobId, number>;
}

export interface RetentionState {
  readonly completed: EndedQueue;
  /** Cancelled ones, too. */
  readonly failed: EndedQueue;
  readonly parked: Set<JobId>;
  ranAtMs: number;
}

const createQueue = (): EndedQueue => ({ byEnd: createTimeHeap(), endedAtMs: new Map() });

export function createRetention(): RetentionState {
  return { completed: createQueue(), failed: createQueue(), parked: new Set(), ranAtMs: -1 };
}
