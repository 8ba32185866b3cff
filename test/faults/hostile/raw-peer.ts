/**
 * A peer that speaks WebSocket by hand, so that it can send what no library would: any header, any
 * fragment, any silence. It can prove a key like an honest one, and stop reading whenever it likes.
 */
import { randomBytes } from "node:crypto";
import { createConnection, type Socket } from "node:net";
import { decodeFrame, type Encoding, encodeFrame } from "../../../src/runtime/protocol/frames.ts";
import {
  type Message,
  type MessageOf,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
} from "../../../src/runtime/protocol/messages.ts";
import { createPeerHandshake } from "../../../src/runtime/transport/handshake.ts";
import type { Key, KeyRole } from "../../../src/runtime/transport/keys.ts";
import { readFrames, wireFrame } from "./wire-frame.ts";

export interface RawPeer {
  readonly socket: Socket;
  /** What the foreman answered to the upgrade. */
  readonly response: string;
  /** Any bytes. */
  write(bytes: Uint8Array | string): void;
  /** One whole frame of the peer's sub-protocol. */
  sendFrame(payload: Uint8Array, isBinary?: boolean): void;
  send(message: Message): void;
  /** Goes through the handshake; then the peer is as good as an honest one. */
  prove(key: Key, role: KeyRole): Promise<void>;
  /** The next message of this type; others are dropped. */
  nextOf<Type extends Message["type"]>(type: Type): Promise<MessageOf<Type>>;
  /** Called with each message from now on. */
  onMessage: ((message: Message) => void) | null;
  /** Why the foreman ended it: the close frame's code and reason, or 1006 without one. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly isOpen: boolean;
  end(): void;
}

export interface RawPeerOptions {
  readonly encoding?: Encoding;
  /** More lines for the upgrade request. */
  readonly headers?: readonly string[];
}

export async function openRaw(url: string, options: RawPeerOptions = {}): Promise<RawPeer> {
  const { encoding = "msgpack", headers = [] } = options;
  const { host, hostname, port } = new URL(url);
  const socket = await openTcp(hostname, Number(port));
  const opcode = encoding === "msgpack" ? 2 : 1;
  const arrived: Message[] = [];
  let onArrival = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  let end = { code: 1006, reason: "" };
  socket.on("close", () => {
    closed.resolve(end);
    onArrival.resolve();
  });
  socket.write(upgradeRequest(host, encoding, headers));
  const { response, rest } = await readResponse(socket);
  if (!response.startsWith("HTTP/1.1 101 ")) throw new Error(`refused: ${response}`);
  const parser = readFrames((kind, payload) => {
    if (kind === 8) {
      end = closeReason(payload);
      if (!socket.destroyed) socket.end(wireFrame(payload.subarray(0, 2), { opcode: 8 }));
      return;
    }
    if (kind > 2) return;
    const message = decodeFrame(encoding === "json" ? payload.toString() : payload);
    if (peer.onMessage !== null) peer.onMessage(message);
    else arrived.push(message);
    onArrival.resolve();
    onArrival = Promise.withResolvers();
  });
  const sendFrame = (payload: Uint8Array, isBinary = opcode === 2): void => {
    if (!socket.destroyed) socket.write(wireFrame(payload, { opcode: isBinary ? 2 : 1 }));
  };
  const send = (message: Message): void => sendFrame(Buffer.from(encodeFrame(message, encoding)));
  const nextOf = async <Type extends Message["type"]>(type: Type): Promise<MessageOf<Type>> => {
    for (;;) {
      for (let next = arrived.shift(); next !== undefined; next = arrived.shift()) {
        if (next.type === type) return next as MessageOf<Type>;
        if (next.type === "error" && type !== "error" && next.request === undefined) {
          throw new Error(`the foreman refused the peer: ${next.message}`);
        }
      }
      if (socket.destroyed) throw new Error(`the foreman closed before it said ${type}`);
      await onArrival.promise;
    }
  };
  const peer: RawPeer = {
    socket,
    response,
    write: (bytes) => void socket.write(bytes),
    sendFrame,
    send,
    async prove(key, role) {
      const handshake = createPeerHandshake({ key, role, target: host });
      send(handshake.hello);
      const { answer } = handshake.onMessage(await nextOf("challenge"));
      if (answer === null) throw new Error("the foreman's proof was not accepted");
      send(answer);
      await nextOf("welcome");
    },
    nextOf,
    onMessage: null,
    closed: closed.promise,
    get isOpen() {
      return !socket.destroyed;
    },
    end: () => socket.destroy(),
  };
  parser(rest);
  socket.on("data", parser);
  return peer;
}

export async function openProven(
  url: string,
  key: Key,
  role: KeyRole,
  options: RawPeerOptions = {},
): Promise<RawPeer> {
  const peer = await openRaw(url, options);
  await peer.prove(key, role);
  return peer;
}

/** A connection that says nothing. */
export function openTcp(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true }, () => {
      socket.off("error", reject);
      // The foreman may cut it at any time; `close` says so.
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

export function upgradeRequest(
  host: string,
  encoding: Encoding,
  headers: readonly string[] = [],
): string {
  return [
    "GET /ws HTTP/1.1",
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    `Sec-WebSocket-Protocol: ${encoding === "msgpack" ? SUBPROTOCOL_MSGPACK : SUBPROTOCOL_JSON}`,
    ...headers,
    "",
    "",
  ].join("\r\n");
}

function readResponse(socket: Socket): Promise<{ response: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let gathered = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      gathered = Buffer.concat([gathered, chunk]);
      const end = gathered.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve({
        response: gathered.subarray(0, end).toString("latin1"),
        rest: gathered.subarray(end + 4),
      });
    };
    const onClose = (): void => reject(new Error(`closed in the upgrade: ${gathered.toString()}`));
    socket.on("data", onData);
    socket.once("close", onClose);
  });
}

function closeReason(payload: Buffer): { code: number; reason: string } {
  if (payload.byteLength < 2) return { code: 1005, reason: "" };
  return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
}
