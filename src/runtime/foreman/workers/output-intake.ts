/**
 * Stdouts on their way in. A worker asks, gets a grant, sends that much and hears what is on disk; so what
 * is held here never exceeds GRANTED_BYTES_MAX, whoever sends and however slow the disk is. Without room on
 * the disk nothing is granted, and commands wait at their workers. It decides nothing about tasks: what
 * is no attempt of that worker's, or is beyond the quota, is refused.
 *
 * A stream is one output on one connection. It is asking (its worker has more than was granted), granted
 * (bytes are on their way or being written), both or neither; and over when all is kept, when it was
 * refused, or when its connection is gone: then another stream goes on with the same file.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { failpoint } from "../../platform/failpoint.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import type { BootId } from "../../protocol/ids.ts";
import { OUTPUT_BYTES_MAX } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { OutputName } from "../../store/output-files.ts";
import type { Channel } from "../../transport/channel.ts";
import type { OutputLedger, StoredOutputFile } from "../storage/output-ledger.ts";
import type { StorageGate } from "../storage/storage-gate.ts";

export interface OutputIntake {
  onChunk(channel: Channel, bootId: BootId, chunk: OutputChunk): void;
  /** Attempts may have ended: whoever still sends for one is told. */
  onCommitted(): void;
  drop(channel: Channel): void;
  stop(): void;
}

export interface OutputIntakeParts {
  readonly ledger: OutputLedger;
  readonly gate: Pick<StorageGate, "refuseNew" | "onNoRoomForNew">;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** Of all outputs together. */
  readonly bytesMax: number;
  /** Whether that boot runs the attempt. */
  isHeldBy(bootId: BootId, name: OutputName): boolean;
  /** The disk is broken. */
  onFatal(error: CcError): void;
}

/** Of all workers: granted and not yet written. */
const GRANTED_BYTES_MAX = 32 * 1024 * 1024;
/** Of one output; enough to keep a disk busy. */
const GRANTED_BYTES_PER_OUTPUT_MAX = 4 * 1024 * 1024;
/** While the disk is full. */
const RETRY_MS = 1_000;

type OutputChunk = MessageOf<"output_chunk">;

interface Stream {
  readonly output: StoredOutputFile;
  readonly channel: Channel;
  /** Arrived and not written, in order. */
  queue: Uint8Array[];
  receivedUntil: number;
  grantedUntil: number;
  /** The worker has bytes up to here. */
  readyUntil: number;
  isLastHere: boolean;
  /** `work` is at it. */
  isBusy: boolean;
}

