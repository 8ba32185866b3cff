import { describe, expect, test } from "bun:test";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import { fromBase32, toBase32 } from "../../../src/runtime/transport/base32.ts";
import {
  createKey,
  deriveVerifier,
  formatKey,
  parseKey,
} from "../../../src/runtime/transport/keys.ts";

describe("a key", () => {
  test("survives being written and read, with white space around it", () => {
    for (const role of ["client", "worker"] as const) {
      const key = createKey(role);
      expect(formatKey(key)).toMatch(/^cc_(client|worker)_[a-z2-7]{8}_[a-z2-7]{52}$/);
      expect(parseKey(` ${formatKey(key)}\n`)).toEqual(key);
    }
  });

  test("has a secret of 32 bytes that differs each time", () => {
    const [first, second] = [createKey("client"), createKey("client")];
    expect(first.secret).toHaveLength(32);
    expect(first.secret).not.toEqual(second.secret);
    expect(first.keyId).not.toBe(second.keyId);
  });

  test("is refused when a letter is missing, changed in kind or added, and the error keeps the secret", () => {
    const text = formatKey(createKey("client"));
    const secret = text.slice(-52);
    const wrong = ["", "cc_client", text.slice(0, -1), `${text}a`, text.toUpperCase()];
    for (const candidate of [...wrong, text.replace("client", "admin"), text.replace("cc_", "")]) {
      const thrown = thrownBy(() => parseKey(candidate));
      expect(thrown).toMatchObject({ code: "bad_key", exitCode: 2 });
      expect(`${thrown.message} ${thrown.hint}`).not.toContain(secret.slice(0, 20));
    }
  });

  test("derives a different key for each direction, always the same ones", () => {
    const { secret } = createKey("client");
    const { kf, kc } = deriveVerifier(secret);
    expect(kf).not.toEqual(kc);
    expect(kf).not.toEqual(secret);
    expect(deriveVerifier(secret)).toEqual({ kf, kc });
    // Fixed once and for all: other implementations and stored verifiers depend on it.
    const known = deriveVerifier(new Uint8Array(32));
    expect(Buffer.from(known.kf).toString("hex")).toBe(KF_OF_ZEROS);
    expect(Buffer.from(known.kc).toString("hex")).toBe(KC_OF_ZEROS);
  });
});

/** Computed apart, by RFC 5869 from HMAC-SHA-256 alone. */
const KF_OF_ZEROS = hkdfByHand("f2c");
const KC_OF_ZEROS = hkdfByHand("c2f");

function hkdfByHand(info: string): string {
  const hmac = (key: Uint8Array, text: Uint8Array) =>
    new Uint8Array(new Bun.CryptoHasher("sha256", key).update(text).digest());
  const extracted = hmac(new Uint8Array(32), new Uint8Array(32));
  return Buffer.from(hmac(extracted, Buffer.from(`${info}\u0001`))).toString("hex");
}

test("base32 is lower case without padding and refuses what it does not write", () => {
  expect(toBase32(Buffer.from("foobar"))).toBe("mzxw6ytboi");
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    expect(fromBase32(toBase32(bytes))).toEqual(bytes);
  }
  for (const text of ["1", "A", "a", "ab=", "a b", "a1", "az"]) {
    expect(fromBase32(text)).toBeNull();
  }
});

function thrownBy(action: () => unknown): CcError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof CcError) return thrown;
    throw thrown;
  }
  throw new Error("expected a CcError");
}
