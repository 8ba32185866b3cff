/**
 * What workers say their tasks printed: lets in what passes the fence, has it gathered and written, and
 * acknowledges what is. Nothing here ever holds up a result: what cannot be kept is dropped, counted, and
 * told in the event log.
 */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { u32At } from "../../protocol/columns.ts";
import type { CcError } from "../../protocol/error.ts";
import {
  type AssignmentId,
  asAssignmentId,
  asJobId,
  type BootId,
  type JobId,
} from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { ForemanState } from "../../scheduler/foreman/state.ts";
import type { JobLog, LogStore } from "../../store/logs/log-store.ts";
import type { Store } from "../../store/store.ts";
import type { StorageGate } from "../storage/storage-gate.ts";
import { createLogFence, type Speaker } from "./log-fence.ts";
import { createLogGatherer } from "./log-gatherer.ts";
import { createLogJanitor } from "./log-janitor.ts";
import { createLogRoom } from "./log-room.ts";
import { createLogWriter } from "./log-writer.ts";

export type TaskLog = MessageOf<"task_log">;

/** Where logs are kept, and how many of them. */
export interface LogsParts {
  readonly store: LogStore;
  /** Of all logs together; null: no bound but the disk. */
  readonly quotaBytes: number | null;
  /** Nothing is ever written or forgotten. */
  readonly isReadOnly?: boolean;
  /** What was found damaged when it was opened. */
  readonly setAside?: { readonly path: string; readonly reason: string } | null;
  /** Sets a store aside that broke, and begins another. */
  reopen?(): Promise<{ readonly store: LogStore; readonly setAside: string }>;
}

export type LogTrouble =
  | { readonly kind: "dropped"; readonly bytes: number; readonly reason: string }
  | { readonly kind: "removed"; readonly jobId: JobId; readonly bytes: number }
  | { readonly kind: "set_aside"; readonly path: string; readonly reason: string };

export interface LogDesk {
  readonly store: LogStore;
  /** How much is kept of a job's log, and how much was dropped. */
  countsOf(jobId: number): JobLog | null;
  /** The machine knows every job that there is. */
  start(): void;
  take(bootId: BootId, message: TaskLog): void;
  /** The session's connection is another one, or it is over: what it had still to say is not awaited. */
  forgetSession(bootId: BootId): void;
  /** Whether a worker has said that more of this job's log comes. */
  isAwaited(jobId: number): boolean;
  onCommitted(changes: readonly Change[]): void;
  /** Resolves when what has arrived can be read; null: it can. */
  settle(): Promise<void> | null;
  /** Waits a little for what workers have announced, and writes what has arrived. */
  close(): Promise<void>;
}

export interface LogDeskParts {
  readonly state: ForemanState;
  readonly store: Store;
  readonly logs: LogsParts;
  readonly gate: Pick<StorageGate, "isFull">;
  readonly clock: Clock;
  readonly logger: Logger;
  nowMs(): number;
  acknowledge(bootId: BootId, logSeq: number, pauseMs: number): void;
  /** What was heard of these jobs can be read now, or never will. */
  onHeard(jobIds: ReadonlySet<number>): void;
  onTrouble(trouble: LogTrouble): void;
}

interface Speaking {
  /** The last message taken in, the last one of the round under way, the last one acknowledged. */
  takenSeq: number;
  roundSeq: number;
  acknowledgedSeq: number;
  /** Jobs of which the worker has more to say. */
  readonly awaited: Set<number>;
  /** Messages behind one that is being compared with the record. */
  readonly held: TaskLog[];
  isComparing: boolean;
}

/** Bytes that wait to be written; beyond it what comes is counted only. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** From here on workers are asked to wait. */
const BUSY_BYTES = 4 * 1024 * 1024;
const PAUSE_MS = 1_000;
/** What is written without waiting for more, so that workers hear soon that they may go on. */
const MUCH_BYTES = 512 * 1024;
const MUCH_PIECES = 8_192;
/** At the end nobody waits longer for a worker's last words. */
const LAST_WORDS_MS = 500;
const LISTEN_MS = 10;
const TROUBLE_AGAIN_MS = 60_000;
/** Of one message that was sent again: tasks that are looked up in the store. */
const COMPARED_MAX = 64;