export function createOutputIntake(parts: OutputIntakeParts): OutputIntake {
  const { ledger, gate, clock, logger } = parts;
  const streams = new Map<StoredOutputFile, Stream>();
  const asking = new Set<Stream>();
  /** Set while the disk is full. */
  let timer: Timer | null = null;

  function onChunk(channel: Channel, bootId: BootId, chunk: OutputChunk): void {
    const { job_id: jobId, index, attempt, assignment } = chunk;
    const name = { jobId, index, attempt, assignment };
    if (!parts.isHeldBy(bootId, name)) {
      refuse(channel, name, staleAttempt());
      return;
    }
    const output = ledger.begin(name);
    const known = streams.get(output);
    const isGoingOn = known !== undefined && known.channel === channel;
    const stream = isGoingOn ? known : open(channel, output, chunk.first_byte);
    const refusal = isGoingOn || chunk.data.byteLength === 0 ? take(stream, chunk) : notGranted();
    if (refusal !== null) end(stream, refusal);
    else if (!stream.isBusy) void work(stream);
  }

  /** The worker goes on with what it has not heard to be kept; a connection before this one is gone. */
  function open(channel: Channel, output: StoredOutputFile, firstByte: number): Stream {
    const earlier = streams.get(output);
    if (earlier) forget(earlier);
    const stream: Stream = {
      output,
      channel,
      queue: [],
      receivedUntil: firstByte,
      grantedUntil: firstByte,
      readyUntil: firstByte,
      isLastHere: false,
      isBusy: true,
    };
    streams.set(output, stream);
    void begin(stream, firstByte);
    return stream;
  }

  async function begin(stream: Stream, firstByte: number): Promise<void> {
    const { output } = stream;
    const isGap = firstByte > output.byteCount;
    if (!isGap) await ledger.rewind(output, firstByte);
    if (isGap && isLive(stream)) end(stream, gap(firstByte, output.byteCount));
    await work(stream);
  }

  /** @returns why it is not taken. */
  function take(stream: Stream, chunk: OutputChunk): CcError | null {
    const { first_byte: firstByte, data } = chunk;
    if (firstByte !== stream.receivedUntil) return gap(firstByte, stream.receivedUntil);
    if (data.byteLength > 0) {
      if (firstByte + data.byteLength > stream.grantedUntil) return notGranted();
      stream.receivedUntil += data.byteLength;
      stream.queue.push(data);
    }
    stream.readyUntil = stream.receivedUntil + chunk.ready_bytes;
    stream.isLastHere = chunk.last;
    return null;
  }

  const isLive = (stream: Stream): boolean => streams.get(stream.output) === stream;

  /** Writes what is here, what came meanwhile as the next piece, and says each time what is kept. */
  async function work(stream: Stream): Promise<void> {
    stream.isBusy = true;
    try {
      do {
        if (stream.queue.length > 0 && !(await writeQueue(stream))) break;
        if (isLive(stream)) sayKept(stream);
      } while (isLive(stream) && stream.queue.length > 0);
    } catch (thrown) {
      parts.onFatal(toCcError(thrown));
    } finally {
      stream.isBusy = false;
    }
  }

  /** False: it stays here until the disk has room. */
  async function writeQueue(stream: Stream): Promise<boolean> {
    const { queue } = stream;
    stream.queue = [];
    let byteCount = 0;
    for (const chunk of queue) byteCount += chunk.byteLength;
    // It must not take the room that results of what runs are recorded with.
    const hasRoom = gate.refuseNew(byteCount) === null;
    const outcome = hasRoom ? await ledger.append(stream.output, queue) : "full";
    failpoint("output-written");
    if (outcome === "ok") return true;
    stream.queue = [...queue, ...stream.queue];
    if (hasRoom) gate.onNoRoomForNew();
    waitForRoom();
    return false;
  }

  function sayKept(stream: Stream): void {
    const { output } = stream;
    if (output.state === "gone") {
      end(stream, staleAttempt());
      return;
    }
    if (stream.isLastHere && stream.queue.length === 0) {
      output.isWhole = true;
      failpoint("output-whole");
      acknowledge(stream);
      forget(stream);
    } else {
      acknowledge(stream);
      if (stream.readyUntil > stream.grantedUntil) asking.add(stream);
    }
    grant();
  }

  /** In the order of asking, each a window at a time, as long as there is room for what may come. */
  function grant(): void {
    if (timer !== null) return;
    for (const stream of [...asking]) {
      const { output } = stream;
      const granted = grantedBytes();
      if (granted >= GRANTED_BYTES_MAX) return;
      const bytes = Math.min(
        stream.readyUntil - stream.grantedUntil,
        GRANTED_BYTES_PER_OUTPUT_MAX - (stream.grantedUntil - output.byteCount),
        GRANTED_BYTES_MAX - granted,
        OUTPUT_BYTES_MAX - stream.grantedUntil,
        parts.bytesMax - ledger.byteCount - granted,
      );
      // What it was granted before must be written first.
      if (bytes <= 0 && stream.grantedUntil > output.byteCount) continue;
      asking.delete(stream);
      if (bytes <= 0) {
        end(stream, stream.grantedUntil >= OUTPUT_BYTES_MAX ? tooLarge() : noQuotaLeft());
        continue;
      }
      stream.grantedUntil += bytes;
      if (stream.readyUntil > stream.grantedUntil) asking.add(stream);
      acknowledge(stream);
    }
  }

  function grantedBytes(): number {
    let bytes = 0;
    for (const { output, grantedUntil } of streams.values()) {
      // One that goes on after a reconnect begins before what is on disk.
      bytes += Math.max(0, grantedUntil - output.byteCount);
    }
    return bytes;
  }

  function waitForRoom(): void {
    if (timer !== null) return;
    logger.warn("the disk has no room for what commands print: they wait");
    timer = clock.setTimer(RETRY_MS, tryAgain, { holdsProcess: false });
  }

  function tryAgain(): void {
    timer = null;
    for (const stream of [...streams.values()]) {
      if (!stream.isBusy && stream.queue.length > 0) void work(stream);
    }
    grant();
  }

  function forget(stream: Stream): void {
    streams.delete(stream.output);
    asking.delete(stream);
  }

  function end(stream: Stream, refusal: CcError): void {
    forget(stream);
    ledger.remove(stream.output);
    refuse(stream.channel, stream.output, refusal);
  }

  const noQuotaLeft = (): CcError =>
    new CcError({
      code: "result_too_large",
      message: `The command's stdout is too large for what is left of the ${sizeText(parts.bytesMax)} that the foreman keeps of such outputs (cc foreman --output-size); cc rm and cc gc make room.`,
    });

  return {
    onChunk,
    onCommitted() {
      for (const stream of [...streams.values()]) {
        if (stream.output.state === "gone") end(stream, staleAttempt());
      }
    },
    drop(channel) {
      for (const stream of [...streams.values()]) if (stream.channel === channel) forget(stream);
      grant();
    },
    stop() {
      timer?.cancel();
      streams.clear();
      asking.clear();
    },
  };
}

function acknowledge({ channel, output, grantedUntil }: Stream): void {
  channel.send({
    type: "output_chunk_ack",
    assignment: output.assignment,
    index: output.index,
    kept_bytes: output.byteCount,
    until_byte: grantedUntil,
    whole: output.isWhole,
  });
}

/** A foreman that keeps none refuses all of them, too. */
export function refuse(
  channel: Channel,
  { assignment, index }: Pick<OutputName, "assignment" | "index">,
  { code, message }: CcError,
): void {
  channel.send({
    type: "output_chunk_ack",
    assignment,
    index,
    kept_bytes: 0,
    until_byte: 0,
    whole: false,
    refusal: { code, message },
  });
}

const staleAttempt = (): CcError =>
  new CcError({ code: "stale_attempt", message: "The task is not this worker's any more." });

const tooLarge = (): CcError =>
  new CcError({
    code: "result_too_large",
    message: `The command printed more than ${sizeText(OUTPUT_BYTES_MAX)} to stdout, which is its result.`,
  });

const gap = (firstByte: number, expected: number): CcError =>
  new CcError({
    code: "output_gap",
    message: `The output goes on at byte ${firstByte}, and ${expected} bytes of it are here.`,
  });

const notGranted = (): CcError =>
  new CcError({ code: "output_not_granted", message: "More was sent than was granted." });

function sizeText(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, "GiB"] : [2 ** 20, "MiB"];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}
