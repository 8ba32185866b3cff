/**
 * What the transport's tests share: a foreman that listens on a free port, handlers that record what
 * they hear, and a bare WebSocket for whoever misbehaves. Tests wait on signals, never on time.
 */
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { decodeFrame } from "../../../src/runtime/protocol/frames.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { SUBPROTOCOL_MSGPACK } from "../../../src/runtime/protocol/messages.ts";
import type {
  Channel,
  ChannelEnd,
  ChannelHandler,
} from "../../../src/runtime/transport/channel.ts";
import { type DialOptions, dial } from "../../../src/runtime/transport/client.ts";
import {
  createKey,
  type Key,
  type KeyDirectory,
  type KeyEntry,
  keyEntry,
} from "../../../src/runtime/transport/keys.ts";
import {
  type ForemanListener,
  type ListenOptions,
  listen,
} from "../../../src/runtime/transport/server.ts";

export interface Recorder extends ChannelHandler {
  readonly messages: Message[];
  /** The next message that nobody asked for yet. */
  next(): Promise<Message>;
  readonly ended: Promise<ChannelEnd>;
  readonly endCount: number;
}

export function createRecorder(onMessage: (message: Message) => void = () => {}): Recorder {
  const messages: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<ChannelEnd>();
  let readCount = 0;
  let endCount = 0;
  return {
    messages,
    onMessage(message) {
      messages.push(message);
      waiting.shift()?.(message);
      onMessage(message);
    },
    onClose(reason) {
      endCount++;
      end(reason);
    },
    next() {
      const message = messages[readCount++];
      if (message) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
    ended,
    get endCount() {
      return endCount;
    },
  };
}

export interface TestForeman {
  readonly listener: ForemanListener;
  readonly clientKey: Key;
  readonly workerKey: Key;
  readonly clientEntry: KeyEntry;
  /** The channel that opened next, with what it hears. */
  opened(): Promise<{ readonly channel: Channel; readonly recorder: Recorder }>;
  dial(options?: Partial<DialOptions>): Promise<Channel>;
}

const quiet: ChannelHandler = { onMessage: () => {}, onClose: () => {} };

const listeners: ForemanListener[] = [];

export async function startTestForeman(options: Partial<ListenOptions> = {}): Promise<TestForeman> {
  const clientKey = createKey("client");
  const workerKey = createKey("worker");
  const clientEntry = keyEntry(clientKey, { owner: "ada", scopes: ["view", "submit"] });
  const opened: { channel: Channel; recorder: Recorder }[] = [];
  const waiting: ((entry: { channel: Channel; recorder: Recorder }) => void)[] = [];
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    keys: directoryOf([
      [clientKey, clientEntry],
      [workerKey, keyEntry(workerKey, { owner: "ada", scopes: ["work"] })],
    ]),
    foremanId: "foreman-1",
    epoch: 7,
    timing: { heartbeatMs: 3_000, leaseMs: 15_000 },
    logger: silentLogger,
    onChannel(channel) {
      const recorder = createRecorder();
      const next = waiting.shift();
      if (next) next({ channel, recorder });
      else opened.push({ channel, recorder });
      return recorder;
    },
    ...options,
  });
  listeners.push(listener);
  return {
    listener,
    clientKey,
    workerKey,
    clientEntry,
    opened: () => {
      const entry = opened.shift();
      return entry ? Promise.resolve(entry) : new Promise((resolve) => waiting.push(resolve));
    },
    dial: (dialOptions) =>
      dial({ url: listener.url, key: clientKey, role: "client", handler: quiet, ...dialOptions }),
  };
}

/** For `afterEach`. */
export async function stopTestForemen(): Promise<void> {
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
}

export function directoryOf(entries: readonly (readonly [Key, KeyEntry])[]): KeyDirectory {
  const byId = new Map(entries.map(([key, entry]) => [key.keyId, entry]));
  return { find: (keyId) => byId.get(keyId) ?? null };
}

export interface RawSocketRecord {
  readonly socket: WebSocket;
  /** Frames in order, as they came. */
  nextFrame(): Promise<Buffer>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface RawOptions {
  readonly subprotocols?: string[];
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

/** A WebSocket without any of our manners. */
export async function openRaw(
  foreman: TestForeman,
  { subprotocols = [SUBPROTOCOL_MSGPACK], headers = {}, path = "/ws" }: RawOptions = {},
): Promise<RawSocketRecord> {
  const socket = new WebSocket(`${foreman.listener.url}${path}`, subprotocols, { headers });
  const frames: Buffer[] = [];
  const waiting: ((frame: Buffer) => void)[] = [];
  socket.on("message", (raw) => {
    const next = waiting.shift();
    if (next) next(raw as Buffer);
    else frames.push(raw as Buffer);
  });
  socket.on("error", () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("unexpected-response", (_request, response) =>
      reject(new Error(`refused with ${response.statusCode}`)),
    );
    socket.on("error", reject);
  });
  return {
    socket,
    nextFrame: () => {
      const frame = frames.shift();
      return frame ? Promise.resolve(frame) : new Promise((resolve) => waiting.push(resolve));
    },
    closed,
  };
}

/** What a promise rejects with; fails the test when it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** The next frame, which must be an error, in either sub-protocol. */
export async function errorIn(raw: RawSocketRecord): Promise<MessageOf<"error">> {
  const frame = await raw.nextFrame();
  const message = decodeFrame(frame[0] === 0x7b ? frame.toString() : frame);
  if (message.type !== "error") throw new Error(`expected an error, got ${message.type}`);
  return message;
}

/** Sends text over TCP and collects everything until the end. */
export function exchange(port: number, text: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  return { socket, answer: new Promise((resolve) => socket.on("close", () => resolve(received))) };
}

export const upgradeText = (headers: Record<string, string>, path = "/ws"): string =>
  [
    `GET ${path} HTTP/1.1`,
    ...Object.entries({
      Host: "127.0.0.1",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": SUBPROTOCOL_MSGPACK,
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ].join("\r\n");

/** Upgrades, begins a frame of 16 MiB and waits for the close frame that cuts it short. */
export async function announceHugeFrame(
  foreman: TestForeman,
): Promise<{ readonly closeFrame: Buffer; readonly answer: Promise<string> }> {
  const { socket, answer } = exchange(foreman.listener.port, upgradeText({}));
  await new Promise((resolve) => socket.once("data", resolve));
  const announced = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
  socket.write(Buffer.concat([announced, Buffer.alloc(64 * 1024)]));
  const closeFrame = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  return { closeFrame, answer };
}
