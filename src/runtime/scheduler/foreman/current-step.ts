/**
 * One step under way: what it wants durable, what it wants done, and what has to be looked at before
 * it ends. Handlers of events only note here; ends, limits and placement follow once, at the end.
 */
import type { EventKind } from "../../protocol/event-kinds.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { Change } from "./changes.ts";
import { type EventAbout, eventFacts } from "./event-facts.ts";
import type { ForemanAnswer, ForemanEffect, ForemanEvent, ReplyToken } from "./events.ts";
import type { StepOutput } from "./machine-interface.ts";
import type { ForemanState, LiveJob, Session } from "./state.ts";

export type EventOf<Type extends ForemanEvent["type"]> = Extract<ForemanEvent, { type: Type }>;

export interface CurrentStep extends StepOutput {
  readonly state: ForemanState;
  readonly atMs: number;
  readonly changes: Change[];
  readonly effects: ForemanEffect[];
  /** Their row is to be written. */
  readonly changedJobs: Set<LiveJob>;
  /** Observers are told. */
  readonly seenJobs: Set<JobId>;
  readonly settledJobs: Set<JobId>;
  readonly endedJobs: JobId[];
  /** Limits and the end of the job are looked at. */
  readonly concludingJobs: Set<LiveJob>;
  /** May have tasks to place. */
  readonly readyJobs: Set<LiveJob>;
  /** May take tasks. */
  readonly roomySessions: Set<Session>;
  /** Have their turn after all others: claims on them ended, or what they gave back goes elsewhere. */
  readonly lateSessions: Set<Session>;
}

export function createStep(state: ForemanState, atMs: number): CurrentStep {
  return {
    state,
    atMs,
    changes: [],
    effects: [],
    changedJobs: new Set(),
    seenJobs: new Set(),
    settledJobs: new Set(),
    endedJobs: [],
    concludingJobs: new Set(),
    readyJobs: new Set(),
    roomySessions: new Set(),
    lateSessions: new Set(),
  };
}

/** The job's row is to be written and its observers told. */
export function touchJob(step: CurrentStep, job: LiveJob): void {
  step.changedJobs.add(job);
  step.seenJobs.add(job.jobId);
}

export function reply(step: CurrentStep, token: ReplyToken | null, answer: ForemanAnswer): void {
  if (token !== null) step.effects.push({ type: "reply", token, answer });
}

export function refuse(
  step: CurrentStep,
  token: ReplyToken | null,
  refusal: { readonly code: string; readonly message: string; readonly hint?: string },
): void {
  const { code, message, hint = null } = refusal;
  reply(step, token, { type: "refused", code, message, hint, retryable: false });
}

/** Adds a line to the durable event log. */
export function recordEvent<Kind extends EventKind>(
  step: CurrentStep,
  kind: Kind,
  about: EventAbout<Kind>,
): void {
  step.changes.push({ type: "eventRecorded", event: eventFacts(step.atMs, kind, about) });
}
