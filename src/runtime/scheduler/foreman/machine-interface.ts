/**
 * The foreman's machine as its shell sees it. `step` is the only function that changes the state; it
 * knows no clock, no chance and no I/O. The shell: step, commit `changes`, then perform `effects`.
 */
import type { Change } from "./changes.ts";
import type { ForemanEffect } from "./events.ts";
import type { RetentionRules } from "./jobs/retention-state.ts";

export interface StepOutput {
  readonly changes: Change[];
  readonly effects: ForemanEffect[];
}

export interface ForemanOptions {
  readonly heartbeatMs: number;
  /** A session without a renewed heartbeat for so long is lost. */
  readonly leaseMs: number;
  /** A session whose connection closed has so long to come back. */
  readonly reconnectGraceMs: number;
  /** Seeds the machine's own generator (back-off jitter). */
  readonly seed: number;
  /** The assignment counter's start: `firstAssignmentOfEpoch(epoch)`. */
  readonly firstAssignmentId: number;
  /**
   * Only jobs that somebody follows (`followingChanged`) may start tasks: how a foreman that is tied
   * to a command runs just what it was asked for. Other jobs stay queued, and `why` says so.
   */
  readonly onlyFollowed: boolean;
  /** When ended jobs are forgotten; absent: never by themselves. */
  readonly retention?: RetentionRules;
}

export const DEFAULT_FOREMAN_OPTIONS = {
  heartbeatMs: 3_000,
  leaseMs: 15_000,
  reconnectGraceMs: 5_000,
} as const;
