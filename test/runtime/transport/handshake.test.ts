import { describe, expect, test } from "bun:test";
import type { CcError } from "../../../src/runtime/protocol/error.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import {
  createForemanHandshake,
  createPeerHandshake,
  type ForemanHandshakeOptions,
  type HandshakeStep,
} from "../../../src/runtime/transport/handshake.ts";
import {
  createKey,
  type Key,
  type KeyDirectory,
  type KeyRole,
  keyEntry,
} from "../../../src/runtime/transport/keys.ts";
import { proofOver, transcriptOf } from "../../../src/runtime/transport/transcript.ts";

const key = createKey("client");
const entry = keyEntry(key, { owner: "ada", scopes: ["view"] });
const keys: KeyDirectory = { find: (keyId) => (keyId === key.keyId ? entry : null) };

const foremanSide = (changes: Partial<ForemanHandshakeOptions> = {}) =>
  createForemanHandshake({
    keys,
    foremanId: "foreman-1",
    epoch: 7,
    heartbeatMs: 3_000,
    leaseMs: 15_000,
    nowMs: () => 0,
    ...changes,
  });

const peerSide = (changes: { key?: Key; role?: KeyRole; target?: string } = {}) =>
  createPeerHandshake({ key, role: "client", target: "127.0.0.1:9000", ...changes });

function answerOf<Accepted>(step: HandshakeStep<Accepted>): Message {
  if (step.answer === null) throw new Error(`no answer in a step that is ${step.kind}`);
  return step.answer;
}

function errorOf<Accepted>(step: HandshakeStep<Accepted>): CcError {
  if (step.kind !== "refused") throw new Error(`expected a refusal, got ${step.kind}`);
  return step.error;
}

/** Runs both sides to the end. */
function shakeHands(
  foreman: ReturnType<typeof foremanSide>,
  peer: ReturnType<typeof peerSide>,
): { readonly atForeman: HandshakeStep<unknown>; readonly atPeer: HandshakeStep<unknown> } {
  const challenge = answerOf(foreman.onMessage(peer.hello));
  const proven = peer.onMessage(challenge);
  if (proven.kind === "refused") return { atForeman: proven, atPeer: proven };
  const atForeman = foreman.onMessage(answerOf(proven));
  return { atForeman, atPeer: peer.onMessage(answerOf(atForeman)) };
}

describe("a handshake with the right key", () => {
  test("tells the foreman who the peer is and the peer what the foreman is", () => {
    const { atForeman, atPeer } = shakeHands(foremanSide(), peerSide());
    expect(atForeman).toMatchObject({
      kind: "accepted",
      accepted: { role: "client", keyId: key.keyId, owner: "ada", scopes: ["view"] },
    });
    expect(atPeer).toMatchObject({
      kind: "accepted",
      accepted: {
        foremanId: "foreman-1",
        epoch: 7,
        owner: "ada",
        heartbeatMs: 3_000,
        leaseMs: 15_000,
      },
    });
  });

  test("draws new nonces and so a new proof each time", () => {
    const [first, second] = [foremanSide(), foremanSide()].map((foreman) =>
      answerOf(foreman.onMessage(peerSide().hello)),
    ) as [MessageOf<"challenge">, MessageOf<"challenge">];
    expect(first.nonce).not.toEqual(second.nonce);
    expect(first.mac).not.toEqual(second.mac);
  });
});

