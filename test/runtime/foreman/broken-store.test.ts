/** A store that fails for good: told once, and nothing more is asked of it, not even at the end. */
import { expect, test } from "bun:test";
import { createForeman } from "../../../src/runtime/foreman/foreman.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { createMemoryStore } from "../../../src/runtime/store/memory.ts";
import { storageFailed } from "../../../src/runtime/store/storage-error.ts";

test("a foreman whose store breaks says so once, and its end writes nothing", async () => {
  const memory = createMemoryStore();
  const clock = createManualClock();
  const told: string[] = [];
  let commits = 0;
  const foreman = await createForeman({
    store: {
      ...memory,
      async commit() {
        commits++;
        throw storageFailed("record a group of changes", new Error("I/O error"));
      },
    },
    clock,
    logger: silentLogger,
    options: {
      heartbeatMs: 3_000,
      leaseMs: 15_000,
      reconnectGraceMs: 5_000,
      seed: 1,
      onlyFollowed: false,
    },
    facts: { url: "", storeFolder: "memory", startedAtMs: 0 },
    onFatal: ({ code }) => void told.push(code),
    onShutdownRequested() {},
  });
  expect(told).toEqual(["storage_failed"]);
  await foreman.close();
  expect(told).toEqual(["storage_failed"]);
  expect(commits).toBe(1);
});
