/**
 * Which ended jobs are forgotten by themselves, and when: by age and by number, the oldest first, a
 * few a step so that no commit is long. It never takes a job that is kept (`cc set --keep`), that
 * somebody is reading, or that an unfinished job names with `--after`.
 *
 *   queued   in one of the two queues: it goes at its time
 *   parked   its time had come while it was in use; queued again when that ends
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { CurrentStep, EventOf } from "../current-step.ts";
import { reply } from "../current-step.ts";
import type { JobFacts } from "../facts.ts";
import { earliestAtMs, popDue, pushAt } from "../queues/time-heap.ts";
import type { ForemanState } from "../state.ts";
import { forgetJob } from "./forget-job.ts";
import type { EndedQueue, RetentionRules, RetentionState } from "./retention-state.ts";

/** Jobs forgotten within one millisecond: some milliseconds of writing. */
export const REMOVALS_PER_STEP_MAX = 100;
/** However many there are, whoever submitted a job has this long to begin reading what it did. */
export const FRESH_MS = 5_000;

/** Why a job goes. */
export type RetentionReason = "age" | "count";

/** A job has ended, or is not kept any more. */
export function queueEnded({ retention }: ForemanState, facts: JobFacts): void {
  const { jobId, finishedAtMs } = facts;
  if (facts.keep || finishedAtMs === null) return;
  const queue = facts.state === "completed" ? retention.completed : retention.failed;
  if (queue.endedAtMs.get(jobId) === finishedAtMs) return;
  queue.endedAtMs.set(jobId, finishedAtMs);
  pushAt(queue.byEnd, finishedAtMs, jobId);
  dropStale(queue);
}

/** It is forgotten, lives again, or is kept. */
export function unqueueEnded({ retention }: ForemanState, jobId: JobId): void {
  const { completed, failed, parked } = retention;
  parked.delete(jobId);
  for (const queue of [completed, failed]) {
    if (queue.endedAtMs.delete(jobId)) dropStale(queue);
  }
}

/** Readers who were cut off by the restart have time to come back; a tied foreman may not live so long. */
export function delayRetention({ state, atMs }: CurrentStep): void {
  if (!state.options.onlyFollowed) state.retention.ranAtMs = atMs + FRESH_MS;
}

/** Somebody reads the job from now on, or nobody does any more. */
export function onReadingChanged(step: CurrentStep, event: EventOf<"readingChanged">): void {
  const { state } = step;
  if (event.reading) state.read.add(event.jobId);
  else if (state.read.delete(event.jobId)) unpark(state, event.jobId);
}

/** What kept it may have ended. */
export function unpark(state: ForemanState, jobId: JobId): void {
  if (isInUse(state, jobId) || !state.retention.parked.delete(jobId)) return;
  const facts = state.ended.get(jobId);
  if (facts) queueEnded(state, facts);
}

/** When a job's time comes; Infinity: none waits for it. */
export function retentionDueAtMs(state: ForemanState): number {
  const { retention, options } = state;
  const rules = options.retention;
  if (rules === undefined || rules.onlyOnRequest) return Number.POSITIVE_INFINITY;
  const dueAtMs = Math.min(
    earliestAtMs(retention.completed.byEnd) + (rules.completedMs ?? Number.POSITIVE_INFINITY),
    earliestAtMs(retention.failed.byEnd) + (rules.failedMs ?? Number.POSITIVE_INFINITY),
    isOverfull(state, rules) ? oldestAtMs(retention) + FRESH_MS : Number.POSITIVE_INFINITY,
  );
  return Math.max(dueAtMs, retention.ranAtMs + 1);
}

/** Forgets jobs whose time has come. */
export function applyRetention(step: CurrentStep): void {
  const { state, atMs } = step;
  if (retentionDueAtMs(state) > atMs) return;
  state.retention.ranAtMs = atMs;
  for (let count = 0; count < REMOVALS_PER_STEP_MAX; ) {
    const next = takeDue(state, atMs);
    if (next === null) return;
    const facts = state.ended.get(next.jobId);
    if (facts === undefined) continue;
    if (isInUse(state, next.jobId)) state.retention.parked.add(next.jobId);
    else {
      forgetJob(step, facts, next.why);
      count++;
    }
  }
}

