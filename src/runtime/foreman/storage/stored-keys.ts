/**
 * The keys this foreman accepts: the verifiers in its store. The account's two local keys are entered
 * at each start, so that everything under the same account just works.
 */

import type { Store, StoredKey } from "../../store/store.ts";
import type { Scope } from "../../transport/channel.ts";
import type { LocalKeys } from "../../transport/key-files.ts";
import {
  deriveVerifier,
  type Key,
  type KeyDirectory,
  type KeyEntry,
  LOCAL_ADMIN_SCOPES,
  LOCAL_WORKER_SCOPES,
} from "../../transport/keys.ts";

const VERIFIER_HALF_BYTES = 32;

export async function loadKeyDirectory(store: Store): Promise<KeyDirectory> {
  const entries = new Map<string, KeyEntry>();
  for (const key of await store.listKeys()) entries.set(key.keyId, toEntry(key));
  return { find: (keyId) => entries.get(keyId) ?? null };
}

/** Enters the local keys where they are not known yet. */
export async function enterLocalKeys(
  store: Store,
  keys: LocalKeys,
  parts: { readonly owner: string; nowMs(): number },
): Promise<void> {
  const known = new Set((await store.listKeys()).map((key) => key.keyId));
  const enter = async (key: Key, scopes: readonly Scope[]): Promise<void> => {
    if (known.has(key.keyId)) return;
    const { kf, kc } = deriveVerifier(key.secret);
    const verifier = new Uint8Array([...kf, ...kc]);
    const { keyId, role } = key;
    const createdAtMs = parts.nowMs();
    await store.putKey({
      keyId,
      role,
      owner: parts.owner,
      scopes,
      verifier,
      createdAtMs,
      revokedAtMs: null,
    });
  };
  await enter(keys.admin, LOCAL_ADMIN_SCOPES);
  await enter(keys.worker, LOCAL_WORKER_SCOPES);
}

function toEntry(key: StoredKey): KeyEntry {
  return {
    role: key.role,
    owner: key.owner,
    scopes: key.scopes as readonly Scope[],
    revoked: key.revokedAtMs !== null,
    kf: key.verifier.subarray(0, VERIFIER_HALF_BYTES),
    kc: key.verifier.subarray(VERIFIER_HALF_BYTES),
  };
}
