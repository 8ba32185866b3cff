/**
 * The four messages before anything else: both sides prove that they hold the same key, the foreman
 * first, so that an imposter learns nothing. The transcript and the MACs are the transport's matter.
 */
import * as z from "zod/mini";
import { bytes, shortText } from "./fields.ts";

const nonce = bytes;

export const hello = z.object({
  type: z.literal("hello"),
  /** The protocol's version, `PROTOCOL_VERSION`. */
  version: z.int(),
  /** The program's, for the sentence about which side to upgrade. */
  program_version: shortText,
  role: z.enum(["client", "worker"]),
  key_id: shortText,
  nonce,
  /** The `host:port` that was dialled. */
  target: shortText,
});

export const challenge = z.object({
  type: z.literal("challenge"),
  nonce,
  foreman_id: shortText,
  epoch: z.int(),
  mac: bytes,
});

export const authenticate = z.object({ type: z.literal("authenticate"), mac: bytes });

export const welcome = z.object({
  type: z.literal("welcome"),
  foreman_id: shortText,
  epoch: z.int(),
  program_version: shortText,
  server_time: shortText,
  heartbeat_seconds: z.number(),
  lease_seconds: z.number(),
  /** The owner under which this key's submissions stand. */
  owner: shortText,
  features: z.array(shortText),
});

/** An answer to a request that failed, or (without `request`) the reason of a close that follows. */
export const errorMessage = z.object({
  type: z.literal("error"),
  request: z.optional(z.int()),
  code: shortText,
  message: z.string().check(z.maxLength(16_384)),
  hint: z.optional(shortText),
  retryable: z.boolean(),
});

export const handshakeMessages = [hello, challenge, authenticate, welcome, errorMessage] as const;
