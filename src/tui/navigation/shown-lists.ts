/** The lists of a picture as the navigation sees them: which ids stand where. Nothing here keeps state. */
import type { JobRowView, WorkerRowView } from "../../runtime/protocol/monitor-views.ts";
import type { FocusBody } from "../feed.ts";
import type { ListName } from "./view-state.ts";

export interface ShownList {
  /** Rows that the filter lets through; positions go from 0 to one below. */
  readonly matching: number;
  /** Position of `ids[0]`. */
  readonly from: number;
  readonly ids: readonly string[];
  /** Where the foreman found the row that was asked for; null: it was not asked for, or is gone. */
  readonly anchorAt: number | null;
}

/** null: the picture has no such list. */
export function shownList(shown: FocusBody | null, name: ListName): ShownList | null {
  if (shown === null) return null;
  switch (shown.kind) {
    case "overview":
      if (name === "jobs") return windowed(shown.body.jobs);
      if (name === "workers") return windowed(shown.body.workers);
      if (name === "events") return whole(shown.body.events.map(({ seq }) => String(seq)));
      return null;
    case "job":
      if (name === "tasks") return windowed(shown.body.tasks);
      if (name === "errors") return whole(shown.body.errors.map(({ group_id }) => group_id));
      return null;
    case "worker":
      if (name === "tasks") return windowed(shown.body.tasks);
      if (name === "errors") return whole(shown.body.recent_failures.map(failureId));
      return null;
    case "task":
      return null;
  }
}

/** A worker's recent failures have no id of their own: a task may fail twice there. */
export const failureId = (failure: { readonly task_id: string; readonly time: string }): string =>
  `${failure.task_id}@${failure.time}`;

interface Windowed {
  readonly matching: number;
  readonly from: number;
  readonly order: readonly string[];
  readonly anchor_at: number | null;
}

const windowed = ({ matching, from, order, anchor_at }: Windowed): ShownList => ({
  matching,
  from,
  ids: order,
  anchorAt: anchor_at,
});

const whole = (ids: readonly string[]): ShownList => ({
  matching: ids.length,
  from: 0,
  ids,
  anchorAt: null,
});

/** -1: not among those that are here. */
export function positionOf(list: ShownList, id: string): number {
  const index = list.ids.indexOf(id);
  return index < 0 ? -1 : list.from + index;
}

/** null: nothing is there, or it has not come yet. */
export const idAt = (list: ShownList, position: number): string | null =>
  list.ids[position - list.from] ?? null;

export function jobRowOf(shown: FocusBody | null, jobId: number): JobRowView | null {
  if (shown?.kind === "job") return shown.body.job.job_id === jobId ? shown.body.job : null;
  if (shown?.kind === "overview") return ownRow(shown.body.jobs.rows, String(jobId));
  return null;
}

export function workerRowOf(shown: FocusBody | null, workerId: string): WorkerRowView | null {
  if (shown?.kind === "worker") {
    return shown.body.worker.worker_id === workerId ? shown.body.worker : null;
  }
  return shown?.kind === "overview" ? ownRow(shown.body.workers.rows, workerId) : null;
}

/** Names come from other people: `constructor` is none of the object's own. */
export const ownRow = <Row>(rows: Readonly<Record<string, Row>>, id: string): Row | null =>
  Object.hasOwn(rows, id) ? (rows[id] ?? null) : null;
