/**
 * Logs in an SQLite database of their own, in rows of up to some 64 KiB. Nothing waits for a lock: busy is
 * an outcome. What is broken is thrown once as `logs_broken`; who opens the folder sets it aside then.
 */
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import { CcError } from "../../protocol/error.ts";
import { plainBytes } from "../sqlite/binary-columns.ts";
import { decodeLogColumns, encodeLogColumns } from "./log-columns.ts";
import {
  type LogStatements,
  type PlaceRow,
  prepareStatements,
  type StoredAttemptRow,
  type StoredJob,
  type StoredRow,
} from "./log-statements.ts";
import type { AttemptRow, JobLog, LogOutcome, LogRow, LogRowPlace, LogStore } from "./log-store.ts";

/** The tables must be there; `close` closes the database. */
export function createSqliteLogStore(database: SqlDatabase): LogStore {
  const statements = prepareStatements(database);
  let nextSeq = 1 + (statements.getLastSeq.get()?.seq ?? 0);

  function transact(what: string, write: () => void): LogOutcome {
    try {
      statements.begin.run();
      write();
      statements.commit.run();
      return "ok";
    } catch (thrown) {
      try {
        if (database.inTransaction) statements.rollback.run();
      } catch (second) {
        throw logsBroken(database.path, what, second);
      }
      const fault = sqliteFaultOf(thrown);
      if (fault === "busy" || fault === "full") return fault;
      throw logsBroken(database.path, what, thrown);
    }
  }

  function reading<Result>(what: string, read: () => Result): Result {
    try {
      return read();
    } catch (thrown) {
      throw logsBroken(database.path, what, thrown);
    }
  }

  function addRow(row: LogRow): void {
    const { seq, jobId, firstIndex, lastIndex, attempt, firstByte, gapBytes } = row;
    const columns = encodeLogColumns(row.columns);
    statements.addRow.run(
      seq,
      jobId,
      firstIndex,
      lastIndex,
      attempt,
      firstByte,
      gapBytes,
      Math.floor(row.arrivedAtMs),
      row.byteCount,
      columns,
      row.data,
    );
  }

  function putJob({ jobId, byteCount, droppedBytes }: JobLog): void {
    statements.putJob.run(jobId, byteCount, droppedBytes);
  }

  return {
    get nextSeq() {
      return nextSeq;
    },
    write({ rows, dropped, gaps, jobs }) {
      const outcome = transact("write a log", () => {
        for (const row of rows) addRow(row);
        for (const seq of dropped) statements.deleteRow.run(seq);
        for (const { seq, gapBytes } of gaps) statements.setGap.run(gapBytes, seq);
        for (const job of jobs) putJob(job);
      });
      const last = rows.at(-1);
      if (outcome === "ok" && last !== undefined) nextSeq = Math.max(nextSeq, last.seq + 1);
      return outcome;
    },
    places({ jobId, from, to }, { backward, limit }) {
      const statement = backward ? statements.placesBackward : statements.placesForward;
      return reading("look through a log", () =>
        statement.all(jobId, from, to, limit).map(placeOf),
      );
    },
    row: (seq) =>
      reading("read a log", () => {
        const stored = statements.getRow.get(seq);
        return stored === null ? null : rowOf(stored);
      }),
    firstSince: (jobId, atMs) =>
      reading("look through a log", () => findFirstSince(statements, jobId, atMs)),
    attemptRows: ({ jobId, index, attempt }, fromSeq, limit) =>
      reading("look through a log", () =>
        statements.attemptRows.all(jobId, index, attempt, fromSeq, limit).map(attemptRowOf),
      ),
    attemptSums: (jobId, index) =>
      reading("measure a log", () =>
        statements.attemptSums.all(jobId, index).map(({ attempt, byte_count, gap_bytes }) => ({
          attempt,
          byteCount: byte_count,
          gapBytes: gap_bytes,
        })),
      ),
    jobs: () => reading("list logs", () => statements.jobs.all().map(jobOf)),
    job: (jobId) =>
      reading("look at a log", () => {
        const stored = statements.getJob.get(jobId);
        return stored === null ? null : jobOf(stored);
      }),
    removeRows(jobId, limit, keepsCount) {
      let bytes = 0;
      let more = false;
      const outcome = transact("forget a log", () => {
        const rows = statements.jobSizes.all(jobId, limit);
        for (const { seq, byte_count } of rows) {
          statements.deleteRow.run(seq);
          bytes += byte_count;
        }
        more = rows.length === limit;
        const job = statements.getJob.get(jobId);
        if (job === null) return;
        if (!more && !keepsCount) statements.deleteJob.run(jobId);
        else {
          putJob({
            jobId,
            byteCount: Math.max(0, job.byte_count - bytes),
            droppedBytes: job.dropped_bytes + (keepsCount ? bytes : 0),
          });
        }
      });
      return outcome === "ok" ? { outcome, bytes, more } : { outcome, bytes: 0, more: true };
    },
    usedBytes: () =>
      reading("measure the logs", () => {
        const pages = pragmaNumber(database, "page_count") - freePages(database);
        return pages * pragmaNumber(database, "page_size");
      }),
    shrink(pagesMax) {
      try {
        const before = freePages(database);
        if (before > 0) database.exec(`pragma incremental_vacuum(${pagesMax})`);
        const after = freePages(database);
        // A file that was made without it keeps its free pages.
        return after > 0 && after < before;
      } catch (thrown) {
        const fault = sqliteFaultOf(thrown);
        if (fault === "busy" || fault === "full") return false;
        throw logsBroken(database.path, "give space back", thrown);
      }
    },
    close: () => database.close(),
  };
}