/** Those of the jobs that may go now do. */
export function onGarbageCollected(step: CurrentStep, event: EventOf<"garbageCollected">): void {
  const { state } = step;
  const gone: JobId[] = [];
  for (const { jobId, why } of event.jobs) {
    const facts = state.ended.get(jobId);
    if (facts === undefined || facts.keep || isInUse(state, jobId)) continue;
    unqueueEnded(state, jobId);
    forgetJob(step, facts, why);
    gone.push(jobId);
  }
  reply(step, event.token, { type: "collected", jobIds: gone });
}

export interface PlannedRemoval {
  readonly facts: JobFacts;
  readonly why: RetentionReason;
}

/** What the rules would forget now, the oldest first, at most `limit`; it changes nothing. */
export function planRetention(
  state: ForemanState,
  nowMs: number,
  limit: number,
): readonly PlannedRemoval[] {
  const rules = state.options.retention;
  if (rules === undefined) return [];
  const { completed, failed, parked } = state.retention;
  const candidates = [...completed.endedAtMs.keys(), ...failed.endedAtMs.keys(), ...parked]
    .map((jobId) => state.ended.get(jobId))
    .filter((facts) => facts !== undefined)
    .filter(({ jobId }) => !isInUse(state, jobId))
    .sort((a, b) => endOf(a) - endOf(b) || a.jobId - b.jobId);
  const excess = rules.jobsMax === null ? 0 : candidates.length - rules.jobsMax;
  const planned: PlannedRemoval[] = [];
  for (const [at, facts] of candidates.entries()) {
    if (planned.length === limit) break;
    const ageMsMax = facts.state === "completed" ? rules.completedMs : rules.failedMs;
    if (ageMsMax !== null && endOf(facts) + ageMsMax <= nowMs) planned.push({ facts, why: "age" });
    else if (at < excess) planned.push({ facts, why: "count" });
  }
  return planned;
}

const endOf = (facts: JobFacts): number => facts.finishedAtMs ?? 0;

function isInUse({ read, namedBy }: ForemanState, jobId: JobId): boolean {
  return read.has(jobId) || namedBy.has(jobId);
}

function isOverfull({ retention }: ForemanState, { jobsMax }: RetentionRules): boolean {
  if (jobsMax === null) return false;
  return retention.completed.endedAtMs.size + retention.failed.endedAtMs.size > jobsMax;
}

const oldestAtMs = ({ completed, failed }: RetentionState): number =>
  Math.min(earliestAtMs(completed.byEnd), earliestAtMs(failed.byEnd));

interface DueJob {
  readonly jobId: JobId;
  readonly why: RetentionReason;
}

/** Takes the next job out of its queue whose time has come; null: none. */
function takeDue(state: ForemanState, atMs: number): DueJob | null {
  const rules = state.options.retention;
  if (rules === undefined) return null;
  const { completed, failed } = state.retention;
  const aged =
    takeOlder(completed, rules.completedMs, atMs) ?? takeOlder(failed, rules.failedMs, atMs);
  if (aged !== null) return { jobId: aged, why: "age" };
  if (!isOverfull(state, rules)) return null;
  const isFailedOlder = earliestAtMs(failed.byEnd) < earliestAtMs(completed.byEnd);
  const excess = takeOlder(isFailedOlder ? failed : completed, FRESH_MS, atMs);
  return excess === null ? null : { jobId: excess, why: "count" };
}

function takeOlder(queue: EndedQueue, ageMs: number | null, atMs: number): JobId | null {
  const jobId = ageMs === null ? undefined : popDue(queue.byEnd, atMs - ageMs);
  if (jobId === undefined) return null;
  queue.endedAtMs.delete(jobId);
  dropStale(queue);
  return jobId;
}

/** So that the first entry is always a true one, and stale ones never outnumber the others for long. */
function dropStale(queue: EndedQueue): void {
  const { byEnd, endedAtMs } = queue;
  const isStale = (at: number): boolean =>
    endedAtMs.get(byEnd.entries[at] as JobId) !== byEnd.atMs[at];
  while (byEnd.entries.length > 0 && isStale(0)) popDue(byEnd, Number.POSITIVE_INFINITY);
  if (byEnd.entries.length <= 2 * endedAtMs.size + 64) return;
  byEnd.entries.length = 0;
  byEnd.atMs.length = 0;
  for (const [jobId, atMs] of endedAtMs) pushAt(byEnd, atMs, jobId);
}
