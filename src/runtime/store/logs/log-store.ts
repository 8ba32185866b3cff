/**
 * Where what tasks printed is kept: rows of pieces in order of arrival, apart from the facts, since a log
 * is no result and must never hold one up. It decides nothing: what is kept, dropped and forgotten is the
 * foreman's matter. Every call is short and synchronous; the caller bounds how much it asks for.
 */
import type { LogColumns } from "../../protocol/log-columns.ts";

/** Pieces of one job that arrived together: of many attempts, or of one alone. */
export interface LogRow {
  /** Grows with arrival and is never given twice; readers' cursors are made of it. */
  readonly seq: number;
  readonly jobId: number;
  /** The range of the tasks in it. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** The attempt to which all of it belongs; null: there are several. */
  readonly attempt: number | null;
  /** Of a row of one attempt: bytes of its log before this row, dropped ones included. */
  readonly firstByte: number;
  /** Of a row of one attempt: bytes of its log that were dropped right before this row. */
  readonly gapBytes: number;
  /** The foreman's time line; never less than in the row before. */
  readonly arrivedAtMs: number;
  readonly byteCount: number;
  readonly columns: LogColumns;
  readonly data: Uint8Array;
}

/** What a search looks at before it opens a row. */
export interface LogRowPlace {
  readonly seq: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
}

/** A row of one attempt, without what is in it. */
export interface AttemptRow {
  readonly seq: number;
  readonly firstByte: number;
  readonly gapBytes: number;
  readonly byteCount: number;
}

export interface AttemptSum {
  readonly attempt: number;
  readonly byteCount: number;
  readonly gapBytes: number;
}

export interface JobLog {
  readonly jobId: number;
  readonly byteCount: number;
  readonly droppedBytes: number;
}

/** All or nothing. */
export interface LogGroup {
  readonly rows: readonly LogRow[];
  /** Rows from the middle of attempts' logs. */
  readonly dropped: readonly number[];
  /** What `gapBytes` of a row has become. */
  readonly gaps: readonly { readonly seq: number; readonly gapBytes: number }[];
  /** What the jobs of all these rows have now. */
  readonly jobs: readonly JobLog[];
}

/** `busy`: nothing was written, try again. `full`: no room. Worse is thrown, and then it is of no use any more. */
export type LogOutcome = "ok" | "busy" | "full";

/** The rows of a job from one number to another, both included. */
export interface LogSpan {
  readonly jobId: number;
  readonly from: number;
  readonly to: number;
}

export interface LogStore {
  /** One more than the largest number ever given. */
  readonly nextSeq: number;
  /** @throws CcError `logs_broken` */
  write(group: LogGroup): LogOutcome;
  /** In the order of their numbers, or with `backward` the last ones first. @throws CcError `logs_broken` */
  places(
    span: LogSpan,
    order: { readonly backward: boolean; readonly limit: number },
  ): readonly LogRowPlace[];
  /** null: it was dropped or forgotten meanwhile. */
  row(seq: number): LogRow | null;
  /** The job's first row that arrived at or after the instant; null: none has. */
  firstSince(jobId: number, atMs: number): number | null;
  /** Rows of this attempt alone, from a number on. */
  attemptRows(
    attempt: { readonly jobId: number; readonly index: number; readonly attempt: number },
    fromSeq: number,
    limit: number,
  ): readonly AttemptRow[];
  /** What rows of single attempts hold of a task, and what was dropped right before them. */
  attemptSums(jobId: number, index: number): readonly AttemptSum[];
  /** Every job that has a log. */
  jobs(): readonly JobLog[];
  job(jobId: number): JobLog | null;
  /**
   * Forgets up to `limit` rows of a job, the oldest first; `keepsCount`: what went is counted as dropped
   * instead of forgotten. `bytes` were freed; false: nothing is left of it.
   */
  removeRows(
    jobId: number,
    limit: number,
    keepsCount: boolean,
  ): { readonly outcome: LogOutcome; readonly bytes: number; readonly more: boolean };
  /** What it takes on the disk without what is free in the file. */
  usedBytes(): number;
  /** Gives up to so many free pages back to the disk; whether more are free. */
  shrink(pagesMax: number): boolean;
  close(): void;
}
