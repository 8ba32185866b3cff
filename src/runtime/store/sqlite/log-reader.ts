/**
 * Reads the settlement log. Folds read headers only, page by page, and let other work have its turn
 * between pages, so that a job of a million settlements holds up no heartbeat.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { expandIndexes } from "../../protocol/columns.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { JobFold } from "../../scheduler/foreman/facts.ts";
import { chunkOfRow, restCancelledChunk, restCancelledTask } from "../settlement-chunk.ts";
import { createFold, foldRow, type LogHeader } from "../settlement-fold.ts";
import type { SettlementChunk, SettlementSketch } from "../store.ts";
import { planTaskHistory } from "../task-history.ts";
import {
  type HeaderRow,
  headerOfRow,
  restCancelledOfRow,
  SETTLEMENT_GET,
  SETTLEMENT_GET_NEXT,
  SETTLEMENT_LAST_SEQ,
  SETTLEMENT_LIST_HEADERS,
  SETTLEMENT_LIST_HEADERS_AROUND,
  SETTLEMENT_SKETCH_NEXT,
  type SettlementRow,
  settlementOfRow,
  sketchOfRow,
} from "./log-rows.ts";

/** A page is some milliseconds of reading and, with scattered indexes, at most some MiB. */
const HEADERS_PER_PAGE = 2_000;
/** Rows looked through for one task before other work has its turn. */
const SEQS_PER_TURN = 20_000;

export interface LogReader {
  /** The fold of all rows whose number is below `bounds.seq`. */
  fold(jobId: JobId, bounds: FoldBounds): Promise<JobFold>;
  /** The same without a pause, for a start and within a read transaction. */
  foldAtOnce(jobId: JobId, bounds: FoldBounds): JobFold;
  /** The number of the newest row; 0: none. */
  lastSeq(jobId: JobId): number;
  settlementAt(jobId: JobId, seq: number): Promise<SettlementChunk | null>;
  settlementsFrom(
    jobId: JobId,
    from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
  ): Promise<SettlementChunk[]>;
  sketchesFrom(
    jobId: JobId,
    from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
  ): SettlementSketch[];
  reopenedAt(jobId: JobId, seq: number): Uint32Array | null;
  taskHistory(jobId: JobId, index: number): Promise<SettlementChunk[]>;
}

export interface FoldBounds {
  readonly inputCount: number;
  readonly seq: number;
}

export function createLogReader(database: SqlDatabase): LogReader {
  const listHeaders = database.prepare<HeaderRow>(SETTLEMENT_LIST_HEADERS);
  const listAround = database.prepare<HeaderRow>(SETTLEMENT_LIST_HEADERS_AROUND);
  const getLastSeq = database.prepare<{ seq: number | null }>(SETTLEMENT_LAST_SEQ);
  const getRow = database.prepare<SettlementRow>(SETTLEMENT_GET);
  const getNext = database.prepare<SettlementRow>(SETTLEMENT_GET_NEXT);
  const sketchNext = database.prepare<SettlementRow>(SETTLEMENT_SKETCH_NEXT);

  /** Applies a page to the fold with each step. */
  function* foldPages(fold: JobFold, jobId: JobId, beforeSeq: number): Generator<void, void, void> {
    for (let seq = 0; ; ) {
      const rows = listHeaders.all(jobId, seq, beforeSeq, HEADERS_PER_PAGE);
      for (const row of rows) foldRow(fold, headerOfRow(row));
      if (rows.length < HEADERS_PER_PAGE) return;
      seq = rows.at(-1)?.seq ?? seq;
      yield;
    }
  }

  async function fold(jobId: JobId, bounds: FoldBounds): Promise<JobFold> {
    const result = createFold(bounds.inputCount);
    for (const _page of foldPages(result, jobId, bounds.seq)) await nextTurn();
    return result;
  }

  async function chunkOf(jobId: JobId, row: SettlementRow): Promise<SettlementChunk | null> {
    if (row.kind === "reopen") return null;
    if (row.kind !== "rest_cancelled") return settlementOfRow(jobId, row);
    const rest = restCancelledOfRow(jobId, row);
    return restCancelledChunk(rest, await fold(jobId, rest));
  }

  const lastSeq = (jobId: JobId): number => getLastSeq.get(jobId)?.seq ?? 0;

  async function headersAround(jobId: JobId, index: number): Promise<LogHeader[]> {
    const end = lastSeq(jobId);
    const headers: LogHeader[] = [];
    for (let seq = 0; seq < end; seq += SEQS_PER_TURN) {
      if (seq > 0) await nextTurn();
      const rows = listAround.all(jobId, seq, seq + SEQS_PER_TURN, index, index);
      for (const row of rows) headers.push(headerOfRow(row));
    }
    return headers;
  }

  return {
    lastSeq,
    fold,
    foldAtOnce(jobId, bounds) {
      const result = createFold(bounds.inputCount);
      for (const _page of foldPages(result, jobId, bounds.seq));
      return result;
    },
    async settlementAt(jobId, seq) {
      const row = getRow.get(jobId, seq);
      return row ? chunkOf(jobId, row) : null;
    },
    async settlementsFrom(jobId, { seq, limit, bytesMax }) {
      const chunks: SettlementChunk[] = [];
      let byteCount = 0;
      for (let next = seq; chunks.length < limit && byteCount < bytesMax; ) {
        const row = getNext.get(jobId, next);
        const chunk = row && (await chunkOf(jobId, row));
        if (!chunk) break;
        chunks.push(chunk);
        byteCount += chunk.values.data.byteLength;
        next = chunk.seq + 1;
      }
      return chunks;
    },
    sketchesFrom(jobId, { seq, limit, bytesMax }) {
      const sketches: SettlementSketch[] = [];
      let byteCount = 0;
      for (let next = seq; sketches.length < limit && byteCount < bytesMax; ) {
        const row = sketchNext.get(jobId, next);
        if (!row) break;
        const sketch = sketchOfRow(jobId, row);
        sketches.push(sketch);
        byteCount += sketch.values?.data.byteLength ?? 0;
        next = sketch.seq + 1;
      }
      return sketches;
    },
    reopenedAt(jobId, seq) {
      const row = getRow.get(jobId, seq);
      const header = row ? headerOfRow(row) : null;
      return header?.kind === "reopen" ? expandIndexes(header.indexes, header.count) : null;
    },
    async taskHistory(jobId, index) {
      const places = planTaskHistory(await headersAround(jobId, index), index);
      return places.flatMap(({ seq, row: rowNumber, attempt }) => {
        const row = getRow.get(jobId, seq);
        if (!row) return [];
        if (row.kind === "rest_cancelled") {
          return [restCancelledTask(restCancelledOfRow(jobId, row), { index, attempt })];
        }
        return [chunkOfRow(settlementOfRow(jobId, row), { row: rowNumber, index })];
      });
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
