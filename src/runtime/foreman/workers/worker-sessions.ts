/**
 * The workers' side of the door: turns what workers say into events, and effects into messages. One
 * queue a session keeps its messages strictly in order, also where inputs must be read first, so a
 * cancel can never overtake the assignment it speaks of.
 */
import { failpoint } from "../../platform/failpoint.ts";
import type { Logger } from "../../platform/logger.ts";
import {
  type AssignmentId,
  asBootId,
  asWorkerId,
  type BootId,
  type JobId,
  type WorkerId,
} from "../../protocol/ids.ts";
import type { Message, MessageOf } from "../../protocol/messages.ts";
import type { HeldTasks } from "../../scheduler/foreman/events.ts";
import type { Channel, ChannelHandler } from "../../transport/channel.ts";
import type { UnstampedEvent } from "../pump.ts";
import type { InputWindow } from "../reading/input-window.ts";
import type { BlobServer } from "../storage/blob-server.ts";
import type { Outputs } from "../storage/outputs.ts";
import {
  type Addressee,
  type AssignableJob,
  type AssignTasks,
  assignmentMessage,
} from "./assignment-message.ts";
import { type NoteRefused, noteRefusals } from "./refused-workers.ts";
import { fromHeld, heldOf, reportEvent } from "./worker-messages.ts";
import type { VitalsBook } from "./worker-vitals.ts";

export interface WorkerSessionsParts {
  readonly logger: Logger;
  readonly window: InputWindow;
  readonly blobs: BlobServer;
  readonly vitals: Pick<VitalsBook, "connected" | "disconnected" | "beat">;
  /** What its slots do, of a worker that was asked. */
  onActivity(workerId: WorkerId, bootId: BootId, activity: MessageOf<"activity">): void;
  post(event: UnstampedEvent): void;
  /** null when the job has ended or was forgotten meanwhile. */
  jobOf(jobId: JobId): AssignableJob | null;
  /** As they now are. */
  outputs(): Pick<Outputs, "onChunk" | "drop">;
  readonly logs: {
    take(bootId: BootId, message: MessageOf<"task_log">): void;
    /** It will not go on with what it was saying on this connection. */
    forgetSession(bootId: BootId): void;
  };
  /** A worker was turned away; not told again of the same name within a minute. */
  readonly onRefused: NoteRefused;
}

export interface WorkerSessions {
  /** Takes a channel that authenticated as a worker. */
  open(channel: Channel): ChannelHandler;
  assign(effect: AssignTasks): void;
  acknowledge(bootId: BootId, seq: number, stale: readonly HeldTasks[]): void;
  /** What it has printed up to there is kept, or refused. `pauseMs`: it is to wait so long. */
  acknowledgeLogs(bootId: BootId, logSeq: number, pauseMs: number): void;
  revoke(to: Addressee, revocation: number, assignmentId: AssignmentId, indexes: Uint32Array): void;
  cancel(to: Addressee, assignmentId: AssignmentId, indexes: Uint32Array, reason: string): void;
  drain(to: Addressee, undo: boolean): void;
  end(bootId: BootId, reason: string): void;
  /** Asks it to tell for so long what its slots do. */
  observe(workerId: WorkerId, seconds: number): void;
  closeAll(reason: string): void;
}

interface Session {
  readonly workerId: WorkerId;
  readonly bootId: BootId;
  readonly host: string;
  channel: Channel;
  connectionSeq: number;
  /** Versions of specs this boot has, so that each travels once. */
  readonly specs: Map<JobId, number>;
  /** Work that must leave in order; a promise at its head holds the rest. */
  readonly outbox: (() => void | Promise<void>)[];
  sending: boolean;
}

