/** An SQLite store in a folder of its own that is removed afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../../src/runtime/store/sqlite/sqlite-store.ts";
import type { Store } from "../../../src/runtime/store/store.ts";
import { NOW_MS } from "./builders.ts";
import type { StoreWorld } from "./conformance.ts";

export const CLOCK = { nowMs: () => NOW_MS };

export interface StoreFolder {
  readonly folder: string;
  dispose(): void;
}

export function makeStoreFolder(): StoreFolder {
  const parent = mkdtempSync(join(tmpdir(), "cc-store-"));
  return {
    // One level below, so that the store makes its folder itself.
    folder: join(parent, "store"),
    dispose: () => rmSync(parent, { recursive: true, force: true }),
  };
}

export const openStore = (folder: string): Promise<Store> =>
  openSqliteStore({ folder, readOnly: false, clock: CLOCK });

export const openReader = (folder: string): Promise<Store> =>
  openSqliteStore({ folder, readOnly: true, clock: CLOCK });

export function createSqliteWorld(): StoreWorld {
  const { folder, dispose } = makeStoreFolder();
  return {
    open: () => openStore(folder),
    async restart(store) {
      await store.close();
      return openStore(folder);
    },
    dispose: async () => dispose(),
  };
}
