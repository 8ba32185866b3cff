/**
 * By what a monitor's lists can be sorted: the names that travel in `ListWindow.sort`, offered by the
 * monitor in this order. "" is a list's own order: unfinished jobs first and then the newest, workers by
 * name, tasks by index, slots by number.
 */

export const JOB_SORTS = [
  "id",
  "name",
  "state",
  "progress",
  "running",
  "queued",
  "failed",
  "rate",
  "eta",
  "priority",
  "owner",
] as const;
export type JobSort = (typeof JOB_SORTS)[number];

export const WORKER_SORTS = [
  "name",
  "state",
  "slots",
  "cpu",
  "memory",
  "rate",
  "failed",
  "heartbeat",
] as const;
export type WorkerSort = (typeof WORKER_SORTS)[number];

/** `time` sorts what runs by how long it does, and what is settled by index. */
export const TASK_SORTS = ["index", "time"] as const;

export const SLOT_SORTS = ["slot", "job", "time", "cpu", "memory"] as const;
export type SlotSort = (typeof SLOT_SORTS)[number];

const LARGEST_FIRST: ReadonlySet<string> = new Set([
  "id",
  "progress",
  "running",
  "queued",
  "failed",
  "rate",
  "priority",
  "slots",
  "cpu",
  "memory",
  "heartbeat",
  "time",
]);

/**
 * Whether the largest comes first: of amounts and ages it does unless `reverse` says otherwise; names,
 * states and what is left of a job begin with the least. Rows without the figure come last either way.
 */
export const isDescending = (sort: string, reverse: boolean): boolean =>
  LARGEST_FIRST.has(sort) !== reverse;