describe("the foreman", () => {
  const prove = (foreman: ReturnType<typeof foremanSide>, mac: Uint8Array) =>
    errorOf(foreman.onMessage({ type: "authenticate", mac }));

  test("refuses a replayed proof, because its nonce is new", () => {
    const peer = peerSide();
    const recorded = answerOf(
      peer.onMessage(answerOf(foremanSide().onMessage(peer.hello))),
    ) as MessageOf<"authenticate">;
    const later = foremanSide();
    later.onMessage(peer.hello);
    expect(prove(later, recorded.mac).code).toBe("wrong_key");
  });

  test("refuses its own proof reflected", () => {
    const foreman = foremanSide();
    const { mac } = answerOf(foreman.onMessage(peerSide().hello)) as MessageOf<"challenge">;
    expect(prove(foreman, mac).code).toBe("wrong_key");
  });

  test("refuses a proof meant for another foreman", () => {
    const peer = peerSide();
    const other = foremanSide({ foremanId: "foreman-2" });
    const proof = peer.onMessage(answerOf(other.onMessage(peer.hello)));
    const foreman = foremanSide();
    foreman.onMessage(peer.hello);
    expect(prove(foreman, (answerOf(proof) as MessageOf<"authenticate">).mac).code).toBe(
      "wrong_key",
    );
  });

  test("refuses a truncated, an empty and an overlong proof", () => {
    for (const length of [0, 31, 33]) {
      const foreman = foremanSide();
      foreman.onMessage(peerSide().hello);
      expect(prove(foreman, new Uint8Array(length)).code).toBe("wrong_key");
    }
  });

  test("answers an unknown key as a known one, with a proof that fits no key", () => {
    const stranger = createKey("client");
    const foreman = foremanSide();
    const peer = peerSide({ key: stranger });
    const challenge = answerOf(foreman.onMessage(peer.hello)) as MessageOf<"challenge">;
    expect(challenge.type).toBe("challenge");
    expect(challenge.mac).toHaveLength(32);
    const known = foremanSide();
    known.onMessage(peerSide().hello);
    const refusals = [prove(foreman, new Uint8Array(32)), prove(known, new Uint8Array(32))];
    expect(refusals.map((error) => error.code)).toEqual(["wrong_key", "wrong_key"]);
    expect(refusals[0]?.message.replace(stranger.keyId, "ID")).toBe(
      refusals[1]?.message.replace(key.keyId, "ID") as string,
    );
  });

  test("tells only a peer that proved it that its key is revoked", () => {
    const revoked = { find: () => ({ ...entry, revoked: true }) };
    const { atForeman, atPeer } = shakeHands(foremanSide({ keys: revoked }), peerSide());
    expect(errorOf(atForeman).code).toBe("key_revoked");
    expect(errorOf(atPeer)).toMatchObject({ code: "key_revoked", exitCode: 3, retryable: false });
    const foreman = foremanSide({ keys: revoked });
    foreman.onMessage(peerSide().hello);
    expect(prove(foreman, new Uint8Array(32)).code).toBe("wrong_key");
  });

  test("refuses a client key in a worker's hands", () => {
    const { atPeer } = shakeHands(foremanSide(), peerSide({ role: "worker" }));
    expect(errorOf(atPeer).code).toBe("wrong_role");
    expect(errorOf(atPeer).hint).toBe("Give a worker key with --key-file FILE.");
  });

  test("names both versions and which side to upgrade", () => {
    const hello = { ...peerSide().hello, program_version: "9.9.9" };
    const newer = errorOf(foremanSide().onMessage({ ...hello, version: 2 }));
    expect(newer.code).toBe("version_mismatch");
    expect(newer.message).toMatch(/protocol 1\).*crowdcompute 9\.9\.9 \(protocol 2\)/);
    expect(newer.hint).toBe("Upgrade the foreman.");
    const older = errorOf(foremanSide().onMessage({ ...hello, version: 0 }));
    expect(older.hint).toBe("Upgrade the client or worker.");
  });

  test("refuses what comes out of turn", () => {
    const early = errorOf(
      foremanSide().onMessage({ type: "authenticate", mac: new Uint8Array(32) }),
    );
    expect(early.message).toContain("expected hello, got authenticate");
    const foreman = foremanSide();
    foreman.onMessage(peerSide().hello);
    expect(errorOf(foreman.onMessage(peerSide().hello)).message).toContain(
      "expected authenticate, got hello",
    );
  });

  test("refuses a nonce that is not of 32 bytes", () => {
    for (const length of [0, 31, 33]) {
      const hello = { ...peerSide().hello, nonce: new Uint8Array(length) };
      expect(errorOf(foremanSide().onMessage(hello)).code).toBe("malformed_message");
    }
  });
});

describe("the peer", () => {
  test("gives no proof to a foreman that does not hold its key", () => {
    const peer = peerSide({ key: createKey("client") });
    const step = peer.onMessage(answerOf(foremanSide().onMessage(peer.hello)));
    expect(errorOf(step)).toMatchObject({ code: "foreman_mismatch", exitCode: 3 });
    expect(step.answer).toBeNull();
  });

  test("gives no proof to an imposter that reflects what it hears", () => {
    const peer = peerSide();
    const { kc } = entry;
    const nonce = new Uint8Array(32);
    const transcript = transcriptOf({
      version: 1,
      role: "client",
      keyId: key.keyId,
      clientNonce: peer.hello.nonce,
      foremanNonce: nonce,
      target: "127.0.0.1:9000",
      foremanId: "x",
      epoch: 1,
      channelBinding: "none",
    });
    const mac = proofOver(transcript, kc);
    const step = peer.onMessage({ type: "challenge", nonce, foreman_id: "x", epoch: 1, mac });
    expect(errorOf(step).code).toBe("foreman_mismatch");
    expect(step.answer).toBeNull();
  });

  test("notices a challenge that was changed on the way", () => {
    const changes: Partial<MessageOf<"challenge">>[] = [
      { foreman_id: "foreman-2" },
      { epoch: 8 },
      { nonce: new Uint8Array(32) },
    ];
    for (const change of changes) {
      const peer = peerSide();
      const challenge = answerOf(foremanSide().onMessage(peer.hello)) as MessageOf<"challenge">;
      expect(errorOf(peer.onMessage({ ...challenge, ...change })).code).toBe("foreman_mismatch");
    }
  });

  test("notices an encrypted connection that ends somewhere else", () => {
    const peer = peerSide();
    const foreman = foremanSide({ channelBinding: "another certificate" });
    const step = peer.onMessage(answerOf(foreman.onMessage(peer.hello)));
    expect(errorOf(step).code).toBe("foreman_mismatch");
  });

  test("takes no welcome before the foreman's proof", () => {
    const { atForeman } = shakeHands(foremanSide(), peerSide());
    const step = peerSide().onMessage(answerOf(atForeman));
    expect(errorOf(step).message).toContain("expected challenge, got welcome");
  });
});

test("the transcript tells fields apart that would run together", () => {
  const facts = {
    version: 1,
    role: "client",
    keyId: "ab",
    clientNonce: new Uint8Array([1, 2]),
    foremanNonce: new Uint8Array([3]),
    target: "c",
    foremanId: "d",
    epoch: 1,
    channelBinding: "none",
  };
  const moved = { ...facts, keyId: "a", role: "clientb" };
  const shifted = {
    ...facts,
    clientNonce: new Uint8Array([1]),
    foremanNonce: new Uint8Array([2, 3]),
  };
  const texts = [facts, moved, shifted].map((each) =>
    Buffer.from(transcriptOf(each)).toString("hex"),
  );
  expect(new Set(texts).size).toBe(3);
  expect(texts[0]).toBe(
    "63632d617574682d31" +
      "0000000131" +
      "00000006636c69656e74" +
      "000000026162" +
      "000000020102" +
      "0000000103" +
      "0000000163" +
      "0000000164" +
      "0000000131" +
      "000000046e6f6e65",
  );
});
