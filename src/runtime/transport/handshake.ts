/**
 * The mutual proof before anything else, as two machines that know no sockets. The foreman proves
 * first, so that an imposter learns nothing; each direction has a key of its own and the role is in
 * what is proved, so that nothing can be reflected; both nonces are fresh, so that nothing can be
 * replayed. Foreman: hello -> authenticate -> over. Peer: challenge -> welcome -> over.
 */

import { type SecureBytes, secureBytes } from "../platform/random.ts";
import { PROGRAM_VERSION } from "../platform/version.ts";
import type { CcError } from "../protocol/error.ts";
import { FEATURES, type Message, type MessageOf, PROTOCOL_VERSION } from "../protocol/messages.ts";
import type { Peer, WelcomeFacts } from "./channel.ts";
import {
  brokenHandshake,
  errorFromMessage,
  errorToMessage,
  foremanMismatch,
  keyRevoked,
  versionMismatch,
  wrongKey,
  wrongRole,
} from "./handshake-errors.ts";
import {
  deriveVerifier,
  type Key,
  type KeyDirectory,
  type KeyEntry,
  type KeyRole,
} from "./keys.ts";
import {
  isProofOver,
  NO_CHANNEL_BINDING,
  NONCE_BYTES,
  proofOver,
  transcriptOf,
} from "./transcript.ts";

/** What to do after a message: send `answer` first, if there is one. */
export type HandshakeStep<Accepted> =
  | { readonly kind: "continue"; readonly answer: Message }
  | { readonly kind: "accepted"; readonly answer: Message | null; readonly accepted: Accepted }
  | { readonly kind: "refused"; readonly answer: Message | null; readonly error: CcError };

/** Takes the messages of one connection in order; not to be used after it accepted or refused. */
export interface Handshake<Accepted> {
  onMessage(message: Message): HandshakeStep<Accepted>;
}

export type AdmittedPeer = Omit<Peer, "address">;

export interface ForemanHandshakeOptions {
  readonly keys: KeyDirectory;
  readonly foremanId: string;
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** Wall time at welcome, for the peer's display only. */
  readonly nowMs: () => number;
  readonly channelBinding?: string;
  readonly random?: SecureBytes;
}

export function createForemanHandshake(options: ForemanHandshakeOptions): Handshake<AdmittedPeer> {
  let begun: BegunHandshake | null = null;
  return {
    onMessage(message) {
      if (begun === null) {
        if (message.type !== "hello") return refuse(unexpected(message, "hello"));
        const error = checkHello(message);
        if (error !== null) return refuse(error);
        begun = beginHandshake(message, options);
        return { kind: "continue", answer: begun.challenge };
      }
      if (message.type !== "authenticate") return refuse(unexpected(message, "authenticate"));
      return admit(message, begun, options);
    },
  };
}

interface BegunHandshake {
  readonly hello: MessageOf<"hello">;
  readonly challenge: MessageOf<"challenge">;
  readonly transcript: Uint8Array;
  /** Null for an unknown key id; the decoy's keys are used all the same. */
  readonly entry: KeyEntry | null;
  readonly kc: Uint8Array;
}

function checkHello(hello: MessageOf<"hello">): CcError | null {
  if (hello.version !== PROTOCOL_VERSION) {
    const peer = { protocolVersion: hello.version, programVersion: hello.program_version };
    return versionMismatch(peer, "foreman");
  }
  return hello.nonce.byteLength === NONCE_BYTES ? null : wrongNonce(hello.nonce);
}

function beginHandshake(
  hello: MessageOf<"hello">,
  options: ForemanHandshakeOptions,
): BegunHandshake {
  const random = options.random ?? secureBytes;
  const entry = options.keys.find(hello.key_id);
  // Drawn for known ids too, so that both take the same path and the same time.
  const decoy = { kf: random(NONCE_BYTES), kc: random(NONCE_BYTES) };
  const { kf, kc } = entry ?? decoy;
  const foremanNonce = random(NONCE_BYTES);
  const transcript = transcriptOf({
    version: hello.version,
    role: hello.role,
    keyId: hello.key_id,
    clientNonce: hello.nonce,
    foremanNonce,
    target: hello.target,
    foremanId: options.foremanId,
    epoch: options.epoch,
    channelBinding: options.channelBinding ?? NO_CHANNEL_BINDING,
  });
  const challenge: MessageOf<"challenge"> = {
    type: "challenge",
    nonce: foremanNonce,
    foreman_id: options.foremanId,
    epoch: options.epoch,
    mac: proofOver(transcript, kf),
  };
  return { hello, challenge, transcript, entry, kc };
}

