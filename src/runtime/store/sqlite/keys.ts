/** The keys that this foreman accepts: verifiers only, never a secret. */
import { setTimeout as delay } from "node:timers/promises";
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { storageBusy, storageFull } from "../storage-error.ts";
import type { Store, StoredKey } from "../store.ts";
import { DamagedRow, plainBytes } from "./binary-columns.ts";
import { wholeMs } from "./job-rows.ts";
import type { Transact } from "./transact.ts";

const KEY_LIST = `
  select key_id, owner, role, scopes, verifier, created_at_ms, revoked_at_ms
  from api_key
  order by key_id`;

const KEY_PUT = `
  insert or replace into api_key(key_id, owner, role, scopes, verifier, created_at_ms, revoked_at_ms)
  values (?, ?, ?, ?, ?, ?, ?)`;

interface KeyRow {
  readonly key_id: string;
  readonly owner: string;
  readonly role: string;
  readonly scopes: string;
  readonly verifier: Uint8Array;
  readonly created_at_ms: number;
  readonly revoked_at_ms: number | null;
}

/** A backup's write lock passes within seconds; a key is written when a person waits for it. */
const BUSY_TRIES_MAX = 50;
const BUSY_WAIT_MS = 100;

export function createKeyAccess(
  database: SqlDatabase,
  transact: Transact,
): Pick<Store, "listKeys" | "putKey"> {
  const list = database.prepare<KeyRow>(KEY_LIST);
  const put = database.prepare(KEY_PUT);
  return {
    listKeys: async () => list.all().map(keyOfRow),
    async putKey(key) {
      const { keyId, owner, role, verifier } = key;
      const scopes = JSON.stringify(key.scopes);
      const instants = [wholeMs(key.createdAtMs), wholeMs(key.revokedAtMs)];
      for (let tries = 1; ; tries++) {
        const outcome = transact("store a key", () => {
          put.run(keyId, owner, role, scopes, verifier, ...instants);
        });
        if (outcome === "ok") return;
        if (outcome === "full") throw storageFull("store a key");
        if (tries === BUSY_TRIES_MAX) throw storageBusy("store a key");
        await delay(BUSY_WAIT_MS);
      }
    },
  };
}

function keyOfRow(row: KeyRow): StoredKey {
  const { role } = row;
  if (role !== "client" && role !== "worker") {
    throw new DamagedRow(`key ${row.key_id} has the role ${role}`);
  }
  return {
    keyId: row.key_id,
    owner: row.owner,
    role,
    // A list of texts is all that is ever written.
    scopes: JSON.parse(row.scopes) as string[],
    verifier: plainBytes(row.verifier),
    createdAtMs: row.created_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}
