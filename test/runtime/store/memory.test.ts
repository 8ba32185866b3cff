/** The memory store under the conformance suite. */
import { test } from "bun:test";
import { createMemoryStore, type MemoryStore } from "../../../src/runtime/store/memory.ts";
import { testStore } from "./conformance.ts";

testStore("memory", { test }, () => {
  let store: MemoryStore = createMemoryStore();
  return {
    open: async () => store,
    async restart() {
      store = store.reopen();
      return store;
    },
    dispose: async () => {},
  };
});
