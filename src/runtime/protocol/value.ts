/**
 * The value codec: what an input or a result is between processes. One kind byte, then a body.
 * The foreman carries values and never decodes one; JSON kinds are printed and spliced as they are.
 */
import { fromBase64, toBase64 } from "./base64.ts";
import type { ValueSink } from "./columns.ts";
import { CcError } from "./error.ts";
import { VALUE_DEPTH_MAX } from "./limits.ts";

export const VALUE_UNDEFINED = 0;
export const VALUE_JSON = 1;
/** JSON text in which `{"$date": …}` and its like stand for what JSON lacks. */
export const VALUE_TAGGED_JSON = 2;
export const VALUE_BYTES = 3;
/** A command's outcome; see command-outcome.ts. */
export const VALUE_COMMAND = 4;
/** One whose stdout is larger than a value and lies outside; 5 is a failure (failure.ts). */
export const VALUE_STORED_COMMAND = 6;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A value that cannot be carried; `path` is where inside the value, such as `.rows[3].when`. */
export function unserializable(path: string, what: string): CcError {
  return new CcError({
    code: "unserializable",
    message: `The value${path === "" ? "" : ` at ${shortened(path)}`} is ${what}, which cannot be carried.`,
    hint: "Return what JSON carries, or undefined, Date, bigint, Uint8Array, Map or Set.",
    exitCode: 2,
  });
}

/** The ends of a long path say where it is; five hundred levels between them do not. */
function shortened(path: string): string {
  return path.length <= PATH_CHARACTERS_MAX
    ? path
    : `${path.slice(0, PATH_CHARACTERS_MAX / 2)}…${path.slice(-PATH_CHARACTERS_MAX / 2)}`;
}

const PATH_CHARACTERS_MAX = 200;

/**
 * Appends one encoded value as a row.
 * @throws CcError `unserializable` with the path inside the value; the builder is unchanged then.
 */
export function encodeValue(value: unknown, into: ValueSink): void {
  switch (typeof value) {
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) into.pushText(VALUE_JSON, String(value));
      else into.pushText(VALUE_TAGGED_JSON, tagNumber(value));
      return;
    case "string":
      into.pushText(VALUE_JSON, JSON.stringify(value));
      return;
    case "boolean":
      into.pushText(VALUE_JSON, value ? "true" : "false");
      return;
    case "undefined":
      into.pushKind(VALUE_UNDEFINED);
      return;
    default:
      if (value === null) into.pushText(VALUE_JSON, "null");
      else if (value instanceof Uint8Array && isPlainBytes(value))
        into.pushBytes(VALUE_BYTES, value);
      else encodeStructure(value, into);
  }
}

/** Decodes one value, kind byte included. Kind 4 has a decoder of its own. */
export function decodeValue(bytes: Uint8Array): unknown {
  switch (bytes[0]) {
    case VALUE_UNDEFINED:
      return undefined;
    case VALUE_JSON:
      return JSON.parse(valueText(bytes));
    case VALUE_TAGGED_JSON:
      return untag(JSON.parse(valueText(bytes)));
    case VALUE_BYTES:
      return new Uint8Array(bytes.subarray(1));
    default:
      throw new CcError({
        code: "malformed_value",
        message: `A value has kind ${bytes[0] ?? "none"}, expected 0 to 3.`,
      });
  }
}

/** The JSON text of kinds 1 and 2. */
export function valueText(bytes: Uint8Array): string {
  return decoder.decode(bytes.subarray(1));
}

/** Any value of kinds 0 to 3 as JSON text: bytes become `{"$bytes": base64}`, undefined its tag. */
export function valueAsJson(bytes: Uint8Array): string {
  switch (bytes[0]) {
    case VALUE_UNDEFINED:
      return '{"$undefined":true}';
    case VALUE_BYTES:
      return `{"$bytes":"${toBase64(bytes.subarray(1))}"}`;
    default:
      return valueText(bytes);
  }
}

/** The reverse of `valueAsJson`, for values that arrive as JSON (each-json, the JSON protocol). */
export function encodeJsonValue(json: unknown, into: ValueSink): void {
  encodeValue(untag(json), into);
}

function isPlainBytes(value: Uint8Array): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Uint8Array.prototype || value.constructor?.name === "Buffer";
}

function encodeStructure(value: unknown, into: ValueSink): void {
  if (isPlainJson(value, 0)) {
    into.pushText(VALUE_JSON, JSON.stringify(value));
    return;
  }
  into.pushText(VALUE_TAGGED_JSON, JSON.stringify(tag(value, "", [])));
}

