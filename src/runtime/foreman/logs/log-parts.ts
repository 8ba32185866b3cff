/** What lies in a message and in a stored row: parts of attempts, and the pieces they are made of. Pure. */
import { u32At } from "../../protocol/columns.ts";
import type { LogColumns } from "../../protocol/log-columns.ts";
import type { MessageOf } from "../../protocol/messages.ts";

const U32 = 2 ** 32;

/** Where a part lies in its message. */
export interface IncomingPart {
  readonly message: MessageOf<"task_log">;
  readonly from: Place;
  readonly to: Place;
  readonly firstByte: number;
  readonly keeps: boolean;
  readonly nowMs: number;
}

interface Place {
  readonly piece: number;
  readonly byte: number;
}

export function* partsOf(columns: LogColumns): Generator<{
  readonly index: number;
  readonly attempt: number;
  readonly byteCount: number;
  readonly endByte: number;
}> {
  const { index, attempt, firstByte, pieces, length } = columns;
  let piece = 0;
  for (let part = 0; part < index.length; part++) {
    let byteCount = 0;
    for (const end = piece + (pieces[part] as number); piece < end; piece++) {
      byteCount += length[piece] as number;
    }
    const endByte = (firstByte[part] as number) + byteCount;
    yield { index: index[part] as number, attempt: attempt[part] as number, byteCount, endByte };
  }
}

export function firstByteOf(
  { first_byte, first_byte_high }: MessageOf<"task_log">,
  part: number,
): number {
  const high = first_byte_high === undefined ? 0 : u32At(first_byte_high, part);
  return high * U32 + u32At(first_byte, part);
}
