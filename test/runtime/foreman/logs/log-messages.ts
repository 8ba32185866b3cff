/** What a worker says its tasks have printed, and how an answer reads. */

import { piecesOf } from "../../../../src/runtime/client/log-lines.ts";
import { LOG_STREAMS, type LogStream } from "../../../../src/runtime/protocol/messages/logs.ts";
import type { MessageOf } from "../../../../src/runtime/protocol/messages.ts";

export interface PrintedPart {
  readonly index: number;
  readonly attempt?: number;
  readonly firstByte?: number;
  /** Pieces; `log` unless a stream is named. */
  readonly pieces: readonly (string | readonly [LogStream, string])[];
  readonly agoMs?: number;
}

export function taskLog(
  assigned: Pick<MessageOf<"assign_task">, "assignment" | "job_id">,
  logSeq: number,
  parts: readonly PrintedPart[],
  overrides: Partial<MessageOf<"task_log">> = {},
): MessageOf<"task_log"> {
  const pieces = parts.flatMap((part) =>
    part.pieces.map((piece) => {
      const [stream, text] = typeof piece === "string" ? (["log", piece] as const) : piece;
      return { stream, bytes: Buffer.from(text), agoMs: part.agoMs ?? 0 };
    }),
  );
  const column = <Row>(rows: readonly Row[], of: (row: Row) => number) =>
    Uint32Array.from(rows, of);
  return {
    type: "task_log",
    log_seq: logSeq,
    assignment: assigned.assignment,
    job_id: assigned.job_id,
    part_count: parts.length,
    index: column(parts, ({ index }) => index),
    attempt: column(parts, ({ attempt = 1 }) => attempt),
    first_byte: column(parts, ({ firstByte = 0 }) => firstByte % 2 ** 32),
    first_byte_high: column(parts, ({ firstByte = 0 }) => Math.floor(firstByte / 2 ** 32)),
    pieces: column(parts, (part) => part.pieces.length),
    count: pieces.length,
    stream: column(pieces, ({ stream }) => LOG_STREAMS.indexOf(stream)),
    ago_ms: column(pieces, ({ agoMs }) => agoMs),
    length: column(pieces, ({ bytes }) => bytes.byteLength),
    data: Buffer.concat(pieces.map(({ bytes }) => bytes)),
    ...overrides,
  };
}

export function readLogs(
  jobId: number,
  overrides: Partial<MessageOf<"read_logs">> = {},
): MessageOf<"read_logs"> {
  return {
    type: "read_logs",
    request: 7,
    job_id: jobId,
    direction: "forward",
    bytes_max: 1_000_000,
    wait: false,
    ...overrides,
  };
}

/** `0/1 log one` a piece. */
export const textOf = (answer: MessageOf<"logs">): string[] =>
  [...piecesOf(answer)].map(
    ({ index, attempt, stream, bytes }) =>
      `${index}/${attempt} ${stream} ${Buffer.from(bytes).toString("utf8")}`,
  );