/** Whether JSON.stringify alone carries the value whole: the fast way for almost everything. */
function isPlainJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= VALUE_DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlainJson(value[i], depth + 1)) return false;
    return Object.getPrototypeOf(value) === Array.prototype;
  }
  return isPlainJsonObject(value as object, depth);
}

function isPlainJsonObject(value: object, depth: number): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] as string).startsWith("$")) return false;
  if ("toJSON" in value || Object.getOwnPropertySymbols(value).length > 0) return false;
  for (const key of keys) {
    if (!isPlainJson((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

const tagNumber = (value: number): string =>
  `{"$number":"${Object.is(value, -0) ? "-0" : String(value)}"}`;

type Tagged = string | number | boolean | null | readonly Tagged[] | { [key: string]: Tagged };

/** Rewrites a value so that plain JSON carries it; `ancestors` finds cycles. */
function tag(value: unknown, path: string, ancestors: readonly object[]): Tagged {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $bigint: String(value) };
    case "undefined":
      return { $undefined: true };
    case "function":
      throw unserializable(path, "a function");
    case "symbol":
      throw unserializable(path, "a symbol");
    default:
      return value === null ? null : tagObject(value as object, path, ancestors);
  }
}

function tagObject(value: object, path: string, ancestors: readonly object[]): Tagged {
  if (ancestors.includes(value)) throw unserializable(path, "a cycle");
  if (ancestors.length >= VALUE_DEPTH_MAX) {
    throw unserializable(path, `nested deeper than ${VALUE_DEPTH_MAX} levels`);
  }
  const inner = [...ancestors, value];
  if (value instanceof Date) return tagDate(value, path);
  if (value instanceof Uint8Array && isPlainBytes(value)) return { $bytes: toBase64(value) };
  if (value instanceof Map) {
    return {
      $map: [...value].map(([key, entry], i) => tagEntry(key, entry, `${path}[${i}]`, inner)),
    };
  }
  if (value instanceof Set) {
    return { $set: [...value].map((entry, i) => tag(entry, `${path}[${i}]`, inner)) };
  }
  if (Array.isArray(value)) {
    return Array.from(value, (entry, i) => tag(entry, `${path}[${i}]`, inner));
  }
  return tagPlainObject(value, path, inner);
}

function tagEntry(key: unknown, entry: unknown, path: string, inner: readonly object[]): Tagged {
  return [tag(key, `${path}.key`, inner), tag(entry, `${path}.value`, inner)];
}

function tagDate(value: Date, path: string): Tagged {
  if (Number.isNaN(value.getTime())) throw unserializable(path, "an invalid Date");
  return { $date: value.toISOString() };
}

function tagPlainObject(value: object, path: string, inner: readonly object[]): Tagged {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unserializable(path, `an instance of ${value.constructor?.name ?? "a class"}`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw unserializable(path, "an object with symbol keys");
  }
  const keys = Object.keys(value);
  const isEscaped = keys.length === 1 && (keys[0] as string).startsWith("$");
  const tagged: { [key: string]: Tagged } = Object.create(null);
  for (const key of keys) {
    const entry = (value as Record<string, unknown>)[key];
    tagged[isEscaped ? `$${key}` : key] = tag(entry, `${path}.${key}`, inner);
  }
  return tagged;
}

/** Brings tagged JSON back; an unknown single `$` key is left as it is. */
export function untag(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(untag);
  const keys = Object.keys(json);
  if (keys.length === 1 && (keys[0] as string).startsWith("$")) {
    return untagSingle(keys[0] as string, (json as Record<string, unknown>)[keys[0] as string]);
  }
  return copyUntagged(json as Record<string, unknown>, keys);
}

function copyUntagged(json: Record<string, unknown>, keys: readonly string[]): unknown {
  const plain: Record<string, unknown> = {};
  for (const key of keys) define(plain, key, untag(json[key]));
  return plain;
}

/** `__proto__` must become a key like any other, never a prototype. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

function untagSingle(key: string, body: unknown): unknown {
  switch (key) {
    case "$bigint":
      return BigInt(String(body));
    case "$date":
      return new Date(String(body));
    case "$bytes":
      return fromBase64(String(body));
    case "$number":
      return Number(body);
    case "$undefined":
      return undefined;
    case "$map":
      return new Map((body as unknown[]).map((entry) => untag(entry) as [unknown, unknown]));
    case "$set":
      return new Set((body as unknown[]).map(untag));
    default: {
      const plain: Record<string, unknown> = {};
      define(plain, key.startsWith("$$") ? key.slice(1) : key, untag(body));
      return plain;
    }
  }
}
