/**
 * What becomes one `task_log`: pieces of attempts of one assignment, first growing, then as it leaves. Where
 * there is no room for it, its bytes go and how far each attempt had come stays.
 */
import { compactU32 } from "../../protocol/columns.ts";
import type { AssignmentId, JobId } from "../../protocol/ids.ts";
import { createLogBuilder, type GatheredLog, type LogBuilder } from "../../protocol/log-columns.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Printed } from "./printed.ts";

export interface LogPlace {
  readonly index: number;
  readonly attempt: number;
  /** Of the attempt's log, before what is printed. */
  readonly firstByte: number;
}

export interface LogEnvelope {
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
  readonly byteCount: number;
  readonly partCount: number;
  readonly pieceCount: number;
  add(place: LogPlace, printed: Printed): void;
  seal(): GatheredLog;
}

const U32 = 2 ** 32;

export function createLogEnvelope(of: {
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
}): LogEnvelope {
  const builder: LogBuilder = createLogBuilder();
  let last: LogPlace = { index: -1, attempt: 0, firstByte: 0 };
  return {
    assignmentId: of.assignmentId,
    jobId: of.jobId,
    get byteCount() {
      return builder.byteCount;
    },
    get partCount() {
      return builder.partCount;
    },
    get pieceCount() {
      return builder.pieceCount;
    },
    add({ index, attempt, firstByte }, { streams, atMs, lengths, data }) {
      const follows = last.index === index && last.attempt === attempt;
      if (!follows || last.firstByte !== firstByte) builder.beginPart(index, attempt, firstByte);
      let from = 0;
      for (let piece = 0; piece < lengths.length; piece++) {
        const to = from + (lengths[piece] as number);
        builder.addPiece(streams[piece] as number, atMs[piece] as number, data.subarray(from, to));
        from = to;
      }
      last = { index, attempt, firstByte: firstByte + from };
    },
    seal: () => builder.take(),
  };
}

/** How far each attempt had come, without what it had printed. */
export function withoutBytes({ columns }: GatheredLog): GatheredLog {
  const ends = new Map<string, { index: number; attempt: number; endByte: number }>();
  let piece = 0;
  for (let part = 0; part < columns.index.length; part++) {
    let endByte = columns.firstByte[part] as number;
    for (const end = piece + (columns.pieces[part] as number); piece < end; piece++) {
      endByte += columns.length[piece] as number;
    }
    const index = columns.index[part] as number;
    const attempt = columns.attempt[part] as number;
    ends.set(`${index} ${attempt}`, { index, attempt, endByte });
  }
  const all = [...ends.values()];
  const none = new Uint32Array(0);
  return {
    columns: {
      index: Uint32Array.from(all, ({ index }) => index),
      attempt: Uint32Array.from(all, ({ attempt }) => attempt),
      firstByte: Float64Array.from(all, ({ endByte }) => endByte),
      pieces: new Uint32Array(all.length),
      stream: none,
      atMs: new Float64Array(0),
      length: none,
    },
    data: new Uint8Array(0),
  };
}

/** A worker sends durations, never instants: they grow until the message leaves. */
export function toMessage(
  { columns, data }: GatheredLog,
  of: Pick<LogEnvelope, "assignmentId" | "jobId">,
  as: {
    readonly logSeq: number;
    readonly nowMs: number;
    readonly again: boolean;
    readonly more: boolean;
  },
): MessageOf<"task_log"> {
  const { index, firstByte, stream, atMs, length } = columns;
  const high = Uint32Array.from(firstByte, (byte) => Math.floor(byte / U32));
  return {
    type: "task_log",
    log_seq: as.logSeq,
    assignment: of.assignmentId,
    job_id: of.jobId,
    ...(as.again ? { again: true } : {}),
    ...(as.more ? { more: true } : {}),
    part_count: index.length,
    index: compactU32(index),
    attempt: compactU32(columns.attempt),
    first_byte: compactU32(Uint32Array.from(firstByte, (byte) => byte % U32)),
    ...(high.some((word) => word > 0) ? { first_byte_high: compactU32(high) } : {}),
    pieces: compactU32(columns.pieces),
    count: stream.length,
    stream: compactU32(stream),
    ago_ms: compactU32(Uint32Array.from(atMs, (at) => Math.max(0, as.nowMs - at))),
    length: compactU32(length),
    data,
  };
}
