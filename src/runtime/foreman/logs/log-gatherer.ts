/**
 * Makes rows of what workers send: recognises repetitions and gaps by their place in the attempt's log,
 * puts pieces of many attempts of a job into one row, and those of a talkative attempt into rows of
 * their own, so that its middle can go. It keeps a little of each attempt that was heard of lately.
 */
import { u32At } from "../../protocol/columns.ts";
import { createLogBuilder, type GatheredLog, type LogBuilder } from "../../protocol/log-columns.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { JobLog, LogRow, LogStore } from "../../store/logs/log-store.ts";
import {
  type AttemptLog,
  createAttemptLog,
  noteEnd,
  noteRow,
  recallAttempt,
  type Trim,
  trimAttempt,
} from "./attempt-log.ts";
import { firstByteOf, type IncomingPart, partsOf } from "./log-parts.ts";

/** A row on its way to the store. */
export type ClosedRow = GatheredLog &
  Pick<LogRow, "seq" | "jobId" | "attempt" | "gapBytes" | "firstByte" | "firstIndex" | "lastIndex">;

export interface LogGatherer {
  /** Bytes that wait here and are not in rows yet. */
  readonly openBytes: number;
  readonly openPieces: number;
  /** @param accepts by the part's number. @param keeps false: only counted, for want of room. */
  take(
    message: MessageOf<"task_log">,
    rules: { readonly accepts: (part: number) => boolean; readonly keeps: boolean },
  ): void;
  /** Closes every row in the making. */
  closeRows(): void;
  /** What must leave attempts that have become too long. */
  trim(): Trim[];
  /** The jobs that have changed since this was asked last. */
  changedJobs(): JobLog[];
  /** What a job has now, also what is not written; null: nothing of it is remembered here. */
  countsOf(jobId: number): JobLog | null;
  /** The row could not be written after all. */
  onDropped(row: ClosedRow): void;
  forget(jobId: number): void;
  /** Other logs lie in the store, or none: nothing that was remembered holds. */
  forgetAll(): void;
}

export interface LogGathererParts {
  store(): LogStore;
  nowMs(): number;
  /** Takes a row on and gives it its number. */
  onRow(row: Omit<ClosedRow, "seq">): number;
}

interface JobLogs {
  readonly jobId: number;
  byteCount: number;
  droppedBytes: number;
  /** Of attempts that say little. */
  shared: LogBuilder | null;
  readonly attempts: Map<number, AttemptLog>;
  /** What its last rows in the store say is known here. */
  isRecalled: boolean;
}

/** A row closes at so many bytes, pieces or parts. */
const ROW_BYTES = 64 * 1024;
const ROW_PIECES = 16_384;
const ROW_PARTS = 4_096;
/** A longer piece is cut. */
const PIECE_BYTES_MAX = 32 * 1024;
/** From here on an attempt has rows of its own. */
const ALONE_FROM_BYTES = 256 * 1024;
/** Attempts remembered; those heard of last stay. */
const ATTEMPTS_MAX = 50_000;
/** Rows looked at to know what was heard before our start. */
const RECALLED_ROWS = 64;
const RECALLED_PARTS_MAX = 10_000;
/** Attempts are numbered in 16 bits. */
const ATTEMPTS_A_TASK = 65_536;

