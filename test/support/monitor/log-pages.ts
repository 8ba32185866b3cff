/** Answers to `read_logs` from pieces in memory; a cursor is the number of a piece. */
import type { LogStream } from "../../../src/runtime/protocol/messages/logs.ts";
import { LOG_STREAMS } from "../../../src/runtime/protocol/messages/logs.ts";
import type { MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { AT_MS } from "./fixtures.ts";

export interface LogPiece {
  readonly text: string;
  /** `stdout` unless said otherwise. */
  readonly stream?: LogStream;
  readonly attempt?: number;
  readonly atMs?: number;
}

export function logsAnswer(
  message: MessageOf<"read_logs">,
  logs: ReadonlyMap<string, readonly LogPiece[]>,
): MessageOf<"logs"> {
  const { job_id, index = 0, direction, request } = message;
  const all = logs.get(`${job_id}/${index}`) ?? [];
  const [from, to] =
    direction === "forward"
      ? forwardFrom(all, message.cursor ?? 0, message.bytes_max)
      : backwardFrom(all, message.cursor ?? all.length, message.bytes_max);
  const pieces = all.slice(from, to);
  const bytes = pieces.map(({ text }) => Buffer.from(`${text}\n`));
  return {
    type: "logs",
    request,
    job_id,
    first_cursor: from,
    next_cursor: to,
    at_start: from === 0,
    at_end: to === all.length,
    finished: true,
    total_bytes: all.reduce((sum, piece) => sum + byteCount(piece), 0),
    dropped_bytes: 0,
    count: pieces.length,
    index,
    attempt: Uint32Array.from(pieces, ({ attempt = 1 }) => attempt),
    stream: Uint32Array.from(pieces, ({ stream = "stdout" }) => LOG_STREAMS.indexOf(stream)),
    base_ms: AT_MS,
    after_ms: Uint32Array.from(pieces, ({ atMs = AT_MS }) => atMs - AT_MS),
    length: Uint32Array.from(bytes, ({ byteLength }) => byteLength),
    data: Buffer.concat(bytes),
  };
}

const byteCount = ({ text }: LogPiece): number => Buffer.byteLength(text) + 1;

type Range = readonly [from: number, to: number];

/** At least one piece, as a foreman gives. */
function forwardFrom(all: readonly LogPiece[], from: number, bytesMax: number): Range {
  let to = from;
  let bytes = 0;
  for (const piece of all.slice(from)) {
    bytes += byteCount(piece);
    if (bytes > bytesMax && to > from) break;
    to += 1;
  }
  return [from, to];
}

function backwardFrom(all: readonly LogPiece[], to: number, bytesMax: number): Range {
  let from = to;
  let bytes = 0;
  for (const piece of all.slice(0, to).toReversed()) {
    bytes += byteCount(piece);
    if (bytes > bytesMax && from < to) break;
    from -= 1;
  }
  return [from, to];
}
