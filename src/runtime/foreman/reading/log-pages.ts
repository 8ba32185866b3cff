/**
 * Answers `read_logs`: a cursor over the rows of a job's log, in either direction. A cursor is a row's
 * number and a piece in it, so it stays what it is whatever is written or dropped. Work is bounded in
 * each turn and for each answer; a search that finds little goes on with the next request.
 */
import type { Clock } from "../../platform/clock.ts";
import { compactU32 } from "../../protocol/columns.ts";
import { LOG_PIECES_MAX } from "../../protocol/limits.ts";
import { LOG_STREAM_GAP } from "../../protocol/messages/logs.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { LogRow, LogStore } from "../../store/logs/log-store.ts";
import type { LogSelection, ReadLogs } from "./log-selection.ts";
import { nextTurn } from "./turns.ts";

export type Logs = MessageOf<"logs">;
export type LogTotals = Pick<Logs, "total_bytes" | "dropped_bytes">;

/** Of an answer's data; the columns beside it are about as much for short lines. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Rows whose place is looked at, in one turn and for one answer. */
const PLACES_PER_TURN = 2_000;
const PLACES_PER_ANSWER = 40_000;
/** Rows that are opened in one turn: some milliseconds. */
const ROWS_PER_TURN = 16;
const ROWS_PER_ANSWER = 512;
/** Ordinals in a row: 0 is the gap before it, pieces count from 1. */
const ORDINALS = 65_536;

