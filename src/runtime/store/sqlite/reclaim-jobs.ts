/** Deletes the rows that removed jobs left, oldest job first, as many as a slice may. */
import type { SqlDatabase, SqlStatement } from "../../platform/sqlite-driver.ts";
import { isSpent, type SliceBudget } from "./slice-budget.ts";

export interface JobReclaimer {
  hasWork(): boolean;
  /** Within a transaction. */
  deleteSlice(budget: SliceBudget): void;
}

const REMOVED_JOB_FIRST = `
  select job_id
  from removed_job
  order by job_id
  limit 1`;

const REMOVED_JOB_DELETE = `
  delete from removed_job
  where job_id = ?`;

/** `length` of a blob reads no page of it. Each list is in the order of its key. */
const TABLES: readonly { readonly list: string; readonly deleteUpTo: string }[] = [
  {
    list: `
      select seq as first_key, 0 as second_key, coalesce(length(data), 0) as byte_count
      from settlement
      where job_id = ?
      order by seq
      limit ?`,
    deleteUpTo: "delete from settlement where job_id = ? and seq <= ? and ? = 0",
  },
  {
    list: `
      select first_index as first_key, 0 as second_key, length(data) as byte_count
      from input_chunk
      where job_id = ?
      order by first_index
      limit ?`,
    deleteUpTo: "delete from input_chunk where job_id = ? and first_index <= ? and ? = 0",
  },
  {
    list: `
      select task_index as first_key, attempt as second_key,
        coalesce(length(error), 0) as byte_count
      from attempt_end
      where job_id = ?
      order by task_index, attempt
      limit ?`,
    deleteUpTo: `
      delete from attempt_end
      where job_id = ? and (task_index, attempt) <= (?, ?)`,
  },
  {
    list: `
      select task_index as first_key, 0 as second_key, 0 as byte_count
      from task_exception
      where job_id = ?
      order by task_index
      limit ?`,
    deleteUpTo: "delete from task_exception where job_id = ? and task_index <= ? and ? = 0",
  },
  {
    list: `
      select seq as first_key, 0 as second_key, length(body) as byte_count
      from event
      where job_id = ?
      order by seq
      limit ?`,
    deleteUpTo: "delete from event where job_id = ? and seq <= ? and ? = 0",
  },
];

interface KeyRow {
  readonly first_key: number;
  readonly second_key: number;
  readonly byte_count: number;
}

interface TableStatements {
  readonly list: SqlStatement<KeyRow>;
  readonly deleteUpTo: SqlStatement;
}

export function createJobReclaimer(database: SqlDatabase): JobReclaimer {
  const getFirst = database.prepare<{ job_id: number }>(REMOVED_JOB_FIRST);
  const deleteRemoved = database.prepare(REMOVED_JOB_DELETE);
  const tables = TABLES.map(({ list, deleteUpTo }) => ({
    list: database.prepare<KeyRow>(list),
    deleteUpTo: database.prepare(deleteUpTo),
  }));

  return {
    hasWork: () => getFirst.get() !== null,
    deleteSlice(budget) {
      for (let job = getFirst.get(); job; job = getFirst.get()) {
        for (const table of tables) deleteRows(table, job.job_id, budget);
        if (isSpent(budget)) return;
        deleteRemoved.run(job.job_id);
        budget.rows--;
      }
    },
  };
}

/** Leaves the budget spent unless nothing of the job is left in this table. */
function deleteRows(table: TableStatements, jobId: number, budget: SliceBudget): void {
  if (isSpent(budget)) return;
  const rows = table.list.all(jobId, budget.rows);
  let last: KeyRow | undefined;
  for (const row of rows) {
    last = row;
    budget.rows--;
    budget.bytes -= row.byte_count;
    if (isSpent(budget)) break;
  }
  if (last) table.deleteUpTo.run(jobId, last.first_key, last.second_key);
}
