/** What the record keeps of a job and of a task. */
import type { JobFacts } from "../../src/runtime/scheduler/foreman/facts.ts";

export type SettledAs = "completed" | "failed" | "cancelled";

export interface Holding {
  readonly id: number;
  readonly worker: string;
  readonly boot: string;
  readonly attempt: number;
}

export interface RecordedTask {
  settled: { readonly as: SettledAs; readonly attempt: number; readonly worker: string } | null;
  /** Under which assignment it is, with whom. */
  assignment: Holding | null;
  /** Under which it was in this group of changes; the rest of the group says what became of it. */
  left: Holding | null;
  /** The last attempt that was handed out and did not come back unstarted. */
  begun: number;
  /** How its attempts ended, by number. */
  readonly ended: Map<number, "failed" | "lost" | "cancelled" | SettledAs>;
  /** Since it was last queued anew by a retry. */
  failures: number;
  losses: number;
  /** In this group of changes. */
  hasJustFailed: boolean;
  /** The end of its back-off, on the time line of a foreman that began with this offset. */
  notBefore: { readonly atMs: number; readonly timeLineOffsetMs: number } | null;
  reopenCount: number;
  cancelCount: number;
}

export interface RecordedJob {
  readonly jobId: number;
  readonly key: string;
  facts: JobFacts;
  readonly tasks: RecordedTask[];
  retriesMin: number;
  retriesMax: number;
  maxCrashesMin: number;
  isPatched: boolean;
}

export function createTask(): RecordedTask {
  return {
    settled: null,
    assignment: null,
    left: null,
    begun: 0,
    ended: new Map(),
    failures: 0,
    losses: 0,
    notBefore: null,
    hasJustFailed: false,
    reopenCount: 0,
    cancelCount: 0,
  };
}