interface Found {
  readonly cursor: number;
  readonly index: number;
  readonly attempt: number;
  readonly stream: number;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export interface LogPage {
  readonly pieces: readonly Found[];
  readonly firstCursor: number;
  readonly nextCursor: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

interface Search {
  readonly store: LogStore;
  readonly clock: Pick<Clock, "defer">;
  readonly selection: LogSelection;
  readonly bytesMax: number;
}

const encoder = new TextEncoder();

export async function findLogPage(
  { store, clock }: { readonly store: LogStore; readonly clock: Pick<Clock, "defer"> },
  request: ReadLogs,
  selection: LogSelection,
): Promise<LogPage> {
  const bytesMax = Math.min(request.bytes_max, ANSWER_BYTES_MAX);
  const search: Search = { store, clock, selection, bytesMax };
  return request.direction === "forward"
    ? await searchForward(search, request.cursor ?? 0)
    : await searchBackward(search, request.cursor ?? null);
}

export function answerLogs(
  request: ReadLogs,
  page: LogPage,
  { totals, finished }: { readonly totals: LogTotals; readonly finished: boolean },
): Logs {
  const { pieces } = page;
  const baseMs = pieces.reduce((least, { atMs }) => Math.min(least, atMs), pieces[0]?.atMs ?? 0);
  const column = (of: (piece: Found) => number) => compactU32(Uint32Array.from(pieces, of));
  return {
    type: "logs",
    request: request.request,
    job_id: request.job_id,
    first_cursor: page.firstCursor,
    next_cursor: page.nextCursor,
    at_start: page.atStart,
    at_end: page.atEnd,
    finished: finished && page.atEnd,
    ...totals,
    count: pieces.length,
    index: column(({ index }) => index),
    attempt: column(({ attempt }) => attempt),
    stream: column(({ stream }) => stream),
    base_ms: baseMs,
    after_ms: column(({ atMs }) => atMs - baseMs),
    length: column(({ bytes }) => bytes.byteLength),
    data: Buffer.concat(pieces.map(({ bytes }) => bytes)),
  };
}

async function searchForward(search: Search, given: number): Promise<LogPage> {
  const { store, selection } = search;
  const { jobId, sinceMs } = selection;
  const pieces: Found[] = [];
  const sinceSeq = sinceMs === null ? 0 : store.firstSince(jobId, sinceMs);
  const budget = createBudget(search);
  const from = Math.max(given, (sinceSeq ?? 0) * ORDINALS);
  let cursor = from;
  const page = (atEnd: boolean): LogPage => ({
    pieces,
    firstCursor: pieces[0]?.cursor ?? from,
    nextCursor: cursor,
    atStart: given === 0,
    atEnd,
  });
  // Nothing has arrived since; rows to come have larger numbers than all there are.
  if (sinceSeq === null) return page(true);
  for (;;) {
    const span = { jobId, from: Math.floor(cursor / ORDINALS), to: Number.MAX_SAFE_INTEGER };
    const places = store.places(span, { backward: false, limit: PLACES_PER_TURN });
    for (const place of places) {
      const row = selection.mayHold(place.firstIndex, place.lastIndex)
        ? await budget.open(place.seq)
        : null;
      for (const piece of row === null ? [] : piecesOf(row, selection)) {
        if (piece.cursor < cursor) continue;
        if (!budget.takes(piece, pieces.length)) {
          cursor = piece.cursor;
          return page(false);
        }
        pieces.push(piece);
      }
      cursor = (place.seq + 1) * ORDINALS;
      if (budget.isSpent()) return page(false);
    }
    if (places.length < PLACES_PER_TURN) return page(true);
    if (!(await budget.nextPlaces(places.length))) return page(false);
  }
}

async function searchBackward(search: Search, given: number | null): Promise<LogPage> {
  const { store, selection } = search;
  const { jobId, sinceMs } = selection;
  const sinceSeq = sinceMs === null ? 0 : store.firstSince(jobId, sinceMs);
  const budget = createBudget(search);
  /** The last row first, in each its pieces in order. */
  const groups: Found[][] = [];
  let count = 0;
  let end = given ?? store.nextSeq * ORDINALS;
  const nextCursor = end;
  const page = (firstCursor: number, atStart: boolean): LogPage => ({
    pieces: groups.reverse().flat(),
    firstCursor,
    nextCursor,
    atStart,
    atEnd: given === null,
  });
  if (sinceSeq === null) return page(end, true);
  for (;;) {
    // A cursor at a row's beginning has nothing of that row before it.
    const to = Math.ceil(end / ORDINALS) - 1;
    const places = store.places(
      { jobId, from: sinceSeq, to },
      { backward: true, limit: PLACES_PER_TURN },
    );
    for (const place of places) {
      const row = selection.mayHold(place.firstIndex, place.lastIndex)
        ? await budget.open(place.seq)
        : null;
      const wanted = row === null ? [] : [...piecesOf(row, selection)];
      const group: Found[] = [];
      for (const piece of wanted.reverse()) {
        if (piece.cursor >= end) continue;
        if (!budget.takes(piece, count)) {
          groups.push(group.reverse());
          return page(piece.cursor + 1, false);
        }
        group.push(piece);
        count++;
      }
      groups.push(group.reverse());
      end = place.seq * ORDINALS;
      if (budget.isSpent()) return page(end, false);
    }
    if (places.length < PLACES_PER_TURN) return page(end, true);
    if (!(await budget.nextPlaces(places.length))) return page(end, false);
  }
}

interface Budget {
  /** Opens a row, in a later turn where this one has opened enough. */
  open(seq: number): Promise<LogRow | null>;
  /** Whether the answer has room for the piece; the first one always fits. */
  takes(piece: Found, count: number): boolean;
  isSpent(): boolean;
  /** False: so many places are enough for one answer. */
  nextPlaces(count: number): Promise<boolean>;
}

function createBudget({ store, clock, bytesMax }: Search): Budget {
  let bytes = 0;
  let rows = 0;
  let places = 0;
  return {
    async open(seq) {
      if (++rows % ROWS_PER_TURN === 0) await nextTurn(clock);
      return store.row(seq);
    },
    takes(piece, count) {
      const size = piece.bytes.byteLength;
      if (count > 0 && (bytes + size > bytesMax || count >= LOG_PIECES_MAX)) return false;
      bytes += size;
      return true;
    },
    isSpent: () => rows >= ROWS_PER_ANSWER,
    async nextPlaces(count) {
      places += count;
      if (places >= PLACES_PER_ANSWER) return false;
      await nextTurn(clock);
      return true;
    },
  };
}

/** What of a row is wanted, in order. */
function* piecesOf(row: LogRow, selection: LogSelection): Generator<Found> {
  const { streams, sinceMs } = selection;
  const { index, attempt, pieces, stream, atMs, length } = row.columns;
  const base = row.seq * ORDINALS;
  if (row.gapBytes > 0 && streams[LOG_STREAM_GAP] === true && wantsGap(row, selection)) {
    yield {
      cursor: base,
      index: row.firstIndex,
      attempt: row.attempt ?? 0,
      stream: LOG_STREAM_GAP,
      atMs: atMs[0] ?? row.arrivedAtMs,
      bytes: encoder.encode(String(row.gapBytes)),
    };
  }
  let piece = 0;
  let byte = 0;
  for (let part = 0; part < index.length; part++) {
    const ofIndex = index[part] as number;
    const ofAttempt = attempt[part] as number;
    const isWanted = selection.wants(ofIndex, ofAttempt);
    for (const end = piece + (pieces[part] as number); piece < end; piece++) {
      const from = byte;
      byte += length[piece] as number;
      const ofStream = stream[piece] as number;
      const at = atMs[piece] as number;
      if (!isWanted || streams[ofStream] !== true || (sinceMs !== null && at < sinceMs)) continue;
      yield {
        cursor: base + 1 + piece,
        index: ofIndex,
        attempt: ofAttempt,
        stream: ofStream,
        atMs: at,
        bytes: row.data.subarray(from, byte),
      };
    }
  }
}

const wantsGap = (row: LogRow, { wants, sinceMs }: LogSelection): boolean =>
  wants(row.firstIndex, row.attempt ?? 0) && (sinceMs === null || row.arrivedAtMs >= sinceMs);
