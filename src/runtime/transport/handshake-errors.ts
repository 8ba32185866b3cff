/**
 * The sentences of a refused handshake. They must not tell a stranger which keys exist: an unknown key
 * and a wrong proof read the same.
 */

import { PROGRAM_VERSION } from "../platform/version.ts";
import { CcError, type ExitCode } from "../protocol/error.ts";
import { type MessageOf, PROTOCOL_VERSION } from "../protocol/messages.ts";

/** Every refusal ends a client with 3; a worker's command may map the code to another. */
const REFUSED: ExitCode = 3;

export interface VersionFacts {
  readonly protocolVersion: number;
  readonly programVersion: string;
}

/** Told by whichever side notices; names what to upgrade. */
export function versionMismatch(
  peer: VersionFacts,
  side: "foreman" | "peer",
  ours: VersionFacts = { protocolVersion: PROTOCOL_VERSION, programVersion: PROGRAM_VERSION },
): CcError {
  const [foreman, other] = side === "foreman" ? [ours, peer] : [peer, ours];
  const behind = foreman.protocolVersion < other.protocolVersion ? "foreman" : "client or worker";
  return new CcError({
    code: "version_mismatch",
    message: `The foreman is ${describe(foreman)} and the peer ${describe(other)}: they cannot talk to each other.`,
    hint: `Upgrade the ${behind}.`,
    exitCode: REFUSED,
  });
}

const describe = (version: VersionFacts): string =>
  `crowdcompute ${version.programVersion} (protocol ${version.protocolVersion})`;

export function wrongKey(keyId: string): CcError {
  return new CcError({
    code: "wrong_key",
    message: `The foreman does not accept the key ${quoted(keyId)}: it does not know it, or the proof was wrong.`,
    hint: "Use a key that this foreman made (--key-file FILE).",
    exitCode: REFUSED,
  });
}

export function keyRevoked(keyId: string): CcError {
  return new CcError({
    code: "key_revoked",
    message: `The key ${quoted(keyId)} has been revoked.`,
    hint: "Ask the foreman's administrator for a new key.",
    exitCode: REFUSED,
  });
}

export function wrongRole(keyId: string, keyRole: string, askedRole: string): CcError {
  return new CcError({
    code: "wrong_role",
    message: `The key ${quoted(keyId)} is a ${keyRole} key and was used by a ${askedRole}.`,
    hint: `Give a ${askedRole} key with --key-file FILE.`,
    exitCode: REFUSED,
  });
}

/** The foreman's proof was wrong: it does not hold our key, so nothing was revealed to it. */
export function foremanMismatch(keyId: string, target: string): CcError {
  return new CcError({
    code: "foreman_mismatch",
    message: `The foreman at ${target} could not prove that it knows the key ${quoted(keyId)}: it is another foreman than the key's, or the key was replaced.`,
    hint: "Give the address and the key file that belong together (--foreman URL, --key-file FILE).",
    exitCode: REFUSED,
  });
}

/** The peer spoke out of turn or sent fields that no implementation sends. */
export function brokenHandshake(detail: string): CcError {
  return new CcError({
    code: "malformed_message",
    message: `The handshake does not follow the protocol: ${detail}.`,
    exitCode: REFUSED,
  });
}

export function errorToMessage(error: CcError, request?: number): MessageOf<"error"> {
  const { code, message, hint, retryable } = error.toView();
  return {
    type: "error",
    ...(request === undefined ? {} : { request }),
    code,
    message: message.slice(0, 16_384),
    ...(hint === undefined ? {} : { hint: hint.slice(0, 4_096) }),
    retryable,
  };
}

/** What the foreman said before it closed. */
export function errorFromMessage(message: MessageOf<"error">): CcError {
  return new CcError({
    code: message.code,
    message: message.message,
    hint: message.hint,
    retryable: message.retryable,
    exitCode: REFUSED,
  });
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 64));
