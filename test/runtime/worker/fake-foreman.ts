/**
 * The foreman's side of a worker, played by a test over channels in memory: it records what the worker
 * says, answers heartbeats and requests for code, and acknowledges unless told not to.
 */
import { createHash } from "node:crypto";
import { ValueColumnBuilder, valueAt } from "../../../src/runtime/protocol/columns.ts";
import {
  type CommandOutcome,
  decodeCommandOutcome,
} from "../../../src/runtime/protocol/command-outcome.ts";
import { decodeFailure, type Failure } from "../../../src/runtime/protocol/failure.ts";
import type { JobSpec } from "../../../src/runtime/protocol/job-spec.ts";
import type { Message, MessageOf, MessageType } from "../../../src/runtime/protocol/messages.ts";
import { decodeValue, encodeValue, VALUE_COMMAND } from "../../../src/runtime/protocol/value.ts";
import type { Channel, WelcomeFacts } from "../../../src/runtime/transport/channel.ts";
import { unreachable } from "../../../src/runtime/transport/dial-faults.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import type { ForemanLinkOptions } from "../../../src/runtime/worker/foreman-link.ts";

export interface FakeForeman {
  readonly dial: ForemanLinkOptions["dial"];
  readonly heard: readonly Message[];
  /** Code it can send, by hash; bytes may be wrong on purpose. */
  readonly blobs: Map<string, Uint8Array>;
  /** Adds code and returns its hash. */
  addBundle(source: string): string;
  send(message: Message): void;
  assign(fields: AssignFields): void;
  /** Resolves with the first message (also one heard before) that fits. */
  wait<Type extends MessageType>(
    type: Type,
    fits?: (message: MessageOf<Type>) => boolean,
  ): Promise<MessageOf<Type>>;
  /** Resolves when the task has an outcome of any kind. */
  outcome(index: number, assignment?: number): Promise<TaskOutcome>;
  /** Breaks the connection off; the next dial succeeds. */
  cut(): void;
  foremanId: string;
  acknowledges: boolean;
  /** While false every dial fails. */
  listens: boolean;
}

export type TaskOutcome =
  | { readonly kind: "completed"; readonly value: unknown; readonly attempt: number }
  | { readonly kind: "command"; readonly outcome: CommandOutcome }
  | { readonly kind: "failed"; readonly failure: Failure; readonly outcome: CommandOutcome | null }
  | { readonly kind: "returned"; readonly reason: string }
  | { readonly kind: "gone" };

export interface AssignFields {
  readonly assignment?: number;
  readonly jobId?: number;
  readonly inputs: readonly unknown[];
  readonly firstIndex?: number;
  readonly spec: JobSpec | null;
  readonly specVersion?: number;
  readonly timeoutMs?: number;
  readonly priority?: number;
}

const WAIT_MS_MAX = 15_000;

