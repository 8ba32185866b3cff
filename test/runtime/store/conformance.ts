/**
 * What a store is: every store passes this suite, under every runner that has `test`. A world opens
 * the store, restarts it (the same facts, a new epoch), and cleans up.
 */

import type { Store } from "../../../src/runtime/store/store.ts";
import { suiteOfBlobs } from "./conformance/blobs.ts";
import { suiteOfFacts } from "./conformance/facts.ts";
import { suiteOfGroups } from "./conformance/groups.ts";
import { suiteOfLog } from "./conformance/log.ts";
import { suiteOfReclaim } from "./conformance/reclaim.ts";
import type { Suite, WithStore } from "./conformance/suite.ts";

export interface StoreWorld {
  open(): Promise<Store>;
  /** Closes the store and opens it again, as a foreman's restart does. */
  restart(store: Store): Promise<Store>;
  dispose(): Promise<void>;
}

export interface Runner {
  test(name: string, run: () => Promise<void>): void;
}

export function testStore(name: string, runner: Runner, createWorld: () => StoreWorld): void {
  const suite: Suite = (title, body: WithStore) => {
    runner.test(`${name}: ${title}`, async () => {
      const world = createWorld();
      let store = await world.open();
      try {
        await body(store, async () => {
          store = await world.restart(store);
          return store;
        });
      } finally {
        await store.close();
        await world.dispose();
      }
    });
  };
  suiteOfFacts(suite);
  suiteOfGroups(suite);
  suiteOfLog(suite);
  suiteOfBlobs(suite);
  suiteOfReclaim(suite);
}
