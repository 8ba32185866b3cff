/**
 * A whole foreman in memory: the real machine, pump, readers and codec over the memory store, with
 * peers that the test speaks for. Nothing listens, and time is the test's.
 */

import { createForeman, type Foreman } from "../../../src/runtime/foreman/foreman.ts";
import type { LogsParts } from "../../../src/runtime/foreman/logs/log-desk.ts";
import { createManualClock, type ManualClock } from "../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { ValueColumnBuilder } from "../../../src/runtime/protocol/columns.ts";
import type { JobSpec } from "../../../src/runtime/protocol/job-spec.ts";
import type { Message, MessageOf, MessageType } from "../../../src/runtime/protocol/messages.ts";
import { encodeValue } from "../../../src/runtime/protocol/value.ts";
import { createMemoryStore, type MemoryStore } from "../../../src/runtime/store/memory.ts";
import type { Channel, Scope } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import { anOffer, aSpec, commandWork } from "../../support/specs.ts";

export interface Rig {
  readonly foreman: Foreman;
  readonly store: MemoryStore;
  readonly clock: ManualClock;
  connect(peer?: {
    role?: "client" | "worker";
    owner?: string;
    scopes?: readonly Scope[];
  }): TestPeer;
  /** Lets time pass as a running process sees it: in steps, each with its due timers. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

const TIME_STEP_MS = 500;

/** One end of a channel: sends messages and waits for the ones it expects. */
export interface TestPeer {
  readonly channel: Channel;
  send(message: Message): void;
  /** The next message of this type, heard already or still to come. */
  next<Type extends MessageType>(type: Type): Promise<MessageOf<Type>>;
  readonly closed: Promise<string>;
}

export async function createRig(
  store: MemoryStore = createMemoryStore(),
  logs?: LogsParts,
): Promise<Rig> {
  const clock = createManualClock();
  const foreman = await createForeman({
    store,
    clock,
    logger: silentLogger,
    options: {
      heartbeatMs: 3_000,
      leaseMs: 15_000,
      reconnectGraceMs: 5_000,
      seed: 1,
      onlyFollowed: false,
    },
    ...(logs === undefined ? {} : { logs }),
    facts: { url: "ws://test", storeFolder: "memory", startedAtMs: clock.nowMs() },
    onFatal(error) {
      throw error;
    },
    onShutdownRequested: () => {},
  });
  return {
    foreman,
    store,
    clock,
    connect: (peer = {}) => connect(foreman, peer),
    async pass(durationMs) {
      for (let passed = 0; passed < durationMs; passed += TIME_STEP_MS) {
        clock.advance(TIME_STEP_MS);
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => foreman.close(),
  };
}

function connect(
  foreman: Foreman,
  peer: { role?: "client" | "worker"; owner?: string; scopes?: readonly Scope[] },
): TestPeer {
  const heard: Message[] = [];
  const waiting: { type: MessageType; resolve: (message: Message) => void }[] = [];
  const closed = Promise.withResolvers<string>();
  const { client } = createChannelPair({
    client: {
      role: peer.role ?? "client",
      keyId: "test",
      owner: peer.owner ?? "ann",
      scopes: peer.scopes ?? (peer.role === "worker" ? ["work"] : ["view", "submit"]),
      address: "memory",
      programVersion: "0.0.0",
    },
    welcome: {
      foremanId: "f",
      epoch: 1,
      owner: peer.owner ?? "ann",
      programVersion: "0.0.0",
      heartbeatMs: 3_000,
      leaseMs: 15_000,
    },
    onForemanSide: foreman.open,
    onClientSide: () => ({
      onMessage(message) {
        const at = waiting.findIndex((entry) => entry.type === message.type);
        if (at >= 0) waiting.splice(at, 1)[0]?.resolve(message);
        else heard.push(message);
      },
      onClose: (end) => closed.resolve(end.reason),
    }),
  });
  return {
    channel: client,
    send: (message) => client.send(message),
    next<Type extends MessageType>(type: Type) {
      const at = heard.findIndex((message) => message.type === type);
      if (at >= 0) return Promise.resolve(heard.splice(at, 1)[0] as MessageOf<Type>);
      return new Promise<MessageOf<Type>>((resolve) => {
        waiting.push({ type, resolve: (message) => resolve(message as MessageOf<Type>) });
      });
    },
    closed: closed.promise,
  };
}

export function commandSpec(overrides: Partial<JobSpec> = {}): JobSpec {
  return aSpec({ name: "test", work: commandWork(["true"]), ...overrides });
}

export const OFFER = anOffer();

export function submission(
  inputs: readonly unknown[],
  overrides: Partial<MessageOf<"submit_job">> = {},
): MessageOf<"submit_job"> {
  return {
    type: "submit_job",
    request: 1,
    submission_id: "s-1",
    resumable: false,
    spec: commandSpec(),
    count: inputs.length,
    input: valuesOf(inputs),
    close: true,
    ...overrides,
  };
}

export function valuesOf(values: readonly unknown[]): MessageOf<"submit_job">["input"] {
  const builder = new ValueColumnBuilder();
  for (const value of values) encodeValue(value, builder);
  return builder.take() as MessageOf<"submit_job">["input"];
}

export function readyMessage(
  workerId: string,
  overrides: Partial<MessageOf<"worker_ready">> = {},
): MessageOf<"worker_ready"> {
  return {
    type: "worker_ready",
    worker_id: workerId,
    boot_id: `boot-of-${workerId}`,
    connection_seq: 1,
    offer: OFFER,
    inventory: [],
    acknowledged_seq: 0,
    ...overrides,
  };
}

/** A report that completes the whole assignment, each task with its own input as its value. */
export function completion(
  assigned: MessageOf<"assign_task">,
  seq: number,
): MessageOf<"task_result"> {
  return {
    type: "task_result",
    seq,
    assignment: assigned.assignment,
    job_id: assigned.job_id,
    status: "completed",
    ...(assigned.index ? { index: assigned.index } : { first_index: assigned.first_index ?? 0 }),
    count: assigned.count,
    attempt: assigned.attempt,
    run_us: 1_000,
    ended_ago_us: 0,
    value: assigned.input,
  };
}
