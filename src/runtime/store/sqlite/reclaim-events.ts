/**
 * Keeps the events that belong to no job (of workers and of the foreman) within a number and an age;
 * a job's own go with the job.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import type { ReclaimLimits } from "../store.ts";
import { isSpent, type SliceBudget } from "./slice-budget.ts";

type EventLimits = Pick<ReclaimLimits, "nowMs" | "eventsMax" | "eventAgeMsMax">;

export interface EventPruner {
  /** A group of changes wrote so many. */
  onWritten(count: number): void;
  /** What was counted may not be there. */
  onRolledBack(): void;
  hasWork(limits: EventLimits): boolean;
  /** Within a transaction. */
  deleteSlice(budget: SliceBudget, limits: EventLimits): void;
}

const EVENT_COUNT_FREE = `
  select count(*) as row_count
  from event
  where job_id is null`;

const EVENT_LIST_OLDEST_FREE = `
  select seq, at_ms
  from event
  where job_id is null
  order by seq
  limit ?`;

const EVENT_DELETE_FREE = `
  delete from event
  where job_id is null and seq <= ?`;

export function createEventPruner(database: SqlDatabase): EventPruner {
  const countFree = database.prepare<{ row_count: number }>(EVENT_COUNT_FREE);
  const listOldest = database.prepare<{ seq: number; at_ms: number }>(EVENT_LIST_OLDEST_FREE);
  const deleteFree = database.prepare(EVENT_DELETE_FREE);
  /** null: to be counted in the table. */
  let count: number | null = null;

  const countNow = (): number => {
    count ??= countFree.get()?.row_count ?? 0;
    return count;
  };

  /** The oldest ones that are too many or too old. */
  function findOutdated({ nowMs, eventsMax, eventAgeMsMax }: EventLimits, rowsMax: number) {
    const excess = countNow() - eventsMax;
    const oldestAtMs = nowMs - eventAgeMsMax;
    const rows = listOldest.all(rowsMax);
    const kept = rows.findIndex((row, at) => at >= excess && row.at_ms >= oldestAtMs);
    return kept === -1 ? rows : rows.slice(0, kept);
  }

  return {
    onWritten(written) {
      if (count !== null) count += written;
    },
    onRolledBack() {
      count = null;
    },
    hasWork: (limits) => findOutdated(limits, 1).length > 0,
    deleteSlice(budget, limits) {
      if (isSpent(budget)) return;
      const last = findOutdated(limits, budget.rows).at(-1);
      if (!last) return;
      const deleted = deleteFree.run(last.seq);
      budget.rows -= deleted;
      count = countNow() - deleted;
    },
  };
}