/** Arrivals never go back, so that the first one can be searched for by halves. */
function findFirstSince(statements: LogStatements, jobId: number, atMs: number): number | null {
  const next = (from: number) => statements.nextArrival.get(jobId, from);
  const last = statements.lastSeq.get(jobId)?.seq ?? null;
  if (last === null) return null;
  let low = 1;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = next(middle);
    if (row === null || row.arrived_at_ms >= atMs) high = middle;
    else low = row.seq + 1;
  }
  return next(low)?.seq ?? null;
}

const placeOf = ({ seq, first_index, last_index }: PlaceRow): LogRowPlace => ({
  seq,
  firstIndex: first_index,
  lastIndex: last_index,
});

function rowOf(stored: StoredRow): LogRow {
  return {
    seq: stored.seq,
    jobId: stored.job_id,
    firstIndex: stored.first_index,
    lastIndex: stored.last_index,
    attempt: stored.attempt,
    firstByte: stored.first_byte,
    gapBytes: stored.gap_bytes,
    arrivedAtMs: stored.arrived_at_ms,
    byteCount: stored.byte_count,
    columns: decodeLogColumns(plainBytes(stored.columns)),
    data: plainBytes(stored.data),
  };
}

const attemptRowOf = (row: StoredAttemptRow): AttemptRow => ({
  seq: row.seq,
  firstByte: row.first_byte,
  gapBytes: row.gap_bytes,
  byteCount: row.byte_count,
});

const jobOf = (row: StoredJob): JobLog => ({
  jobId: row.job_id,
  byteCount: row.byte_count,
  droppedBytes: row.dropped_bytes,
});

const pragmaNumber = (database: SqlDatabase, name: string): number => Number(database.pragma(name));
const freePages = (database: SqlDatabase): number => pragmaNumber(database, "freelist_count");

/** Damaged, or its disk fails; logs are not results, so this ends nothing. */
export function logsBroken(path: string, what: string, cause: unknown): CcError {
  if (cause instanceof CcError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new CcError({
    code: "logs_broken",
    message: `The logs in ${path} cannot be used: failed to ${what}: ${detail}.`,
    hint: "They are set aside and begun anew; results are not affected.",
    exitCode: 3,
    cause,
  });
}
