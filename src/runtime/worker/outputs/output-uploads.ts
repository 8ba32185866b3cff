/**
 * All stdouts that are on their way to the foreman, on one line with everything else that is said there:
 * little of them is under way at a time, and the less the slower the line, so that no heartbeat waits
 * behind them for long. After a reconnect each goes on where the foreman has it.
 */
import type { Clock } from "../../platform/clock.ts";
import { OUTPUT_CHUNK_BYTES } from "../../protocol/limits.ts";
import { FEATURE_LARGE_OUTPUTS, type Message, type MessageOf } from "../../protocol/messages.ts";
import {
  createOutputUpload,
  type OutputRefusal,
  type OutputTask,
  type OutputUpload,
  type UploadSide,
} from "./output-upload.ts";

export interface OutputUploads {
  /** null: the foreman takes none. */
  open(task: OutputTask, onRefused: (refusal: OutputRefusal) => void): OutputUpload | null;
  /** @param features of the foreman's welcome */
  onConnected(send: (message: Message) => void, features: readonly string[]): void;
  onDisconnected(): void;
  onAck(ack: MessageOf<"output_chunk_ack">): void;
}

/** Announced and not known to be kept, of all together. */
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;
const UNDER_WAY_BYTES_MIN = OUTPUT_CHUNK_BYTES;
/** An answer that comes so soon allows twice as much under way, one so late half of it. */
const SOON_MS = 250;
const LATE_MS = 1_000;

export function createOutputUploads(clock: Pick<Clock, "monotonicMs">): OutputUploads {
  /** In the order of their turns. */
  const uploads = new Map<string, UploadSide>();
  let send: ((message: Message) => void) | null = null;
  let isTaken = false;
  let underWayBytesMax = UNDER_WAY_BYTES_MIN;
  /** One chunk whose answer is waited for, to know how fast the line is. */
  let probe: { readonly upload: UploadSide; readonly until: number; readonly atMs: number } | null =
    null;

  function say(): void {
    if (send === null) return;
    for (const upload of [...uploads.values()]) {
      for (;;) {
        const chunk = upload.next(leftBytes());
        if (chunk === null) break;
        const until = chunk.first_byte + chunk.data.byteLength;
        if (chunk.data.byteLength > 0) probe ??= { upload, until, atMs: clock.monotonicMs() };
        send(chunk);
      }
    }
  }

  function leftBytes(): number {
    let left = underWayBytesMax;
    for (const { underWayBytes } of uploads.values()) left -= underWayBytes;
    return Math.max(0, left);
  }

  function turn(key: string, upload: UploadSide): void {
    if (!uploads.delete(key)) return;
    uploads.set(key, upload);
  }

  function measure(upload: UploadSide, keptBytes: number): void {
    if (probe?.upload !== upload || keptBytes < probe.until) return;
    const tookMs = clock.monotonicMs() - probe.atMs;
    probe = null;
    if (tookMs <= SOON_MS) {
      underWayBytesMax = Math.min(UNDER_WAY_BYTES_MAX, 2 * underWayBytesMax);
    } else if (tookMs >= LATE_MS) {
      underWayBytesMax = Math.max(UNDER_WAY_BYTES_MIN, underWayBytesMax / 2);
    }
  }

  return {
    open(task, onRefused) {
      if (!isTaken) return null;
      const key = keyOf(task.assignmentId, task.index);
      const upload = createOutputUpload(task, {
        ready: say,
        refused: onRefused,
        over() {
          uploads.delete(key);
          if (probe?.upload === upload) probe = null;
        },
      });
      uploads.set(key, upload);
      return upload;
    },
    onConnected(to, features) {
      send = to;
      isTaken = features.includes(FEATURE_LARGE_OUTPUTS);
      underWayBytesMax = UNDER_WAY_BYTES_MIN;
      probe = null;
      for (const upload of [...uploads.values()]) {
        if (isTaken) upload.restart();
        else upload.refuse(NOT_TAKEN);
      }
      say();
    },
    onDisconnected() {
      send = null;
    },
    onAck(ack) {
      const key = keyOf(ack.assignment, ack.index);
      const upload = uploads.get(key);
      if (upload === undefined) return;
      measure(upload, ack.kept_bytes);
      upload.onAck(ack);
      turn(key, upload);
      say();
    },
  };
}

const keyOf = (assignment: number, index: number): string => `${assignment}/${index}`;

const NOT_TAKEN: OutputRefusal = {
  code: "result_too_large",
  message: "The command's stdout is larger than 8 MiB, and this foreman takes no larger one.",
};
