/**
 * Numbers the transactions that record something: the number stands in the database with what it
 * counts, and in the mark beside it once the transaction is durable. Compared at the next start.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import type { CommitMark } from "../commit-mark.ts";

export interface CommitCount {
  /** Within a transaction, after its writes. */
  advance(): void;
  /** The transaction is durable. */
  onCommitted(): void;
}

const COMMIT_NUMBER_GET = `
  select commit_number
  from foreman`;

const COMMIT_NUMBER_SET = `
  update foreman
  set commit_number = ?`;

/** 0 before the first start has ended. */
export function readCommitNumber(database: SqlDatabase): number {
  const row = database.prepare<{ commit_number: number }>(COMMIT_NUMBER_GET).get();
  return row?.commit_number ?? 0;
}

export function createCommitCount(database: SqlDatabase, mark: CommitMark | null): CommitCount {
  const put = database.prepare(COMMIT_NUMBER_SET);
  let commitNumber = readCommitNumber(database);
  return {
    advance() {
      put.run(commitNumber + 1);
    },
    onCommitted() {
      commitNumber++;
      mark?.write(commitNumber);
    },
  };
}
