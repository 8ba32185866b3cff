/**
 * A foreman that answers as a test says, over channels in memory: enough to hold jobs' inputs, and to
 * lose connections where it hurts. Real messages pass the real codec.
 */
import { crc32 } from "node:zlib";
import { type Connection, openConnection } from "../../../src/runtime/client/connection.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import type { Channel, Peer, WelcomeFacts } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";

const CLIENT: Peer = {
  role: "client",
  keyId: "test",
  owner: "tester",
  scopes: ["admin"],
  address: "memory",
  programVersion: "0",
};
const WELCOME: WelcomeFacts = {
  foremanId: "f",
  epoch: 1,
  owner: "tester",
  programVersion: "0",
  heartbeatMs: 3000,
  leaseMs: 15_000,
};

export interface ScriptedForeman {
  connect(): Promise<Connection>;
  /** Everything that clients said, in order. */
  readonly heard: Message[];
  /** Ends the connection that is open. */
  cut(): void;
  readonly connectionCount: number;
}

export type Answerer = (message: Message, channel: Channel) => void;

export function createScriptedForeman(answer: Answerer): ScriptedForeman {
  const heard: Message[] = [];
  let open: Channel | null = null;
  let connectionCount = 0;
  return {
    heard,
    cut: () => open?.close(1001, "cut by the test"),
    get connectionCount() {
      return connectionCount;
    },
    connect: () =>
      openConnection("memory", async (handler) => {
        connectionCount++;
        const pair = createChannelPair({
          client: CLIENT,
          welcome: WELCOME,
          onForemanSide: (channel) => {
            open = channel;
            return {
              onMessage(message) {
                heard.push(message);
                answer(message, channel);
              },
              onClose() {},
            };
          },
          onClientSide: () => handler,
        });
        return pair.client;
      }),
  };
}

export interface HeldJob {
  /** Bytes of all inputs, in order. */
  data: Uint8Array;
  count: number;
  closed: boolean;
}

/** Keeps one job's inputs as a foreman does. `hook` may answer instead, by returning true. */
export function createInputKeeper(
  hook: (message: Message, channel: Channel, job: HeldJob) => boolean = () => false,
): { readonly job: HeldJob; readonly answer: Answerer } {
  const job: HeldJob = { data: new Uint8Array(0), count: 0, closed: false };
  let isKnown = false;
  const take = (input: MessageOf<"submit_tasks">["input"], count: number): void => {
    job.data = Buffer.concat([job.data, input.data]);
    job.count += count;
  };
  const answer: Answerer = (message, channel) => {
    if (hook(message, channel, job)) return;
    switch (message.type) {
      case "submit_job": {
        const existing = isKnown;
        isKnown = true;
        if (!existing) {
          take(message.input, message.count);
          job.closed = message.close;
        }
        channel.send({
          type: "job_accepted",
          request: message.request,
          job_id: 17,
          next_index: job.count,
          input_crc32: crc32(job.data),
          existing,
          credit_bytes: 100_000,
        });
        return;
      }
      case "submit_tasks":
        // What is there already is passed over; the scripted batches are never cut in two.
        if (message.first_index === job.count) take(message.input, message.count);
        channel.send({
          type: "tasks_accepted",
          request: message.request,
          job_id: 17,
          next_index: job.count,
          credit_bytes: 100_000,
        });
        return;
      case "close_job":
        job.closed = message.count === job.count;
        channel.send({
          type: "job_status",
          request: message.request,
          job: { job_id: 17 },
          affected: 0,
        });
        return;
      case "follow_jobs":
        channel.send({ type: "done", request: message.request });
        return;
      case "blob_offer":
        channel.send({ type: "blob_need", request: message.request, sha256: message.sha256 });
        return;
      case "blob_done":
        channel.send({ type: "blob_done", request: message.request, sha256: message.sha256 });
        return;
      default:
        return;
    }
  };
  return { job, answer };
}
