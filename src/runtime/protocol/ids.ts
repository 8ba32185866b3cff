/** Branded identifiers, so that a job's number cannot be passed for a task's index. */

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Grows with each submission, from 1. */
export type JobId = Brand<number, "JobId">;
/** Globally unique: epoch x 2^32 + counter. The fence of everything a worker says about a task. */
export type AssignmentId = Brand<number, "AssignmentId">;
/** The name a worker keeps over restarts. */
export type WorkerId = Brand<string, "WorkerId">;
/** One boot of a worker process; it identifies the session, which survives reconnects. */
export type BootId = Brand<string, "BootId">;

export const asJobId = (value: number): JobId => value as JobId;
export const asAssignmentId = (value: number): AssignmentId => value as AssignmentId;
export const asWorkerId = (value: string): WorkerId => value as WorkerId;
export const asBootId = (value: string): BootId => value as BootId;

const ASSIGNMENTS_PER_EPOCH = 2 ** 32;

/** The first assignment id of a foreman's epoch; epochs stay below 2^20, so ids stay exact. */
export function firstAssignmentOfEpoch(epoch: number): AssignmentId {
  return asAssignmentId(epoch * ASSIGNMENTS_PER_EPOCH + 1);
}

export type TaskRef = { readonly jobId: JobId; readonly index: number };
export type JobOrTask = { readonly jobId: JobId; readonly index: number | null };

export const formatTaskId = (jobId: number, index: number): string => `${jobId}/${index}`;

/** Indexes travel as u32. */
const TASK_INDEX_MAX = 0xffffffff;

/** Parses `17`, `17/3` or `17-3`; null when the text is none of them. `last` is the caller's matter. */
export function parseJobOrTask(text: string): JobOrTask | null {
  const match = /^(\d{1,15})(?:[/-](\d{1,10}))?$/.exec(text);
  const jobId = Number(match?.[1] ?? 0);
  const index = match?.[2] === undefined ? null : Number(match[2]);
  if (jobId < 1 || (index !== null && index > TASK_INDEX_MAX)) return null;
  return { jobId: asJobId(jobId), index };
}
