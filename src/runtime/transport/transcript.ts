/**
 * What both sides prove a key over. The bytes must be the same in every implementation: a label, then
 * each field as its length (u32, big-endian) and its bytes; numbers as decimal text, text as UTF-8.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface TranscriptFacts {
  readonly version: number;
  readonly role: string;
  readonly keyId: string;
  readonly clientNonce: Uint8Array;
  readonly foremanNonce: Uint8Array;
  /** The `host:port` that the peer dialled. */
  readonly target: string;
  readonly foremanId: string;
  readonly epoch: number;
  /** Ties the proof to the encrypted connection; `none` where there is no encryption. */
  readonly channelBinding: string;
}

export const NONCE_BYTES = 32;
export const NO_CHANNEL_BINDING = "none";

const LABEL = "cc-auth-1";

export function transcriptOf(facts: TranscriptFacts): Uint8Array {
  const fields = [
    String(facts.version),
    facts.role,
    facts.keyId,
    facts.clientNonce,
    facts.foremanNonce,
    facts.target,
    facts.foremanId,
    String(facts.epoch),
    facts.channelBinding,
  ];
  const parts: Uint8Array[] = [Buffer.from(LABEL)];
  for (const field of fields) {
    const bytes = typeof field === "string" ? Buffer.from(field) : field;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

export function proofOver(transcript: Uint8Array, key: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(transcript).digest());
}

/** Takes the same time whichever byte differs. */
export function isProofOver(proof: Uint8Array, transcript: Uint8Array, key: Uint8Array): boolean {
  const expected = proofOver(transcript, key);
  return proof.byteLength === expected.byteLength && timingSafeEqual(proof, expected);
}