export function createWorkerSessions(
  parts: WorkerSessionsParts & { nowMs(): number },
): WorkerSessions {
  const { logger, window, post } = parts;
  const sessions = new Map<BootId, Session>();
  const noteRefused = noteRefusals(parts);

  function open(channel: Channel): ChannelHandler {
    let session: Session | null = null;
    return {
      onMessage(message) {
        if (message.type === "worker_ready") session = onReady(channel, message);
        else if (session !== null && session.channel === channel) onReport(session, message);
        else if (session === null) channel.close(1008, `${message.type} before worker_ready`);
      },
      onClose() {
        parts.outputs().drop(channel);
        if (session === null || session.channel !== channel) return;
        const { bootId, connectionSeq } = session;
        parts.logs.forgetSession(bootId);
        parts.vitals.disconnected(session.workerId, bootId);
        post({ type: "connectionLost", bootId, connectionSeq });
        logger.info("worker disconnected", { worker: session.workerId });
      },
    };
  }

  function onReady(channel: Channel, message: MessageOf<"worker_ready">): Session | null {
    const workerId = asWorkerId(message.worker_id);
    const bootId = asBootId(message.boot_id);
    const other = findConnected(workerId, bootId);
    if (other && other.host !== message.offer.host) {
      const message = `The id "${workerId}" is held by a worker on ${other.host}.`;
      refuse(channel, "worker_id_taken", message);
      noteRefused(workerId, { code: "worker_id_taken", message });
      return null;
    }
    const known = sessions.get(bootId);
    if (known && known.connectionSeq >= message.connection_seq) {
      refuse(channel, "old_connection", "A newer connection of this worker is open.");
      return null;
    }
    const session = known ?? createSession(workerId, bootId, message.offer.host, channel);
    if (known && known.channel !== channel)
      known.channel.close(1000, "replaced by a newer connection");
    session.channel = channel;
    session.connectionSeq = message.connection_seq;
    session.outbox.length = 0;
    session.specs.clear();
    sessions.set(bootId, session);
    parts.vitals.connected(workerId, bootId);
    forgetEarlierBoots(session);
    post({
      type: "sessionReady",
      workerId,
      bootId,
      connectionSeq: message.connection_seq,
      offer: message.offer,
      inventory: message.inventory.map(heldOf),
    });
    logger.info("worker connected", { worker: workerId, slots: message.offer.slots });
    return session;
  }

  /** A worker whose process has started anew never speaks for the old one again. */
  function forgetEarlierBoots({ workerId, bootId }: Session): void {
    for (const earlier of sessions.values()) {
      if (earlier.workerId !== workerId || earlier.bootId === bootId) continue;
      if (!earlier.channel.isOpen) sessions.delete(earlier.bootId);
    }
  }

  function findConnected(workerId: WorkerId, bootId: BootId): Session | null {
    for (const session of sessions.values()) {
      if (session.workerId === workerId && session.bootId !== bootId && session.channel.isOpen) {
        return session;
      }
    }
    return null;
  }

  function createSession(
    workerId: WorkerId,
    bootId: BootId,
    host: string,
    channel: Channel,
  ): Session {
    return {
      workerId,
      bootId,
      host,
      channel,
      connectionSeq: 0,
      specs: new Map(),
      outbox: [],
      sending: false,
    };
  }

  function onReport(session: Session, message: Message): void {
    const { bootId } = session;
    if (message.type === "task_result") failpoint("result-received");
    const event = reportEvent(bootId, message);
    if (event !== null) {
      post(event);
      return;
    }
    switch (message.type) {
      case "heartbeat":
        onHeartbeat(session, message);
        return;
      case "activity":
        parts.onActivity(session.workerId, bootId, message);
        return;
      case "task_log":
        parts.logs.take(bootId, message);
        return;
      case "output_chunk":
        parts.outputs().onChunk(session.channel, bootId, message);
        return;
      case "blob_need":
        void parts.blobs.serve(session.channel, message);
        return;
      case "goodbye":
        post({ type: "sessionEnded", bootId, reason: message.reason });
        sessions.delete(bootId);
        return;
      case "error":
        logger.warn("worker reports an error", { worker: session.workerId, code: message.code });
        return;
      default:
        session.channel.send({
          type: "error",
          code: "unexpected_message",
          message: `A worker does not send ${message.type}.`,
          retryable: false,
        });
    }
  }

  function onHeartbeat(session: Session, message: MessageOf<"heartbeat">): void {
    const { bootId } = session;
    parts.vitals.beat(session.workerId, bootId, message);
    post({
      type: "heartbeatReceived",
      bootId,
      connectionSeq: message.connection_seq,
      beat: message.beat,
      freeSlots: message.free_slots,
      cpuPercent: message.cpu,
      memoryPercent: message.memory,
    });
    session.channel.send({ type: "heartbeat_echo", beat: message.beat });
  }

  /** As `enqueue`, for words that only the connection they were meant for may hear. */
  function enqueueFor(to: Addressee, send: (session: Session) => void | Promise<void>): void {
    enqueue(to.bootId, (session) => (isCurrent(session, to) ? send(session) : undefined));
  }

  /** Runs what waits in order; a promise (inputs being read) holds everything behind it. */
  function enqueue(bootId: BootId, send: (session: Session) => void | Promise<void>): void {
    const session = sessions.get(bootId);
    if (!session) return;
    session.outbox.push(() => send(session));
    if (!session.sending) void drain(session);
  }

  async function drain(session: Session): Promise<void> {
    session.sending = true;
    try {
      for (let next = session.outbox.shift(); next; next = session.outbox.shift()) {
        const pending = next();
        if (pending) await pending;
      }
    } catch (cause) {
      // The tasks stay assigned; closing makes the worker come back and present what it really has.
      logger.error("a worker's message could not be sent", { worker: session.workerId, cause });
      session.channel.close(1011, "the foreman could not read a task's input");
    } finally {
      session.sending = false;
    }
  }

  function sendAssignment(session: Session, effect: AssignTasks): void | Promise<void> {
    const job = parts.jobOf(effect.jobId);
    if (!job) return;
    const input = window.read(effect.jobId, effect.indexes, effect.count);
    if (input instanceof Promise) {
      return input.then((values) => {
        // The worker may have come back meanwhile, and declared these tasks missing.
        if (isCurrent(session, effect))
          session.channel.send(assignmentMessage(session.specs, effect, job, values));
      });
    }
    session.channel.send(assignmentMessage(session.specs, effect, job, input));
    failpoint("dispatch-sent");
  }

  return {
    open,
    assign: (effect) => enqueueFor(effect, (session) => sendAssignment(session, effect)),
    acknowledge(bootId, seq, stale) {
      enqueue(bootId, ({ channel }) => {
        channel.send({
          type: "task_result_ack",
          seq,
          ...(stale.length === 0 ? {} : { stale: stale.map(fromHeld) }),
        });
        failpoint("result-acked");
      });
    },
    acknowledgeLogs(bootId, logSeq, pauseMs) {
      sessions.get(bootId)?.channel.send({
        type: "task_log_ack",
        log_seq: logSeq,
        ...(pauseMs === 0 ? {} : { pause_ms: pauseMs }),
      });
    },
    revoke(to, revocation, assignment, index) {
      enqueueFor(to, ({ channel }) =>
        channel.send({ type: "revoke_task", request: revocation, assignment, index }),
      );
    },
    cancel(to, assignment, index, reason) {
      enqueueFor(to, ({ channel }) =>
        channel.send({ type: "cancel_task", assignment, index, reason: reason.slice(0, 1000) }),
      );
    },
    drain(to, undo) {
      enqueueFor(to, ({ channel }) => channel.send({ type: "drain", undo }));
    },
    end(bootId, reason) {
      enqueue(bootId, ({ channel }) => {
        channel.send({ type: "goodbye", reason });
        channel.close(1000, reason);
        sessions.delete(bootId);
      });
    },
    observe(workerId, seconds) {
      for (const { workerId: name, channel } of sessions.values()) {
        if (name === workerId && channel.isOpen) channel.send({ type: "observe", seconds });
      }
    },
    closeAll(reason) {
      for (const session of sessions.values()) session.channel.close(1001, reason);
    },
  };
}

const isCurrent = (session: Session, to: Addressee): boolean =>
  session.connectionSeq === to.connectionSeq;

function refuse(channel: Channel, code: string, message: string): void {
  const hint = "Give this worker another --id.";
  channel.send({ type: "error", code, message, hint, retryable: false });
  channel.close(1008, message);
}
