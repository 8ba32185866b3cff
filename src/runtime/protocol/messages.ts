/**
 * Every message of the protocol, once: the union type, and the decoder through which each frame of a
 * peer enters. What does not fit is a `CcError`, never an assertion: peers are the world.
 */
import * as z from "zod/mini";
import { hasTooManyParts } from "./count-parts.ts";
import { CcError } from "./error.ts";
import { clientMessages } from "./messages/client.ts";
import { bytes, u32Column, u32List, valueColumn } from "./messages/fields.ts";
import { handshakeMessages } from "./messages/handshake.ts";
import { logMessages } from "./messages/logs.ts";
import { outputMessages } from "./messages/outputs.ts";
import { readingMessages } from "./messages/reading.ts";
import { workerMessages } from "./messages/worker.ts";

/** Grows with a change that an older peer cannot ignore; the one before is still served. */
export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL_MSGPACK = "crowdcompute.v1.msgpack";
export const SUBPROTOCOL_JSON = "crowdcompute.v1.json";

/** What a foreman of this version can do that an older one of the same protocol cannot. */
export const FEATURE_LARGE_OUTPUTS = "large_outputs";
export const FEATURE_LOGS = "logs";
export const FEATURE_MONITOR = "monitor";
export const FEATURES: readonly string[] = [FEATURE_LARGE_OUTPUTS, FEATURE_LOGS, FEATURE_MONITOR];

/** What a worker of this version can do that an older one of the same protocol cannot; in its offer. */
export const FEATURE_ACTIVITY = "activity";
export const WORKER_FEATURES: readonly string[] = [FEATURE_ACTIVITY];

const allMessages = [
  ...handshakeMessages,
  ...workerMessages,
  ...clientMessages,
  ...readingMessages,
  ...logMessages,
  ...outputMessages,
] as const;

export type Message = z.infer<(typeof allMessages)[number]>;
export type MessageType = Message["type"];
export type MessageOf<Type extends MessageType> = Extract<Message, { type: Type }>;

const schemas = new Map<string, (typeof allMessages)[number]>(
  allMessages.map((schema) => [String(schema.shape.type.def.values[0]), schema] as const),
);

/** All schemas by type, for the generated documentation. */
export const messageSchemas: ReadonlyMap<string, (typeof allMessages)[number]> = schemas;

const COLUMNS: ReadonlySet<unknown> = new Set([u32Column, u32List, valueColumn, bytes]);

/** Of each type, the fields whose parts a schema looks at one by one. */
const listedFields = new Map<string, readonly string[]>(
  allMessages.map((schema) => [
    String(schema.shape.type.def.values[0]),
    Object.entries(schema.shape)
      .filter(([, field]) => !isTakenWhole(field))
      .map(([name]) => name),
  ]),
);

function isTakenWhole(field: unknown): boolean {
  if (COLUMNS.has(field) || field instanceof z.ZodMiniUnknown) return true;
  if (!(field instanceof z.ZodMiniType)) return false;
  const { def } = field;
  if (def.type === "optional") return isTakenWhole((def as { innerType?: unknown }).innerType);
  return ["literal", "string", "number", "int", "boolean", "enum"].includes(def.type);
}

/**
 * Checks what a peer sent. Unknown fields are dropped.
 * @throws CcError `unknown_message` (to be answered with `error`) or `malformed_message` (closes).
 */
export function parseMessage(decoded: unknown): Message {
  const type = messageType(decoded);
  const schema = schemas.get(type);
  if (!schema) {
    throw new CcError({
      code: "unknown_message",
      message: `The message type "${type.slice(0, 60)}" is not known here.`,
      hint: "A newer peer may know it; see docs/protocol.md for the types of this version.",
    });
  }
  if (hasTooManyParts(decoded as object, listedFields.get(type) ?? [])) {
    throw malformed(`${type}: its lists have too many parts`);
  }
  const parsed = schema.safeParse(decoded);
  if (parsed.success) return parsed.data as Message;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw malformed(`${type}${path === "" ? "" : `.${path}`}: ${issue?.message ?? "invalid"}`);
}

function messageType(decoded: unknown): string {
  if (typeof decoded === "object" && decoded !== null && "type" in decoded) {
    if (typeof decoded.type === "string") return decoded.type;
  }
  throw malformed("a message is an object with a string `type`");
}

export function malformed(detail: string): CcError {
  return new CcError({
    code: "malformed_message",
    message: `A message does not follow the protocol: ${detail}.`,
  });
}
