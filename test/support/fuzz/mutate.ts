/**
 * Frames that are nearly right: a whole message with a few lies in its structure, in its bytes, or both.
 * The same seed and samples give the same frame, so that one that did harm can be made again.
 */
import { Packr } from "msgpackr";
import type { Encoding } from "../../../src/runtime/protocol/frames.ts";
import { createRandom, type Random } from "./random.ts";
import type { Plain } from "./sample-messages.ts";

export interface FrameFuzz {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

const packr = new Packr({ useRecords: false });

export function mutatedFrame(
  seed: number,
  samples: readonly Plain[],
  encoding: Encoding,
): FrameFuzz {
  const random = createRandom(seed);
  let message: unknown = structuredClone(random.pick(samples));
  if (random.chance(0.7)) {
    for (let count = 1 + random.below(2); count > 0; count--) message = lie(message, random);
  }
  let bytes = encode(message, encoding);
  if (random.chance(0.05)) bytes = splice(bytes, encode(random.pick(samples), encoding), random);
  if (random.chance(0.3)) {
    for (let count = 1 + random.below(3); count > 0; count--) bytes = damage(bytes, random);
  }
  const isWrongKind = random.chance(0.01);
  return { bytes, isBinary: (encoding === "msgpack") !== isWrongKind };
}

/** JSON has bytes as base64 and columns as arrays. */
function encode(message: unknown, encoding: Encoding): Uint8Array {
  if (encoding === "msgpack") return new Uint8Array(packr.pack(message));
  const text = JSON.stringify(message, (key, field: unknown) => {
    if (!(field instanceof Uint8Array)) return typeof field === "bigint" ? String(field) : field;
    if (key === "data" || key === "mac" || key === "nonce") {
      return Buffer.from(field).toString("base64");
    }
    return [...field];
  });
  return new TextEncoder().encode(text ?? "null");
}

/** Replaces, removes or adds something somewhere in it. */
function lie(message: unknown, random: Random): unknown {
  const places = placesIn(message);
  if (places.length === 0 || random.chance(0.02)) return hostileValue(random);
  const { holder, key } = random.pick(places);
  const act = random.below(10);
  if (act === 0) Reflect.deleteProperty(holder, key);
  else if (act === 1) define(holder, random.pick(HOSTILE_KEYS), hostileValue(random));
  else if (act < 7) define(holder, key, nearValue(Reflect.get(holder, key), random));
  else if (act === 7) define(holder, key, Reflect.get(random.pick(places).holder, key));
  else define(holder, key, hostileValue(random));
  return message;
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function placesIn(value: unknown, depth = 0): readonly Place[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  if (depth > 6) return [];
  return Object.keys(value).flatMap((key) => [
    { holder: value, key },
    ...placesIn(Reflect.get(value, key), depth + 1),
  ]);
}

/** Also where the key is `__proto__`. */
function define(holder: object, key: string, value: unknown): void {
  // A cycle cannot be encoded.
  const isCycle = typeof value === "object" && value !== null && contains(value, holder, 0);
  const safe = isCycle ? null : value;
  Object.defineProperty(holder, key, {
    value: safe,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function contains(value: unknown, sought: object, depth: number): boolean {
  if (value === sought) return true;
  if (typeof value !== "object" || value === null || depth > 8) return depth > 8;
  if (value instanceof Uint8Array) return false;
  return Object.values(value).some((field) => contains(field, sought, depth + 1));
}

const HOSTILE_KEYS = ["__proto__", "constructor", "prototype", "toString", "request", "index", "x"];

const HOSTILE_VALUES: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 2 ** 32,
  () => Number.MAX_SAFE_INTEGER,
  () => Number.NaN,
  () => Number.NEGATIVE_INFINITY,
  () => 1.5,
  () => 1e308,
  () => "",
  () => "\0\u001b]52;c;x\u0007\u202e",
  () => "\ud800",
  () => "x".repeat(5_000),
  () => "../../../etc/passwd",
  () => "'; drop table job; --",
  () => [],
  () => ({}),
  () => [[[[[[[[]]]]]]]],
  () => nested(70),
  () => ({ lengths: 0, data: new Uint8Array(0) }),
  () => ({ lengths: 2 ** 32 - 1, data: new Uint8Array(3) }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  (random) => random.bytes(random.below(64)),
  (random) => random.below(2 ** 31),
  () => new Uint8Array(4_000),
  () => Array.from({ length: 1_000 }, (_, i) => i),
];

const hostileValue = (random: Random): unknown => random.pick(HOSTILE_VALUES)(random);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Off by one, of the same type: what a schema lets pass. */
function nearValue(value: unknown, random: Random): unknown {
  if (typeof value === "number") return value + random.pick([-1, 1, 2, 1_000, 2 ** 32]);
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return random.pick([`${value}x`, value.slice(1), "*", "last"]);
  if (value instanceof Uint8Array) return random.chance(0.5) ? value.subarray(1) : random.bytes(8);
  if (Array.isArray(value)) return [...value, ...value];
  return value;
}

/** Flips, cuts, repeats or invents bytes, with a liking for those that say how much follows. */
function damage(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength === 0) return random.bytes(4);
  const at = random.below(bytes.byteLength);
  const damaged = Uint8Array.from(bytes);
  switch (random.below(6)) {
    case 0:
      damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      return damaged;
    case 1:
      return damaged.subarray(0, at);
    case 2:
      damaged[at] = random.pick(TELLING_BYTES);
      return damaged;
    case 3:
      return splice(damaged, random.bytes(1 + random.below(8)), random);
    case 4:
      return splice(damaged, damaged.subarray(at, at + random.below(64)), random);
    default:
      damaged.set(random.bytes(Math.min(4, bytes.byteLength - at)), at);
      return damaged;
  }
}

/** Lengths, containers and extensions of MessagePack, and what opens and closes in JSON. */
const TELLING_BYTES = [
  0x00, 0x40, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8,
  0xc9, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde,
  0xdf, 0xe0, 0xff, 0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
];

function splice(into: Uint8Array, piece: Uint8Array, random: Random): Uint8Array {
  const at = random.below(into.byteLength + 1);
  const joined = new Uint8Array(into.byteLength + piece.byteLength);
  joined.set(into.subarray(0, at));
  joined.set(piece, at);
  joined.set(into.subarray(at), at + piece.byteLength);
  return joined;
}