export function createFakeForeman(): FakeForeman {
  const heard: Message[] = [];
  const listeners = new Set<() => void>();
  const blobs = new Map<string, Uint8Array>();
  let channel: Channel | null = null;

  function hear(message: Message): void {
    heard.push(message);
    answer(message);
    for (const listener of [...listeners]) listener();
  }

  function answer(message: Message): void {
    if (message.type === "heartbeat") {
      channel?.send({ type: "heartbeat_echo", beat: message.beat });
    } else if (message.type === "blob_need") sendBlob(message);
    else if ("seq" in message && foreman.acknowledges) {
      channel?.send({ type: "task_result_ack", seq: message.seq });
    }
  }

  function sendBlob({ request, sha256 }: MessageOf<"blob_need">): void {
    const bytes = blobs.get(sha256);
    if (bytes === undefined) {
      const message = "no such code";
      channel?.send({ type: "error", request, code: "bundle_missing", message, retryable: true });
      return;
    }
    const middle = bytes.byteLength >>> 1;
    const parts = [bytes.subarray(0, middle), bytes.subarray(middle)];
    for (const [number, data] of parts.entries()) {
      channel?.send({ type: "blob_chunk", request, sha256, number, data });
    }
    channel?.send({ type: "blob_done", request, sha256 });
  }

  /** Looks at all that was heard, and again with each message. */
  function until<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve, reject) => {
      const listener = (): void => {
        const found = find();
        if (found === undefined) return;
        listeners.delete(listener);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        listeners.delete(listener);
        const types = heard.map(({ type }) => type).join(" ");
        reject(new Error(`${what} did not come; heard: ${types.slice(-500)}`));
      }, WAIT_MS_MAX);
      listeners.add(listener);
      listener();
    });
  }

  const foreman: FakeForeman = {
    heard,
    blobs,
    foremanId: "foreman-a",
    acknowledges: true,
    listens: true,
    async dial(onChannel) {
      // As over a network: never before the caller has returned.
      await Promise.resolve();
      if (!foreman.listens) throw unreachable("memory", "it is switched off");
      const pair = createChannelPair({
        client: {
          role: "worker",
          keyId: "k",
          owner: "ada",
          scopes: ["work"],
          address: "memory",
          programVersion: "0",
        },
        welcome: welcomeOf(foreman.foremanId),
        onForemanSide: (opened) => {
          channel = opened;
          return {
            onMessage: (message) => {
              if (channel === opened) hear(message);
            },
            onClose() {
              if (channel === opened) channel = null;
            },
          };
        },
        onClientSide: onChannel,
      });
      return pair.client;
    },
    addBundle(source) {
      const bytes = new TextEncoder().encode(source);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      blobs.set(sha256, bytes);
      return sha256;
    },
    send(message) {
      if (channel === null) throw new Error("no worker is connected");
      channel.send(message);
    },
    assign: (fields) => foreman.send(assignmentOf(fields)),
    wait<Type extends MessageType>(
      type: Type,
      fits: (message: MessageOf<Type>) => boolean = () => true,
    ) {
      // The type was compared, which the compiler does not follow through a variable.
      const isIt = (message: Message): message is MessageOf<Type> => message.type === type;
      return until(type, () => heard.find((message) => isIt(message) && fits(message))) as Promise<
        MessageOf<Type>
      >;
    },
    outcome: (index, assignment = 1) =>
      until(`outcome of ${assignment}/${index}`, () => findOutcome(heard, assignment, index)),
    cut() {
      const cutting = channel;
      channel = null;
      cutting?.close(1001, "cut by the test");
    },
  };
  return foreman;
}

const welcomeOf = (foremanId: string): WelcomeFacts => ({
  foremanId,
  epoch: 1,
  owner: "ada",
  programVersion: "0",
  heartbeatMs: 1_000,
  leaseMs: 15_000,
});

function assignmentOf(fields: AssignFields): Message {
  const { spec, inputs } = fields;
  const builder = new ValueColumnBuilder();
  for (const input of inputs) encodeValue(input, builder);
  return {
    type: "assign_task",
    assignment: fields.assignment ?? 1,
    job_id: fields.jobId ?? 1,
    ...(spec === null ? {} : { spec }),
    spec_version: fields.specVersion ?? 1,
    owner: "ada",
    bundle_sha256: spec?.work.kind === "function" ? spec.work.bundle_sha256 : null,
    priority: fields.priority ?? 0,
    attempt: 1,
    timeout_ms: fields.timeoutMs ?? 0,
    first_index: fields.firstIndex ?? 0,
    count: inputs.length,
    input: builder.take(),
  };
}

function findOutcome(
  heard: readonly Message[],
  assignment: number,
  index: number,
): TaskOutcome | undefined {
  for (const message of heard) {
    if (!("assignment" in message) || message.assignment !== assignment) continue;
    if (message.type === "task_result") {
      const indexes = message.index ?? null;
      const row = indexes ? indexes.indexOf(index) : index - (message.first_index ?? 0);
      if (row >= 0 && row < message.count) return resultOf(message, row);
    } else if (message.type === "tasks_returned" && message.index.includes(index)) {
      return { kind: "returned", reason: message.reason };
    } else if (message.type === "tasks_gone" && message.index.includes(index)) {
      return { kind: "gone" };
    }
  }
  return undefined;
}

function resultOf(message: MessageOf<"task_result">, row: number): TaskOutcome {
  const bytes = valueAt(message.value, row);
  if (message.status === "failed") {
    const { failure, commandOutcome } = decodeFailure(bytes);
    const outcome = commandOutcome === null ? null : decodeCommandOutcome(commandOutcome);
    return { kind: "failed", failure, outcome };
  }
  if (bytes[0] === VALUE_COMMAND) return { kind: "command", outcome: decodeCommandOutcome(bytes) };
  const attempt =
    typeof message.attempt === "number" ? message.attempt : (message.attempt[row] ?? 0);
  return { kind: "completed", value: decodeValue(bytes), attempt };
}