/** Only a peer that proved the key is told more about it than "not accepted". */
function admit(
  { mac }: MessageOf<"authenticate">,
  { hello, transcript, entry, kc }: BegunHandshake,
  options: ForemanHandshakeOptions,
): HandshakeStep<AdmittedPeer> {
  const isProven = isProofOver(mac, transcript, kc);
  if (!isProven || entry === null) return refuse(wrongKey(hello.key_id));
  if (entry.revoked) return refuse(keyRevoked(hello.key_id));
  if (entry.role !== hello.role) return refuse(wrongRole(hello.key_id, entry.role, hello.role));
  return {
    kind: "accepted",
    answer: welcomeTo(entry, options),
    accepted: {
      role: hello.role,
      keyId: hello.key_id,
      owner: entry.owner,
      scopes: entry.scopes,
      programVersion: hello.program_version,
    },
  };
}

function welcomeTo(entry: KeyEntry, options: ForemanHandshakeOptions): MessageOf<"welcome"> {
  return {
    type: "welcome",
    foreman_id: options.foremanId,
    epoch: options.epoch,
    program_version: PROGRAM_VERSION,
    server_time: new Date(options.nowMs()).toISOString(),
    heartbeat_seconds: options.heartbeatMs / 1000,
    lease_seconds: options.leaseMs / 1000,
    owner: entry.owner,
    features: [...FEATURES],
  };
}

export interface PeerHandshakeOptions {
  readonly key: Key;
  readonly role: KeyRole;
  /** The `host:port` that was dialled. */
  readonly target: string;
  readonly channelBinding?: string;
  readonly random?: SecureBytes;
}

export interface PeerHandshake extends Handshake<WelcomeFacts> {
  /** To be sent first. */
  readonly hello: MessageOf<"hello">;
}

export function createPeerHandshake(options: PeerHandshakeOptions): PeerHandshake {
  const hello = helloOf(options);
  let challenge: MessageOf<"challenge"> | null = null;
  return {
    hello,
    onMessage(message) {
      if (message.type === "error") {
        return { kind: "refused", answer: null, error: errorFromMessage(message) };
      }
      if (challenge === null) {
        if (message.type !== "challenge") return refuse(unexpected(message, "challenge"));
        challenge = message;
        return answerChallenge(message, hello, options);
      }
      if (message.type !== "welcome") return refuse(unexpected(message, "welcome"));
      return { kind: "accepted", answer: null, accepted: welcomeFacts(message, challenge) };
    },
  };
}

function helloOf({ key, role, target, random = secureBytes }: PeerHandshakeOptions) {
  return {
    type: "hello",
    version: PROTOCOL_VERSION,
    program_version: PROGRAM_VERSION,
    role,
    key_id: key.keyId,
    nonce: random(NONCE_BYTES),
    target,
  } as const satisfies MessageOf<"hello">;
}

/** Checks the foreman's proof before giving ours: an imposter gets nothing to work with. */
function answerChallenge(
  challenge: MessageOf<"challenge">,
  hello: MessageOf<"hello">,
  options: PeerHandshakeOptions,
): HandshakeStep<WelcomeFacts> {
  if (challenge.nonce.byteLength !== NONCE_BYTES) return refuse(wrongNonce(challenge.nonce));
  const { kf, kc } = deriveVerifier(options.key.secret);
  const transcript = transcriptOf({
    version: hello.version,
    role: hello.role,
    keyId: hello.key_id,
    clientNonce: hello.nonce,
    foremanNonce: challenge.nonce,
    target: hello.target,
    foremanId: challenge.foreman_id,
    epoch: challenge.epoch,
    channelBinding: options.channelBinding ?? NO_CHANNEL_BINDING,
  });
  if (!isProofOver(challenge.mac, transcript, kf)) {
    const error = foremanMismatch(options.key.keyId, options.target);
    return { kind: "refused", answer: null, error };
  }
  return {
    kind: "continue",
    answer: { type: "authenticate", mac: proofOver(transcript, kc) },
  };
}

/** Identity comes from the challenge, which was proved; the rest of the welcome was not. */
function welcomeFacts(
  welcome: MessageOf<"welcome">,
  challenge: MessageOf<"challenge">,
): WelcomeFacts {
  return {
    foremanId: challenge.foreman_id,
    epoch: challenge.epoch,
    owner: welcome.owner,
    programVersion: welcome.program_version,
    heartbeatMs: welcome.heartbeat_seconds * 1000,
    leaseMs: welcome.lease_seconds * 1000,
    features: welcome.features,
  };
}

function refuse(error: CcError): { kind: "refused"; answer: Message; error: CcError } {
  return { kind: "refused", answer: errorToMessage(error), error };
}

const unexpected = (message: Message, expected: string): CcError =>
  brokenHandshake(`expected ${expected}, got ${message.type}`);

const wrongNonce = (nonce: Uint8Array): CcError =>
  brokenHandshake(`a nonce has ${NONCE_BYTES} bytes, this one ${nonce.byteLength}`);
