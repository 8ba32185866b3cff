/**
 * A foreman for the monitor's tests: a real listener on a free port with real handshakes, whose views come
 * from a made-up installation (world.ts) and change only when a test says so. It can go away and come
 * back, forget the key, be slow, and counts every request it got, so that "nothing was changed" can be
 * proven. It runs no job.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { CcError, toCcError } from "../../../src/runtime/protocol/error.ts";
import type { View } from "../../../src/runtime/protocol/messages/client.ts";
import type { Message, MessageOf, MessageType } from "../../../src/runtime/protocol/messages.ts";
import { diffView } from "../../../src/runtime/protocol/view-patch.ts";
import type { Channel, Scope } from "../../../src/runtime/transport/channel.ts";
import {
  createKey,
  formatKey,
  type Key,
  type KeyEntry,
  type KeyRole,
  keyEntry,
} from "../../../src/runtime/transport/keys.ts";
import { type ForemanListener, listen } from "../../../src/runtime/transport/server.ts";
import { type LogPiece, logsAnswer } from "./log-pages.ts";
import { createWorld, type MonitorWorld, viewOf } from "./world.ts";

export interface FakeForemanOptions {
  readonly world?: MonitorWorld;
  readonly scopes?: readonly Scope[];
  /** Of the key that the monitor gets; a worker's key may not look. */
  readonly role?: KeyRole;
}

export interface FakeForeman {
  readonly url: string;
  readonly world: MonitorWorld;
  /** What tasks printed, by `JOB/INDEX`. */
  readonly logs: Map<string, LogPiece[]>;
  /** Writes the key into a file of this folder and returns its path. */
  writeKey(folder: string): string;
  /** How many requests of this type came. */
  countOf(type: MessageType): number;
  /** Requests that would change something, in order. */
  readonly changes: readonly Message[];
  /** The views that are followed now. */
  followed(): readonly View[];
  /** Resolves when somebody follows a view of this kind. */
  untilFollowed(kind: View["kind"]): Promise<void>;
  /** Tells everybody what is new in the world. */
  push(): void;
  /** Requests stay unanswered, and nothing is told, until `release`. */
  hold(): void;
  release(): void;
  /** Answers every such request with this error from now on; null: as it should. */
  refuse(type: MessageType, error: CcError | null): void;
  /** Closes every connection and frees the port. */
  goAway(): Promise<void>;
  /** Listens at the same address again. */
  comeBack(): Promise<void>;
  /** Connections from now on are refused. */
  forgetKey(): void;
  close(): Promise<void>;
}

interface Followed {
  readonly channel: Channel;
  readonly request: number;
  readonly view: View;
  readonly wantsPatches: boolean;
  seq: number;
  sent: object;
}

/** Requests that only look. */
const LOOKING: ReadonlySet<MessageType> = new Set<MessageType>([
  "subscribe",
  "unsubscribe",
  "read_logs",
  "read_events",
  "read_results",
  "get_job",
  "follow_jobs",
]);

