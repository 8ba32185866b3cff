/**
 * One spooled result as a file: a line of JSON that says whose it is, then the message as it goes over
 * the wire. Whatever else such a file may hold is an error with a reason, never a crash: it may be cut
 * off, damaged, or somebody else's.
 */
import { crc32 } from "node:zlib";
import * as z from "zod/mini";
import { CcError } from "../../protocol/error.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frames.ts";
import type { MessageOf } from "../../protocol/messages.ts";

const FORMAT = "crowdcompute-spool-1";
/** A header is shorter; in what has no line end in so many bytes there is none. */
const HEADER_BYTES_MAX = 4_096;
const LINE_END = 10;

const header = z.object({
  format: z.literal(FORMAT),
  worker_id: z.string(),
  foreman_id: z.string(),
  byte_count: z.int(),
  crc32: z.int(),
});

export interface SpoolRecord {
  readonly workerId: string;
  readonly foremanId: string;
  readonly message: MessageOf<"task_result">;
}

/** The parts one after the other are the file. */
export function encodeSpoolFile(record: SpoolRecord): readonly Uint8Array[] {
  const frame = encodeFrame(record.message, "msgpack") as Uint8Array;
  const line: z.infer<typeof header> = {
    format: FORMAT,
    worker_id: record.workerId,
    foreman_id: record.foremanId,
    byte_count: frame.byteLength,
    crc32: crc32(frame),
  };
  return [new TextEncoder().encode(`${JSON.stringify(line)}\n`), frame];
}

/** @throws CcError `bad_spool_file` */
export function decodeSpoolFile(bytes: Uint8Array, workerId: string): SpoolRecord {
  const lineEnd = bytes.subarray(0, HEADER_BYTES_MAX).indexOf(LINE_END);
  if (lineEnd < 0) throw bad("it does not begin with a line of JSON");
  const head = parseHeader(bytes.subarray(0, lineEnd));
  const frame = bytes.subarray(lineEnd + 1);
  if (frame.byteLength !== head.byte_count) {
    throw bad(`it holds ${frame.byteLength} bytes of ${head.byte_count}`);
  }
  if (crc32(frame) !== head.crc32) throw bad("its checksum does not match");
  if (head.worker_id !== workerId) throw bad(`it is of worker ${head.worker_id.slice(0, 100)}`);
  return { workerId, foremanId: head.foreman_id, message: parseResult(frame) };
}

function parseHeader(line: Uint8Array): z.infer<typeof header> {
  try {
    return header.parse(JSON.parse(new TextDecoder().decode(line)));
  } catch (cause) {
    throw bad("its first line is not that of a spooled result", cause);
  }
}

function parseResult(frame: Uint8Array): MessageOf<"task_result"> {
  let message: ReturnType<typeof decodeFrame>;
  try {
    message = decodeFrame(frame);
  } catch (cause) {
    throw bad("it holds no message", cause);
  }
  if (message.type !== "task_result") throw bad(`it holds a message ${message.type}`);
  return message;
}

const bad = (message: string, cause?: unknown): CcError =>
  new CcError({ code: "bad_spool_file", message, cause });
