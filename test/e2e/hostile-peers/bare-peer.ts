/**
 * A peer without any of our manners: it can prove a key like an honest one and then sends whatever it
 * likes. Below it are the honest submitters that must not notice.
 */
import { expect } from "bun:test";
import { join } from "node:path";
import { WebSocket } from "ws";
import { decodeFrame, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import {
  type Message,
  type MessageOf,
  SUBPROTOCOL_MSGPACK,
} from "../../../src/runtime/protocol/messages.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import { readKeyFile } from "../../../src/runtime/transport/key-files.ts";
import type { Key, KeyRole } from "../../../src/runtime/transport/keys.ts";
import type { ServedWorld } from "../submit-support.ts";

export interface BarePeer {
  send(message: Message): void;
  sendFrame(frame: Uint8Array | string): void;
  /** The next message that nobody asked for yet. */
  next(): Promise<Message>;
  /** The next message of this type; others stay. */
  nextOf<Type extends Message["type"]>(type: Type): Promise<MessageOf<Type>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
}

export async function connectBare(url: string): Promise<BarePeer> {
  const socket = new WebSocket(`${url}/ws`, [SUBPROTOCOL_MSGPACK]);
  const arrived: Message[] = [];
  let onArrival = Promise.withResolvers<void>();
  socket.on("message", (raw) => {
    arrived.push(decodeFrame(raw as Buffer));
    onArrival.resolve();
    onArrival = Promise.withResolvers();
  });
  socket.on("error", () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", () => resolve());
    socket.on("error", reject);
  });
  const take = async (isWanted: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const at = arrived.findIndex(isWanted);
      if (at >= 0) return arrived.splice(at, 1)[0] as Message;
      await onArrival.promise;
    }
  };
  return {
    send: (message) => socket.send(encodeFrame(message, "msgpack")),
    sendFrame: (frame) => socket.send(frame),
    next: () => take(() => true),
    nextOf: async <Type extends Message["type"]>(type: Type) =>
      (await take((message) => message.type === type)) as MessageOf<Type>,
    closed,
    close: () => socket.terminate(),
  };
}

/** The same, behind an honest handshake. */
export async function connectProven(url: string, key: Key, role: KeyRole): Promise<BarePeer> {
  const peer = await connectBare(url);
  const handshake = createPeerHandshake({ key, role, target: new URL(url).host });
  peer.send(handshake.hello);
  const proof = handshake.onMessage(await peer.next());
  if (proof.answer === null) throw new Error("the foreman's proof was not accepted");
  peer.send(proof.answer);
  expect((await peer.next()).type).toBe("welcome");
  return peer;
}

export interface LocalKeys {
  readonly client: Key;
  readonly worker: Key;
  readonly clientPath: string;
  readonly workerPath: string;
}

/** The keys that the foreman of this world has made. */
export function readLocalKeys({ world }: ServedWorld): LocalKeys {
  const folder = join(world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys");
  const clientPath = join(folder, "local-admin.key");
  const workerPath = join(folder, "local-worker.key");
  return {
    client: readKeyFile(clientPath),
    worker: readKeyFile(workerPath),
    clientPath,
    workerPath,
  };
}

export const HONEST_COUNT = 40;
let honestJobs = 0;

/**
 * Runs the attack while an honest job runs, whose number it gets; the job must give its results in
 * order, and have run each task once.
 */
export async function besideHonestJob(
  served: ServedWorld,
  attack: (jobId: number) => Promise<void>,
): Promise<void> {
  const effects = served.file(`effects-${honestJobs++}.txt`, "");
  const script = `[ {} = 1 ] || sleep 0.03; echo {} >> ${effects}; echo {}`;
  const range = `1-${HONEST_COUNT}`;
  const submitted = await served.cc(["submit", "-dq", "--shell", "--array", range, "--", script]);
  const jobId = submitted.stdout.trim();
  const honest = served.start(["results", "-f", jobId]);
  await honest.untilStdout(/^1\n/);
  await attack(Number(jobId));
  const { exitCode, stdout } = await honest.ended;
  const expected = Array.from({ length: HONEST_COUNT }, (_, i) => `${i + 1}`);
  expect({ exitCode, lines: stdout.trimEnd().split("\n") }).toEqual({
    exitCode: 0,
    lines: expected,
  });
  expect(served.shell(`sort -n ${effects}`).trimEnd().split("\n")).toEqual(expected);
}
