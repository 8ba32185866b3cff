/**
 * One command's stdout on its way to the foreman: what was read and is not known to be on its disk, and
 * what of that may be sent. It holds a few mebibytes; whoever fills it waits, and so does the command.
 *
 *   open      bytes come from the command
 *   finished  no byte follows; what is left is still sent
 *   over      all is kept, or it was refused or abandoned; nothing is held any more
 */
import { createHash } from "node:crypto";
import type { StoredOutput } from "../../protocol/command-outcome.ts";
import { OUTPUT_CHUNK_BYTES } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";

export interface OutputTask {
  readonly assignmentId: number;
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
}

export interface OutputRefusal {
  readonly code: string;
  readonly message: string;
}

export type UploadEnd =
  | { readonly kind: "kept"; readonly stored: StoredOutput }
  | { readonly kind: "refused"; readonly refusal: OutputRefusal }
  | { readonly kind: "abandoned" };

/** What a command has of it. */
export interface OutputUpload {
  /** Takes the bytes; where it answers, the next ones come after that. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** No byte follows. Resolves when the foreman has them all, or never will; the first answer stands. */
  finish(): Promise<UploadEnd>;
  /** Nobody wants it any more. */
  abandon(): void;
}

/** What the line to the foreman has of it. */
export interface UploadSide extends OutputUpload {
  readonly task: OutputTask;
  /** Announced and not known to be kept. */
  readonly underWayBytes: number;
  /** A connection has begun, on which nothing was sent. */
  restart(): void;
  /** What is to be said now, at most so many further bytes announced; null: nothing. */
  next(announcedBytesMax: number): MessageOf<"output_chunk"> | null;
  onAck(ack: MessageOf<"output_chunk_ack">): void;
  refuse(refusal: OutputRefusal): void;
}

/** Beyond it the command waits. What it had printed when it became an upload may be more. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * @param on.ready there may be something to say
 * @param on.over nothing of it is to be sent any more
 */
export function createOutputUpload(
  task: OutputTask,
  on: {
    ready(): void;
    refused(refusal: OutputRefusal): void;
    over(): void;
  },
): UploadSide {
  const hash = createHash("sha256");
  const ended = Promise.withResolvers<UploadEnd>();
  let held: Uint8Array[] = [];
  /** Positions, in this order: on the foreman's disk, sent, announced, read. */
  let keptUntil = 0;
  let sentUntil = 0;
  let announcedUntil = 0;
  let readUntil = 0;
  let grantedUntil = 0;
  let isFinished = false;
  let isLastSaid = false;
  let isOver = false;
  let room: PromiseWithResolvers<void> | null = null;

  function makeRoom(): void {
    if (!isOver && readUntil - keptUntil > HELD_BYTES_MAX) return;
    room?.resolve();
    room = null;
  }

  function end(how: UploadEnd): void {
    if (isOver) return;
    isOver = true;
    held = [];
    makeRoom();
    ended.resolve(how);
    on.over();
  }

  function refuse(refusal: OutputRefusal): void {
    if (isOver) return;
    end({ kind: "refused", refusal });
    on.refused(refusal);
  }

  function forgetUntil(position: number): void {
    let left = position - keptUntil;
    keptUntil = position;
    while (left > 0) {
      const [first] = held;
      if (first === undefined) return;
      if (first.byteLength > left) held[0] = first.subarray(left);
      else held.shift();
      left -= first.byteLength;
    }
  }

  /** A small piece waits for others while something is under way: each costs the foreman a sync. */
  function announce(bytesMax: number): boolean {
    const more = Math.min(readUntil - announcedUntil, bytesMax);
    const isWorthIt = isFinished || announcedUntil === keptUntil || more >= OUTPUT_CHUNK_BYTES;
    if (more <= 0 || !isWorthIt) return false;
    announcedUntil += more;
    return true;
  }

  return {
    task,
    get underWayBytes() {
      return announcedUntil - keptUntil;
    },
    push(bytes) {
      if (isOver) return undefined;
      hash.update(bytes);
      held.push(bytes);
      readUntil += bytes.byteLength;
      on.ready();
      if (isOver || readUntil - keptUntil <= HELD_BYTES_MAX) return undefined;
      room ??= Promise.withResolvers<void>();
      return room.promise;
    },
    finish() {
      isFinished = true;
      if (!isOver) on.ready();
      return ended.promise;
    },
    abandon: () => end({ kind: "abandoned" }),
    restart() {
      sentUntil = keptUntil;
      announcedUntil = keptUntil;
      grantedUntil = keptUntil;
      isLastSaid = false;
    },
    next(announcedBytesMax) {
      if (isOver) return null;
      const isNews = announce(announcedBytesMax);
      const until = Math.min(grantedUntil, announcedUntil, sentUntil + OUTPUT_CHUNK_BYTES);
      const isLast = isFinished && until === readUntil && !isLastSaid;
      if (!isNews && until <= sentUntil && !isLast) return null;
      const firstByte = sentUntil;
      const data = cut(held, sentUntil - keptUntil, Math.max(sentUntil, until) - keptUntil);
      sentUntil += data.byteLength;
      isLastSaid ||= isLast;
      return {
        type: "output_chunk",
        assignment: task.assignmentId,
        job_id: task.jobId,
        index: task.index,
        attempt: task.attempt,
        first_byte: firstByte,
        data,
        ready_bytes: announcedUntil - sentUntil,
        last: isLast,
      };
    },
    onAck(ack) {
      if (ack.refusal !== undefined) {
        refuse(ack.refusal);
        return;
      }
      // What it says of an earlier connection is no news.
      if (ack.kept_bytes > keptUntil) forgetUntil(Math.min(ack.kept_bytes, sentUntil));
      grantedUntil = Math.max(grantedUntil, ack.until_byte);
      makeRoom();
      if (!ack.whole || !isLastSaid || keptUntil < readUntil) return;
      const stored = { byteCount: readUntil, assignment: task.assignmentId };
      end({ kind: "kept", stored: { ...stored, sha256: hash.digest("hex") } });
    },
    refuse,
  };
}

/** A copy of the bytes between two positions. */
function cut(pieces: readonly Uint8Array[], from: number, to: number): Uint8Array {
  if (from >= to) return NOTHING;
  const bytes = new Uint8Array(to - from);
  let at = 0;
  for (const piece of pieces) {
    const first = Math.max(from - at, 0);
    const last = Math.min(to - at, piece.byteLength);
    if (first < last) bytes.set(piece.subarray(first, last), at + first - from);
    at += piece.byteLength;
    if (at >= to) break;
  }
  return bytes;
}
