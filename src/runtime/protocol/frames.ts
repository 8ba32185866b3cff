/**
 * A message as bytes and back, for both sub-protocols. Encoding goes by the values' own types: a
 * Uint32Array becomes little-endian bytes or an array, a value column its two parts or an array of
 * JSON values, spliced as text without being decoded.
 */

import { Packr } from "msgpackr";
import { toBase64 } from "./base64.ts";
import { u32At, u32ToBytes, type ValueColumn, valueOffsets } from "./columns.ts";
import { CcError } from "./error.ts";
import { FRAME_DEPTH_MAX } from "./limits.ts";
import { type Message, type MessageOf, malformed, parseMessage } from "./messages.ts";
import { findMessagePackFault } from "./scan-msgpack.ts";
import { valueAsJson } from "./value.ts";

export type Encoding = "msgpack" | "json";

const packr = new Packr({ useRecords: false, int64AsType: "number" });
/** For the rare message with a key that `packr` would rename, since it makes plain objects. */
const mapPackr = new Packr({ useRecords: false, int64AsType: "number", mapsAsObjects: false });
const RENAMED_KEY = new TextEncoder().encode("__proto__");
const utf8 = new TextDecoder("utf-8", { fatal: true });

export function encodeFrame(message: Message, encoding: Encoding): Uint8Array | string {
  return message.type === "delta" ? encodeDelta(message, encoding) : encodeWhole(message, encoding);
}

const encodeWhole = (message: Message, encoding: Encoding): Uint8Array | string =>
  encoding === "msgpack" ? packr.pack(toBinary(message)) : toJsonText(message);

/** What many observers are told is one object, and costs one encoding while it is at hand. */
const packedNews = new WeakMap<object, Uint8Array>();
const writtenNews = new WeakMap<object, string>();
const MAP_OF_FOUR = Uint8Array.of(0x84);

function encodeDelta(delta: MessageOf<"delta">, encoding: Encoding): Uint8Array | string {
  const { type, request, seq, body, patch } = delta;
  const name = patch === undefined ? "body" : "patch";
  const news = patch ?? body;
  // Of another form than ours it is a message like any other.
  const isOurs = typeof news === "object" && news !== null;
  if (!isOurs || (body !== undefined && patch !== undefined)) return encodeWhole(delta, encoding);
  if (encoding === "json") {
    const text = remembered(writtenNews, news, () => JSON.stringify(toPlain(news)));
    return `${JSON.stringify({ type, request, seq }).slice(0, -1)},"${name}":${text}}`;
  }
  const head = ["type", type, "request", request, "seq", seq, name];
  const packed = remembered(packedNews, news, () => packr.pack(toBinary(news)).slice());
  return concat([MAP_OF_FOUR, ...head.map((word) => packr.pack(word)), packed]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function remembered<Form>(known: WeakMap<object, Form>, news: object, encode: () => Form): Form {
  const form = known.get(news) ?? encode();
  known.set(news, form);
  return form;
}

/** @throws CcError `malformed_message` or `unknown_message`. */
export function decodeFrame(frame: Uint8Array | string): Message {
  return parseMessage(typeof frame === "string" ? parseJson(frame) : unpack(frame));
}

/** The number that an answer to this frame must carry, when its type is unknown but it asks something. */
export function requestOfFrame(frame: Uint8Array | string): number | undefined {
  const decoded = typeof frame === "string" ? parseJson(frame) : unpack(frame);
  if (typeof decoded !== "object" || decoded === null || !("request" in decoded)) return undefined;
  return Number.isSafeInteger(decoded.request) ? (decoded.request as number) : undefined;
}

function unpack(frame: Uint8Array): unknown {
  const fault = findMessagePackFault(frame);
  if (fault !== null) throw malformed(`not the MessagePack of a message: ${fault}`);
  try {
    const decoded: unknown = packr.unpack(frame);
    return isView(decoded) && mentions(frame, RENAMED_KEY)
      ? fromMaps(mapPackr.unpack(frame))
      : decoded;
  } catch (cause) {
    throw malformed(`not MessagePack (${cause instanceof Error ? cause.message : "unreadable"})`);
  }
}

/** Its objects have keys that people chose: workers' names, labels. */
function isView(decoded: unknown): boolean {
  if (typeof decoded !== "object" || decoded === null || !("type" in decoded)) return false;
  return decoded.type === "snapshot" || decoded.type === "delta";
}

function mentions(frame: Uint8Array, word: Uint8Array): boolean {
  const [first = 0] = word;
  for (let at = frame.indexOf(first); at >= 0; at = frame.indexOf(first, at + 1)) {
    if (word.every((byte, offset) => frame[at + offset] === byte)) return true;
  }
  return false;
}

function fromMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromMaps);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, field]) => [key, fromMaps(field)]));
}

function isValueColumn(value: object): value is ValueColumn {
  return "lengths" in value && "data" in value && value.data instanceof Uint8Array;
}

function toBinary(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Uint32Array) return u32ToBytes(value);
  if (Array.isArray(value)) return value.map(toBinary);
  const fields = value as Record<string, unknown>;
  // What people chose as a key is data: it must neither set a prototype nor pass for a class.
  if (Object.hasOwn(value, "__proto__") || Object.hasOwn(value, "constructor")) {
    return new Map(Object.entries(fields).map(([key, field]) => [key, toBinary(field)]));
  }
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = fields[key];
    if (field !== undefined) plain[key] = toBinary(field);
  }
  return plain;
}

function toJsonText(message: Message): string {
  const parts: string[] = [];
  const count = "count" in message ? message.count : null;
  for (const [key, field] of Object.entries(message)) {
    if (field !== undefined) parts.push(`${JSON.stringify(key)}:${fieldAsJson(field, count)}`);
  }
  return `{${parts.join(",")}}`;
}

function fieldAsJson(field: unknown, count: number | null): string {
  if (typeof field === "object" && field !== null && isValueColumn(field)) {
    return valuesAsJson(field, count);
  }
  return JSON.stringify(toPlain(field));
}

function valuesAsJson(column: ValueColumn, count: number | null): string {
  const rows =
    typeof column.lengths === "number"
      ? (count ?? column.data.byteLength / Math.max(1, column.lengths))
      : column.lengths.length;
  const offsets = valueOffsets(column, rows);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const from = offsets[row] as number;
    texts.push(opaqueAsJson(column.data.subarray(from, from + u32At(column.lengths, row))));
  }
  return `[${texts.join(",")}]`;
}

/** Kinds 4 and 5 have no JSON form of their own: they travel whole, as bytes. */
function opaqueAsJson(bytes: Uint8Array): string {
  return (bytes[0] ?? 0) > 3 ? `{"$value":"${toBase64(bytes)}"}` : valueAsJson(bytes);
}

function toPlain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint32Array) return Array.from(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.map(toPlain);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, toPlain(field)]));
}

function parseJson(text: string): unknown {
  if (isDeeperThan(text, FRAME_DEPTH_MAX)) throw malformed(`nested over ${FRAME_DEPTH_MAX} levels`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(`not JSON (${cause instanceof Error ? cause.message : "unreadable"})`);
  }
}

/** Counts brackets outside strings, so that a hostile depth never reaches the parser's stack. */
function isDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

/** Text of a frame that arrived as bytes on the JSON sub-protocol. */
export function frameText(frame: Uint8Array): string {
  try {
    return utf8.decode(frame);
  } catch (cause) {
    throw new CcError({ code: "malformed_message", message: "A JSON frame is not UTF-8.", cause });
  }
}
