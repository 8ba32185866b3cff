/**
 * Logs on their way to the foreman, kept until it has acknowledged them and sent again on the next
 * connection. They yield to results: little is under way at a time, and none while the line is full. What
 * may wait here is bounded; beyond it the middle goes, and is counted by what follows it.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { BATCH_TASKS_MAX, LOG_MESSAGE_BYTES, LOG_PIECES_MAX } from "../../protocol/limits.ts";
import type { GatheredLog } from "../../protocol/log-columns.ts";
import type { Message } from "../../protocol/messages.ts";
import {
  createLogEnvelope,
  type LogEnvelope,
  type LogPlace,
  toMessage,
  withoutBytes,
} from "./log-envelope.ts";
import type { Printed } from "./printed.ts";

/** How messages leave. */
export interface LogLine {
  send(message: Message): void;
  /** Bytes that wait to be read by the foreman. */
  queuedBytes(): number;
}

export interface LogOutbox {
  add(of: Pick<LogEnvelope, "assignmentId" | "jobId">, place: LogPlace, printed: Printed): void;
  /** Sends what may leave: before results do, so that who sees an end sees the log. */
  flush(): void;
  /** @param isNewSession nothing that was said before concerns anybody any more. */
  onConnected(line: LogLine, isNewSession: boolean): void;
  onDisconnected(): void;
  onAcknowledged(logSeq: number, pauseMs: number): void;
  /** Sends all that waits, however much: nothing comes after it. */
  close(): void;
}

/** The longest that a line waits here for others. */
const GATHER_MS = 50;
/** Under way and not acknowledged. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** Results have the line when so much waits in it. */
const LINE_BYTES_MAX = 1024 * 1024;
/** Of all that is not acknowledged. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** What is left of it when the middle has gone. */
const THINNED_BYTES = 12 * 1024 * 1024;
/** The envelope and its columns. */
const ENVELOPE_BYTES = 512;
const PIECE_BYTES = 24;

interface Sealed {
  readonly of: Pick<LogEnvelope, "assignmentId" | "jobId">;
  readonly log: GatheredLog;
  readonly byteCount: number;
}

interface Sent extends Sealed {
  readonly logSeq: number;
}

