/**
 * A peer that sends nearly right frames, as a stranger, a client or a worker, and comes back whenever it
 * is closed. It keeps what it sent last, for whoever has to find the frame that did harm.
 */
import type { Encoding } from "../../../src/runtime/protocol/frames.ts";
import { FRAME_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import { readFrame } from "../../../src/runtime/transport/read-frame.ts";
import { type FrameFuzz, mutatedFrame } from "../../support/fuzz/mutate.ts";
import { seedOfFrame } from "../../support/fuzz/random.ts";
import {
  type Plain,
  sampleMessages,
  sampleOffer,
  type Target,
} from "../../support/fuzz/sample-messages.ts";
import { within } from "../support/cluster.ts";
import type { Attacked } from "./attacked.ts";
import { openRaw, type RawPeer } from "./raw-peer.ts";

export interface FuzzingPeer {
  readonly name: string;
  /** Sends so many frames; rejects when the foreman does not close where it must. */
  run(frameCount: number): Promise<void>;
  readonly sentCount: number;
  readonly connectionCount: number;
  /** `seed hex` of the last frames, the newest last. */
  lastFrames(): readonly string[];
  close(): void;
}

export interface FuzzingOptions {
  readonly role: "stranger" | "client" | "worker";
  readonly encoding: Encoding;
  readonly seed: number;
  /** Of the job whose tasks only fuzzing workers get. */
  readonly jobId: number;
}

const LAST_FRAMES_MAX = 100;
/** Frames that close the connection cost a handshake each, and test little besides the decoder. */
const REFUSED_SENT_IN = 20;

/** What an authorised client may do to others' work is no fault of the foreman. */
const LEFT_OUT = /^(shutdown|update_worker|drain|collect|remove_|goodbye)/;
const STEERING = /^(cancel_job|retry_job|update_job|close_job|submit_tasks)$/;

export function createFuzzingPeer(attacked: Attacked, options: FuzzingOptions): FuzzingPeer {
  const { role, encoding } = options;
  const name = `${role}-${encoding}`;
  const last: string[] = [];
  let target: Target = {
    jobId: options.jobId,
    assignment: 2 ** 32 + 1,
    workerId: `fuzz-${name}`,
    bootId: `boot-${name}-0`,
  };
  let samples: readonly Plain[] = sampleMessages(target);
  let peer: RawPeer | null = null;
  let frameNumber = 0;
  let sentCount = 0;
  let connectionCount = 0;

  async function connect(): Promise<RawPeer> {
    connectionCount++;
    const opened = await openRaw(attacked.cluster.url, { encoding });
    if (role === "stranger") return opened;
    await opened.prove(attacked.keys[role], role);
    opened.onMessage = (message) => learn(message);
    if (role === "worker") introduce(opened);
    return opened;
  }

  /** As an honest worker would, so that what follows is heard. */
  function introduce(opened: RawPeer): void {
    target = { ...target, bootId: `boot-${name}-${connectionCount}` };
    samples = sampleMessages(target);
    opened.send({
      type: "worker_ready",
      worker_id: target.workerId,
      boot_id: target.bootId,
      connection_seq: 1,
      offer: sampleOffer(),
      inventory: [],
      acknowledged_seq: 0,
    });
  }

  function learn(message: Message): void {
    if (message.type !== "assign_task") return;
    target = { ...target, jobId: message.job_id, assignment: message.assignment };
    samples = sampleMessages(target);
  }

  async function send(frame: FrameFuzz, seed: number): Promise<void> {
    const closes = closesConnection(frame);
    if (closes === null) return;
    if (closes && role !== "stranger" && seed % REFUSED_SENT_IN !== 0) return;
    if (peer === null || !peer.isOpen) peer = await connect();
    last.push(`${seed} ${Buffer.from(frame.bytes).toString("hex")}`);
    if (last.length > LAST_FRAMES_MAX) last.shift();
    peer.sendFrame(frame.bytes, frame.isBinary);
    sentCount++;
    if (closes) {
      await within(`the foreman closes ${name} after seed ${seed}`, peer.closed);
      peer = null;
    } else if (peer.socket.writableNeedDrain) {
      const { socket } = peer;
      await new Promise<void>((resolve) => {
        socket.once("drain", resolve).once("close", () => resolve());
      });
    }
  }

  /** As the foreman will judge it; null: not to be sent. */
  function closesConnection(frame: FrameFuzz): boolean | null {
    const reading = readFrame(frame, { encoding, bytesMax: FRAME_BYTES_MAX });
    if (reading.kind === "refused") return true;
    if (reading.kind === "unknown") return false;
    const { message } = reading;
    // A stranger may say hello; whatever else it says is its last word.
    if (role === "stranger") return message.type !== "hello";
    if (LEFT_OUT.test(message.type)) return null;
    const isOthers = "job_id" in message && message.job_id !== options.jobId;
    if (isOthers && STEERING.test(message.type)) return null;
    return false;
  }

  return {
    name,
    async run(frameCount) {
      for (const wanted = sentCount + frameCount; sentCount < wanted; ) {
        const seed = seedOfFrame(options.seed, frameNumber++);
        await send(mutatedFrame(seed, samples, encoding), seed);
      }
    },
    get sentCount() {
      return sentCount;
    },
    get connectionCount() {
      return connectionCount;
    },
    lastFrames: () => last,
    close: () => peer?.end(),
  };
}
