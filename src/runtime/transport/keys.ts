/**
 * Keys: the text a person copies, the secret in it, and the two derived keys that a foreman keeps
 * instead of the secret. No message or error of this file ever holds a secret.
 */
import { hkdfSync } from "node:crypto";
import { type SecureBytes, secureBytes } from "../platform/random.ts";
import { CcError } from "../protocol/error.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import type { Scope } from "./channel.ts";

export type KeyRole = "client" | "worker";

export interface Key {
  readonly role: KeyRole;
  readonly keyId: string;
  readonly secret: Uint8Array;
}

/** What proves possession of a key in each direction, without being the key. */
export interface Verifier {
  /** Of the foreman's proof to the peer. */
  readonly kf: Uint8Array;
  /** Of the peer's proof to the foreman. */
  readonly kc: Uint8Array;
}

export interface KeyEntry extends Verifier {
  readonly role: KeyRole;
  readonly owner: string;
  readonly scopes: readonly Scope[];
  readonly revoked: boolean;
}

/** The foreman's table of keys; it answers at once and in a time that does not depend on the id. */
export interface KeyDirectory {
  find(keyId: string): KeyEntry | null;
}

export const SECRET_BYTES = 32;
const KEY_ID_BYTES = 5;
const KEY_TEXT = /^cc_(client|worker)_([a-z2-7]{4,32})_([a-z2-7]{52})$/;

export const LOCAL_ADMIN_SCOPES: readonly Scope[] = ["view", "submit", "admin"];
export const LOCAL_WORKER_SCOPES: readonly Scope[] = ["work"];

export function createKey(role: KeyRole, random: SecureBytes = secureBytes): Key {
  return { role, keyId: toBase32(random(KEY_ID_BYTES)), secret: random(SECRET_BYTES) };
}

/** `cc_<role>_<keyId>_<base32 of the secret>`. */
export function formatKey(key: Key): string {
  return `cc_${key.role}_${key.keyId}_${toBase32(key.secret)}`;
}

/** Surrounding white space is ignored. @throws CcError `bad_key`. */
export function parseKey(text: string): Key {
  const match = KEY_TEXT.exec(text.trim());
  const secret = match?.[3] === undefined ? null : fromBase32(match[3]);
  if (!match?.[1] || !match[2] || secret?.byteLength !== SECRET_BYTES) throw badKey(text);
  return { role: match[1] as KeyRole, keyId: match[2], secret };
}

export function deriveVerifier(secret: Uint8Array): Verifier {
  return { kf: derive(secret, "f2c"), kc: derive(secret, "c2f") };
}

/** An entry for a foreman's directory. */
export function keyEntry(
  key: Key,
  rights: { readonly owner: string; readonly scopes: readonly Scope[] },
): KeyEntry {
  return { ...deriveVerifier(key.secret), ...rights, role: key.role, revoked: false };
}

function derive(secret: Uint8Array, direction: "f2c" | "c2f"): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), direction, SECRET_BYTES));
}

function badKey(text: string): CcError {
  const length = text.trim().length;
  return new CcError({
    code: "bad_key",
    message: `A key looks like cc_client_… or cc_worker_… followed by an id and 52 letters and digits; this text of ${length} characters does not.`,
    hint: "Copy the whole line of the key file, without line breaks.",
    exitCode: 2,
  });
}