export function createLogOutbox(clock: Pick<Clock, "monotonicMs" | "setTimer">): LogOutbox {
  /** Still growing, by assignment; the oldest first. */
  const open = new Map<number, LogEnvelope>();
  let openBytes = 0;
  let waiting: Sealed[] = [];
  let waitingBytes = 0;
  let sent: Sent[] = [];
  let sentBytes = 0;
  let line: LogLine | null = null;
  let nextSeq = 1;
  let pausedUntilMs = 0;
  let timer: Timer | null = null;
  /** Jobs of which the foreman was told that more waits here. */
  const announced = new Set<number>();

  function wake(delayMs: number): void {
    timer ??= clock.setTimer(delayMs, onTimer, { holdsProcess: false });
  }

  function onTimer(): void {
    timer = null;
    flush();
  }

  function add(
    of: Pick<LogEnvelope, "assignmentId" | "jobId">,
    place: LogPlace,
    printed: Printed,
  ): void {
    let envelope = open.get(of.assignmentId);
    if (envelope === undefined) {
      envelope = createLogEnvelope(of);
      open.set(of.assignmentId, envelope);
    }
    openBytes += printed.data.byteLength;
    envelope.add(place, printed);
    if (isFull(envelope)) seal(envelope);
    wake(GATHER_MS);
    if (keptBytes() > KEPT_BYTES_MAX) thin();
  }

  function seal(envelope: LogEnvelope): void {
    open.delete(envelope.assignmentId);
    openBytes -= envelope.byteCount;
    const { assignmentId, jobId } = envelope;
    keep({ of: { assignmentId, jobId }, log: envelope.seal() });
  }

  function keep(sealed: Omit<Sealed, "byteCount">): void {
    const byteCount = sizeOf(sealed.log);
    waiting.push({ ...sealed, byteCount });
    waitingBytes += byteCount;
  }

  const keptBytes = (): number => openBytes + waitingBytes + sentBytes;

  /** The beginning stays, and the end. */
  function thin(): void {
    const all = waiting;
    waiting = [];
    waitingBytes = 0;
    let excess =
      keptBytes() + all.reduce((sum, { byteCount }) => sum + byteCount, 0) - THINNED_BYTES;
    const from = Math.ceil(all.length / 4);
    for (const [i, sealed] of all.entries()) {
      const goes = i >= from && excess > 0 && sealed.log.data.byteLength > 0;
      const log = goes ? withoutBytes(sealed.log) : sealed.log;
      excess -= sealed.byteCount - sizeOf(log);
      keep({ of: sealed.of, log });
    }
  }

  function flush(): void {
    if (open.size + waiting.length === 0 || line === null) return;
    const nowMs = clock.monotonicMs();
    if (nowMs < pausedUntilMs) wake(pausedUntilMs - nowMs);
    else sendWaiting(line);
    if (open.size + waiting.length > 0) announceMore(line);
  }

  function sendWaiting(to: LogLine): void {
    for (const envelope of [...open.values()]) seal(envelope);
    let count = 0;
    for (const sealed of waiting) {
      if (sentBytes > 0 && sentBytes + sealed.byteCount > WINDOW_BYTES) break;
      if (to.queuedBytes() > LINE_BYTES_MAX) {
        wake(GATHER_MS);
        break;
      }
      count++;
      waitingBytes -= sealed.byteCount;
      sendNew(to, sealed, waiting.slice(count));
    }
    waiting = count === 0 ? waiting : waiting.slice(count);
  }

  function sendNew(to: LogLine, sealed: Sealed, behind: readonly Sealed[]): void {
    const { jobId } = sealed.of;
    const more = behind.some(({ of }) => of.jobId === jobId);
    if (more) announced.add(jobId);
    else announced.delete(jobId);
    const one: Sent = { ...sealed, logSeq: nextSeq++ };
    sent.push(one);
    sentBytes += one.byteCount;
    to.send(messageOf(one, { again: false, more }));
  }

  /** A result may overtake what waits; whoever follows the log must not be told of its end. */
  function announceMore(to: LogLine): void {
    for (const { of } of [
      ...waiting,
      ...[...open.values()].map((envelope) => ({ of: envelope })),
    ]) {
      if (announced.has(of.jobId)) continue;
      announced.add(of.jobId);
      const log = createLogEnvelope(of).seal();
      const one: Sent = { of, log, byteCount: 0, logSeq: nextSeq++ };
      sent.push(one);
      to.send(messageOf(one, { again: false, more: true }));
    }
  }

  function messageOf(
    { log, of, logSeq }: Sent,
    as: { readonly again: boolean; readonly more: boolean },
  ): Message {
    return toMessage(log, of, { ...as, logSeq, nowMs: clock.monotonicMs() });
  }

  function forgetAll(): void {
    open.clear();
    openBytes = 0;
    waiting = [];
    waitingBytes = 0;
    sent = [];
    sentBytes = 0;
    nextSeq = 1;
  }

  return {
    add,
    flush,
    onConnected(connected, isNewSession) {
      if (isNewSession) forgetAll();
      line = connected;
      pausedUntilMs = 0;
      announced.clear();
      for (const one of sent) connected.send(messageOf(one, { again: true, more: false }));
      flush();
    },
    onDisconnected() {
      line = null;
    },
    onAcknowledged(logSeq, pauseMs) {
      const kept = sent.findIndex((one) => one.logSeq > logSeq);
      const done = sent.splice(0, kept < 0 ? sent.length : kept);
      for (const { byteCount } of done) sentBytes -= byteCount;
      pausedUntilMs = clock.monotonicMs() + pauseMs;
      flush();
    },
    close() {
      timer?.cancel();
      if (line === null) return;
      for (const envelope of [...open.values()]) seal(envelope);
      const all = waiting;
      waiting = [];
      waitingBytes = 0;
      for (const [i, sealed] of all.entries()) sendNew(line, sealed, all.slice(i + 1));
    },
  };
}

const isFull = ({ byteCount, pieceCount, partCount }: LogEnvelope): boolean =>
  byteCount >= LOG_MESSAGE_BYTES ||
  pieceCount >= LOG_PIECES_MAX / 2 ||
  partCount >= BATCH_TASKS_MAX;

const sizeOf = ({ columns, data }: GatheredLog): number =>
  ENVELOPE_BYTES + data.byteLength + PIECE_BYTES * (columns.length.length + columns.index.length);