export async function startFakeForeman(options: FakeForemanOptions = {}): Promise<FakeForeman> {
  const { world = createWorld(), scopes = ["view", "submit", "admin"], role = "client" } = options;
  const key = createKey(role);
  const entry = keyEntry(key, { owner: "ann", scopes });
  const known = new Map<string, KeyEntry>([[key.keyId, entry]]);
  const counts = new Map<MessageType, number>();
  const changes: Message[] = [];
  const followed = new Set<Followed>();
  const refusals = new Map<MessageType, CcError>();
  const logs = new Map<string, LogPiece[]>();
  let held: (() => void)[] | null = null;
  let onFollow = Promise.withResolvers<void>();

  function onMessage(channel: Channel, message: Message): void {
    counts.set(message.type, (counts.get(message.type) ?? 0) + 1);
    if (!LOOKING.has(message.type)) changes.push(message);
    if (held === null) answer(channel, message);
    else held.push(() => answer(channel, message));
  }

  function answer(channel: Channel, message: Message): void {
    const request = "request" in message && message.request !== undefined ? message.request : 0;
    try {
      const refusal = refusals.get(message.type);
      if (refusal !== undefined) throw refusal;
      if (message.type === "subscribe") open(channel, message);
      else if (message.type === "unsubscribe") drop(channel, request);
      else if (message.type === "read_logs") channel.send(logsAnswer(message, logs));
      else channel.send(acknowledge(message, request));
    } catch (thrown) {
      channel.send({ type: "error", request, ...toCcError(thrown).toView() });
    }
  }

  function open(channel: Channel, message: MessageOf<"subscribe">): void {
    const { request, view } = message;
    const body = viewOf(world, view);
    channel.send({ type: "snapshot", request, seq: 0, body });
    if (!message.follow) return;
    const wantsPatches = message.patches === true;
    followed.add({ channel, request, view, wantsPatches, seq: 0, sent: body });
    onFollow.resolve();
    onFollow = Promise.withResolvers();
  }

  function drop(channel: Channel, request?: number): void {
    for (const each of followed) {
      if (each.channel !== channel) continue;
      if (request === undefined || each.request === request) followed.delete(each);
    }
  }

  /** Every request that changes something is acknowledged, and nothing changes. */
  function acknowledge(message: Message, request: number): Message {
    if (message.type === "update_worker" || message.type === "drain_worker") {
      return { type: "done", request };
    }
    if ("job_id" in message) {
      const job = world.jobs.find(({ job_id }) => job_id === message.job_id);
      if (job !== undefined) return { type: "job_status", request, job, affected: 3 };
    }
    throw new CcError({ code: "no_such_job", message: "There is no such job.", exitCode: 2 });
  }

  /** What is not there any more is told once, as a foreman does. */
  function tell(each: Followed): void {
    let body: object;
    try {
      body = viewOf(world, each.view);
    } catch (thrown) {
      followed.delete(each);
      each.channel.send({ type: "error", request: each.request, ...toCcError(thrown).toView() });
      return;
    }
    const patch = diffView(each.sent, body);
    if (patch === null) return;
    each.sent = body;
    each.seq += 1;
    const { channel, request, seq } = each;
    channel.send({ type: "delta", request, seq, ...(each.wantsPatches ? { patch } : { body }) });
  }

  const listenAt = (port: number): Promise<ForemanListener> =>
    listen({
      host: "127.0.0.1",
      port,
      keys: { find: (keyId) => known.get(keyId) ?? null },
      foremanId: "fake-foreman",
      epoch: 1,
      timing: { heartbeatMs: 3_000, leaseMs: 15_000 },
      logger: silentLogger,
      onChannel: (channel) => ({
        onMessage: (message) => onMessage(channel, message),
        onClose: () => drop(channel),
      }),
    });

  let listener = await listenAt(0);
  const { port, url } = listener;
  return {
    url,
    world,
    logs,
    writeKey: (folder) => writeKeyFile(folder, key),
    countOf: (type) => counts.get(type) ?? 0,
    changes,
    followed: () => [...followed].map(({ view }) => view),
    async untilFollowed(kind) {
      while (![...followed].some(({ view }) => view.kind === kind)) await onFollow.promise;
    },
    push() {
      const tellAll = (): void => {
        for (const each of followed) tell(each);
      };
      if (held === null) tellAll();
      else held.push(tellAll);
    },
    hold() {
      held ??= [];
    },
    release() {
      const waiting = held ?? [];
      held = null;
      for (const act of waiting) act();
    },
    refuse(type, error) {
      if (error === null) refusals.delete(type);
      else refusals.set(type, error);
    },
    goAway: () => listener.close("the fake foreman goes"),
    async comeBack() {
      listener = await listenAt(port);
    },
    forgetKey: () => known.clear(),
    close: () => listener.close("the test is over"),
  };
}

function writeKeyFile(folder: string, key: Key): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "monitor.key");
  writeFileSync(path, `${formatKey(key)}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}