export function createLogGatherer(parts: LogGathererParts): LogGatherer {
  const jobs = new Map<number, JobLogs>();
  const changed = new Set<JobLogs>();
  /** With a row of many attempts in the making. */
  const sharing = new Set<JobLogs>();
  const alone = new Set<AttemptLog>();
  let attemptCount = 0;
  let openBytes = 0;
  let openPieces = 0;
  let cycle = 1;

  function jobOf(jobId: number): JobLogs {
    const known = jobs.get(jobId);
    if (known !== undefined) return known;
    const stored = parts.store().job(jobId);
    const { byteCount = 0, droppedBytes = 0 } = stored ?? {};
    const attempts = new Map<number, AttemptLog>();
    const isNew = stored === null;
    const job: JobLogs = {
      jobId,
      byteCount,
      droppedBytes,
      shared: null,
      attempts,
      isRecalled: isNew,
    };
    jobs.set(jobId, job);
    return job;
  }

  /** What the last rows of many attempts say; what is older was acknowledged long ago. */
  function recallShared(job: JobLogs): void {
    job.isRecalled = true;
    const store = parts.store();
    const span = { jobId: job.jobId, from: 0, to: Number.MAX_SAFE_INTEGER };
    let partCount = 0;
    for (const { seq } of store.places(span, { backward: true, limit: RECALLED_ROWS })) {
      const row = store.row(seq);
      if (row === null || row.attempt !== null) continue;
      for (const { index, attempt, endByte, byteCount } of partsOf(row.columns)) {
        const log = attemptOf(job, index, attempt, false);
        log.keptBytes += byteCount;
        noteEnd(log, endByte);
      }
      partCount += row.columns.index.length;
      if (partCount > RECALLED_PARTS_MAX) return;
    }
  }

  function attemptOf(job: JobLogs, index: number, attempt: number, isNew: boolean): AttemptLog {
    const key = keyOf(index, attempt);
    const known = job.attempts.get(key);
    if (known !== undefined) return known;
    const log = createAttemptLog({ jobId: job.jobId, index, attempt }, isNew);
    job.attempts.set(key, log);
    attemptCount++;
    return log;
  }

  function take(
    message: MessageOf<"task_log">,
    { accepts, keeps }: { readonly accepts: (part: number) => boolean; readonly keeps: boolean },
  ): void {
    const nowMs = parts.nowMs();
    const job = jobOf(message.job_id);
    const again = message.again === true;
    if (again && !job.isRecalled) recallShared(job);
    let piece = 0;
    let byte = 0;
    for (let part = 0; part < message.part_count; part++) {
      const from = { piece, byte };
      for (const end = piece + u32At(message.pieces, part); piece < end; piece++) {
        byte += u32At(message.length, piece);
      }
      if (!accepts(part)) continue;
      const firstByte = firstByteOf(message, part);
      const isNew = !again && firstByte === 0;
      const index = u32At(message.index, part);
      const log = attemptOf(job, index, u32At(message.attempt, part), isNew);
      if (!log.isRecalled) recallAttempt(parts.store(), log, firstByte);
      addPart(job, log, { message, from, to: { piece, byte }, firstByte, keeps, nowMs });
    }
  }

  function addPart(job: JobLogs, log: AttemptLog, part: IncomingPart): void {
    const { from, to, firstByte } = part;
    const endByte = firstByte + to.byte - from.byte;
    log.cycle = cycle;
    if (endByte < log.endByte || (endByte === log.endByte && to.byte > from.byte)) return;
    const newFrom = Math.max(firstByte, log.endByte);
    const newBytes = endByte - newFrom;
    const missing = newFrom - log.endByte + (part.keeps ? 0 : newBytes);
    // A worker may tell any tale; the sum must stay a number that is stored.
    job.droppedBytes = Math.min(Number.MAX_SAFE_INTEGER, job.droppedBytes + missing);
    log.endByte = endByte;
    changed.add(job);
    if (!part.keeps) return;
    const gapBytes = newFrom - log.laidByte;
    if (newBytes === 0 && gapBytes === 0) return;
    job.byteCount += newBytes;
    const builder = openRow(job, log, { gapBytes, firstByte: newFrom, newBytes });
    lay(job, log, { part, builder, skipBytes: newFrom - firstByte, atByte: newFrom });
    log.laidByte = endByte;
  }

  /** The row that goes on with this attempt's log at such a byte. */
  function openRow(
    job: JobLogs,
    log: AttemptLog,
    at: { readonly gapBytes: number; readonly firstByte: number; readonly newBytes: number },
  ): LogBuilder {
    if (!log.isAlone && (at.gapBytes > 0 || log.keptBytes + at.newBytes > ALONE_FROM_BYTES)) {
      // What it has said before stands before what it says now.
      closeShared(job);
      log.isAlone = true;
    }
    if (!log.isAlone) {
      if ((job.shared?.partCount ?? 0) >= ROW_PARTS) closeShared(job);
      return beginShared(job, log, at.firstByte);
    }
    if (at.gapBytes > 0) closeAlone(log);
    if (log.builder === null) return beginAlone(log, at.gapBytes, at.firstByte);
    return log.builder;
  }

  function beginShared(job: JobLogs, log: AttemptLog, firstByte: number): LogBuilder {
    job.shared ??= createLogBuilder();
    job.shared.beginPart(log.index, log.attempt, firstByte);
    sharing.add(job);
    return job.shared;
  }

  function beginAlone(log: AttemptLog, gapBytes: number, firstByte: number): LogBuilder {
    const builder = createLogBuilder();
    builder.beginPart(log.index, log.attempt, firstByte);
    log.builder = builder;
    log.gapBytes = gapBytes;
    log.keptBefore = log.keptBytes;
    alone.add(log);
    return builder;
  }

  /** Copies the part's pieces into rows. */
  function lay(
    job: JobLogs,
    log: AttemptLog,
    to: {
      readonly part: IncomingPart;
      readonly builder: LogBuilder;
      readonly skipBytes: number;
      readonly atByte: number;
    },
  ): void {
    let { builder, skipBytes: skip, atByte } = to;
    const { message, from, to: end, nowMs } = to.part;
    let byte = from.byte;
    for (let piece = from.piece; piece < end.piece; piece++) {
      const stream = u32At(message.stream, piece);
      const printedAtMs = Math.floor(nowMs - u32At(message.ago_ms, piece));
      const pieceEnd = byte + u32At(message.length, piece);
      byte += Math.min(skip, pieceEnd - byte);
      skip = Math.max(0, skip - u32At(message.length, piece));
      while (byte < pieceEnd) {
        const bytes = message.data.subarray(byte, Math.min(pieceEnd, byte + PIECE_BYTES_MAX));
        if (isFull(builder, bytes.byteLength)) builder = goOn(job, log, atByte);
        builder.addPiece(stream, printedAtMs, bytes);
        log.keptBytes += bytes.byteLength;
        openPieces++;
        openBytes += bytes.byteLength;
        atByte += bytes.byteLength;
        byte += bytes.byteLength;
      }
    }
  }

  /** The next row of the same kind. */
  function goOn(job: JobLogs, log: AttemptLog, atByte: number): LogBuilder {
    if (log.isAlone) {
      closeAlone(log);
      return beginAlone(log, 0, atByte);
    }
    closeShared(job);
    return beginShared(job, log, atByte);
  }

  function closeShared(job: JobLogs): void {
    const { shared, jobId } = job;
    job.shared = null;
    sharing.delete(job);
    if (shared === null || shared.partCount === 0) return;
    openBytes -= shared.byteCount;
    const gathered = shared.take();
    parts.onRow({ ...gathered, ...placeOf(gathered), jobId, attempt: null, gapBytes: 0 });
  }

  function closeAlone(log: AttemptLog): void {
    const { builder, gapBytes, jobId, attempt } = log;
    log.builder = null;
    if (builder === null || (builder.byteCount === 0 && gapBytes === 0)) return;
    openBytes -= builder.byteCount;
    const gathered = builder.take();
    const place = placeOf(gathered);
    const seq = parts.onRow({ ...gathered, ...place, jobId, attempt, gapBytes });
    noteRow(log, { seq, firstByte: place.firstByte - gapBytes }, log.keptBefore);
  }

  /** Those that have been silent the longest are read from the store should they speak again. */
  function forgetSilent(): void {
    for (const [jobId, job] of jobs) {
      for (const [key, log] of job.attempts) {
        if (attemptCount <= ATTEMPTS_MAX / 2) return;
        if (log.cycle >= cycle - 1 || log.builder !== null) continue;
        job.attempts.delete(key);
        attemptCount--;
      }
      if (job.attempts.size === 0 && job.shared === null) jobs.delete(jobId);
    }
  }

  return {
    get openBytes() {
      return openBytes;
    },
    get openPieces() {
      return openPieces;
    },
    take,
    closeRows() {
      for (const job of sharing) closeShared(job);
      for (const log of alone) closeAlone(log);
      openPieces = 0;
      cycle++;
      if (attemptCount > ATTEMPTS_MAX) forgetSilent();
    },
    trim() {
      const trims: Trim[] = [];
      for (const log of alone) {
        const trim = trimAttempt(parts.store(), log);
        const job = trim === null ? undefined : jobs.get(log.jobId);
        if (trim === null || job === undefined) continue;
        job.byteCount -= trim.bytes;
        job.droppedBytes += trim.bytes;
        trims.push(trim);
      }
      alone.clear();
      return trims;
    },
    changedJobs() {
      const logs = [...changed].map(countsOf);
      changed.clear();
      return logs;
    },
    countsOf(jobId) {
      const job = jobs.get(jobId);
      return job === undefined ? null : countsOf(job);
    },
    onDropped({ jobId, data }) {
      const job = jobs.get(jobId);
      if (job === undefined) return;
      job.byteCount -= data.byteLength;
      job.droppedBytes += data.byteLength;
      changed.add(job);
    },
    forget(jobId) {
      const job = jobs.get(jobId);
      if (job === undefined) return;
      jobs.delete(jobId);
      changed.delete(job);
      sharing.delete(job);
      attemptCount -= job.attempts.size;
      openBytes -= job.shared?.byteCount ?? 0;
      for (const log of job.attempts.values()) {
        openBytes -= log.builder?.byteCount ?? 0;
        alone.delete(log);
      }
    },
    forgetAll() {
      jobs.clear();
      changed.clear();
      sharing.clear();
      alone.clear();
      attemptCount = 0;
      openBytes = 0;
    },
  };
}

const countsOf = ({ jobId, byteCount, droppedBytes }: JobLogs): JobLog => ({
  jobId,
  byteCount,
  droppedBytes,
});

/** A small number where it can be one: the first attempt is what most tasks have. */
const keyOf = (index: number, attempt: number): number =>
  attempt === 1 ? index : -(index * ATTEMPTS_A_TASK + attempt);

/** Its first byte matters where all of it is of one attempt. */
function placeOf({ columns }: GatheredLog): Pick<LogRow, "firstByte" | "firstIndex" | "lastIndex"> {
  const { index, firstByte } = columns;
  let firstIndex = index[0] ?? 0;
  let lastIndex = firstIndex;
  for (const one of index) {
    if (one < firstIndex) firstIndex = one;
    if (one > lastIndex) lastIndex = one;
  }
  return { firstByte: firstByte[0] ?? 0, firstIndex, lastIndex };
}

const isFull = ({ byteCount, pieceCount }: LogBuilder, more: number): boolean =>
  byteCount > 0 && (byteCount + more > ROW_BYTES || pieceCount >= ROW_PIECES);