export function createLogDesk(parts: LogDeskParts): LogDesk {
  const { state, clock, logger } = parts;
  let { store } = parts.logs;
  const speaking = new Map<BootId, Speaking>();
  /** Since the last round began, and before that. */
  let heardJobs = new Set<number>();
  let roundJobs = new Set<number>();
  const fence = createLogFence(state, parts.store);
  const dropped = { bytes: 0, reason: "", toldAtMs: Number.NEGATIVE_INFINITY };

  const janitor = createLogJanitor({
    store: () => store,
    clock,
    quotaBytes: parts.logs.quotaBytes,
    endedAtMs: (jobId) => state.ended.get(asJobId(jobId))?.finishedAtMs ?? null,
    onSacrifice(jobId, bytes) {
      gatherer.forget(jobId);
      parts.onTrouble({ kind: "removed", jobId: asJobId(jobId), bytes });
    },
    onBroken,
  });
  const room = createLogRoom({
    space: parts.store.space,
    quotaBytes: parts.logs.quotaBytes,
    clock,
    isFull: () => parts.gate.isFull,
    isOverQuota: () => janitor.isOverQuota,
  });
  const gatherer = createLogGatherer({
    store: () => store,
    nowMs: parts.nowMs,
    onRow: (row) => writer.add(row),
  });
  const writer = createLogWriter({
    store: () => store,
    gatherer,
    clock,
    nowMs: parts.nowMs,
    hasRoom: room.hasRoom,
    isForgotten: janitor.isForgotten,
    onBegin() {
      for (const session of speaking.values()) session.roundSeq = session.takenSeq;
      roundJobs = heardJobs;
      heardJobs = new Set();
    },
    onRound() {
      acknowledgeAll();
      janitor.check();
      if (roundJobs.size > 0) parts.onHeard(roundJobs);
    },
    onDropped: (bytes, reason) =>
      noteDropped(bytes, janitor.isOverQuota ? "the quota is used up" : REASONS[reason]),
    onBroken,
  });
  if (parts.logs.isReadOnly === true) janitor.stop();

  /** Their jobs were forgotten while no log was kept, or while we were about to forget the log. */
  function start(): void {
    if (parts.logs.isReadOnly === true) return;
    const { setAside = null } = parts.logs;
    if (setAside !== null) parts.onTrouble({ kind: "set_aside", ...setAside });
    for (const { jobId } of store.jobs()) {
      const id = asJobId(jobId);
      if (!state.jobs.has(id) && !state.ended.has(id)) janitor.forget(jobId);
    }
  }

  const waitingBytes = (): number => writer.queuedBytes + gatherer.openBytes;

  function sessionOf(bootId: BootId): Speaking {
    const known = speaking.get(bootId);
    if (known !== undefined) return known;
    const session: Speaking = {
      takenSeq: 0,
      roundSeq: 0,
      acknowledgedSeq: 0,
      awaited: new Set(),
      held: [],
      isComparing: false,
    };
    speaking.set(bootId, session);
    return session;
  }

  function take(bootId: BootId, message: TaskLog): void {
    const session = sessionOf(bootId);
    if (session.isComparing) session.held.push(message);
    else takeNow(bootId, session, message);
  }

  function takeNow(bootId: BootId, session: Speaking, message: TaskLog): void {
    const speaker = speakerOf(bootId, message);
    const passes = fence.gateFor(speaker);
    const accepted = new Uint8Array(message.part_count);
    const unknown: number[] = [];
    for (let part = 0; part < message.part_count; part++) {
      if (passes(u32At(message.index, part), u32At(message.attempt, part))) accepted[part] = 1;
      else unknown.push(part);
    }
    // What a foreman before us has recorded, and could not acknowledge any more.
    if (message.again === true && unknown.length > 0) {
      void compare(session, { bootId, message, accepted, unknown: unknown.slice(0, COMPARED_MAX) });
    } else enter(session, message, accepted);
  }

  async function compare(
    session: Speaking,
    of: {
      readonly bootId: BootId;
      readonly message: TaskLog;
      readonly accepted: Uint8Array;
      readonly unknown: readonly number[];
    },
  ): Promise<void> {
    const { bootId, message, accepted } = of;
    const speaker = speakerOf(bootId, message);
    session.isComparing = true;
    try {
      for (const part of of.unknown) {
        const index = u32At(message.index, part);
        const attempt = u32At(message.attempt, part);
        if (await fence.agreesWithRecord(speaker, index, attempt)) accepted[part] = 1;
      }
    } catch {
      // The store is broken, which ends the foreman for other reasons.
    }
    session.isComparing = false;
    enter(session, message, accepted);
    while (!session.isComparing) {
      const next = session.held.shift();
      if (next === undefined) return;
      takeNow(bootId, session, next);
    }
  }

  function enter(session: Speaking, message: TaskLog, accepted: Uint8Array): void {
    session.takenSeq = Math.max(session.takenSeq, message.log_seq);
    if (message.more === true) session.awaited.add(message.job_id);
    else session.awaited.delete(message.job_id);
    heardJobs.add(message.job_id);
    if (accepted.includes(1)) {
      const keeps = waitingBytes() + message.data.byteLength <= WAITING_BYTES_MAX;
      if (!keeps) noteDropped(message.data.byteLength, "they come faster than they are written");
      gatherer.take(message, { accepts: (part) => accepted[part] === 1, keeps });
    }
    // Also what was refused is acknowledged.
    writer.touch(gatherer.openBytes >= MUCH_BYTES || gatherer.openPieces >= MUCH_PIECES);
  }

  function acknowledgeAll(): void {
    const pauseMs = waitingBytes() > BUSY_BYTES || !room.hasRoom() ? PAUSE_MS : 0;
    for (const [bootId, session] of speaking) {
      if (session.roundSeq === session.acknowledgedSeq) continue;
      session.acknowledgedSeq = session.roundSeq;
      parts.acknowledge(bootId, session.roundSeq, pauseMs);
    }
  }

  function noteDropped(bytes: number, reason: string): void {
    dropped.bytes += bytes;
    const nowMs = parts.nowMs();
    if (nowMs - dropped.toldAtMs < TROUBLE_AGAIN_MS) return;
    logger.warn("logs of tasks are dropped", { bytes: dropped.bytes, reason });
    parts.onTrouble({ kind: "dropped", bytes: dropped.bytes, reason });
    dropped.bytes = 0;
    dropped.toldAtMs = nowMs;
  }

  async function onBroken(error: CcError): Promise<void> {
    logger.error("the logs of tasks cannot be used", { code: error.code, reason: error.message });
    const { reopen } = parts.logs;
    if (reopen === undefined) return;
    try {
      const reopened = await reopen();
      store = reopened.store;
      gatherer.forgetAll();
      parts.onTrouble({ kind: "set_aside", path: reopened.setAside, reason: error.message });
    } catch (thrown) {
      logger.error("no logs are kept from now on", { error: thrown });
    }
  }

  /** Results may have overtaken what was printed before them, and then a job ends before its log. */
  async function hearOut(): Promise<void> {
    const untilMs = clock.monotonicMs() + LAST_WORDS_MS;
    const isAwaited = (): boolean => [...speaking.values()].some(({ awaited }) => awaited.size > 0);
    while (isAwaited() && clock.monotonicMs() < untilMs) {
      await writer.settle();
      await new Promise<void>((resolve) => clock.setTimer(LISTEN_MS, resolve));
    }
  }

  return {
    get store() {
      return store;
    },
    countsOf: (jobId) => gatherer.countsOf(jobId) ?? store.job(jobId),
    start,
    take,
    forgetSession(bootId) {
      const session = speaking.get(bootId);
      speaking.delete(bootId);
      if (session !== undefined && session.awaited.size > 0) parts.onHeard(session.awaited);
    },
    isAwaited(jobId) {
      for (const { awaited } of speaking.values()) if (awaited.has(jobId)) return true;
      return false;
    },
    onCommitted(changes) {
      fence.onCommitted(changes, parts.nowMs());
      for (const change of changes) {
        if (change.type !== "jobRemoved") continue;
        gatherer.forget(change.jobId);
        janitor.forget(change.jobId);
      }
    },
    settle: () => writer.settle(),
    async close() {
      janitor.stop();
      await hearOut();
      await writer.close();
      store.close();
    },
  };
}

const REASONS = { full: "the disk is full", broken: "their file is damaged" } as const;

const speakerOf = (bootId: BootId, message: TaskLog): Speaker => ({
  bootId,
  assignmentId: asAssignmentId(message.assignment) as AssignmentId,
  jobId: asJobId(message.job_id),
});
