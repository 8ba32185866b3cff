/** Seeds that are always played: the first ones, and those that once found a fault. */
import { expect, test } from "bun:test";
import { REGRESSIONS } from "./regressions.ts";
import { runSeed } from "./run.ts";
import { playSeeds, seedsFrom } from "./seeds.ts";

const TIMEOUT_MS = 180_000;

/** A run in which one of these does not happen proves little. */
const EXPECTED_KINDS: readonly string[] = [
  "attempts_aborted",
  "attempts_failed",
  "attempts_lost",
  "clock_went_back",
  "crash_points_returned",
  "foreman_started",
  "foreman_stood_still",
  "job_cancelled",
  "job_paused",
  "job_removed",
  "job_resumed",
  "stale_attempt",
  "storage_full",
  "storage_recovered",
  "tasks_cancelled",
  "tasks_failed",
  "tasks_poisoned",
  "tasks_refused",
  "tasks_reopened",
  "tasks_run_alone",
  "worker_connection_lost",
  "worker_draining",
  "worker_left",
  "worker_lost",
  "worker_paused",
  "worker_reconnected",
  "worker_set_aside",
  "worker_unwilling",
];

test("seeds that once broke a promise keep every promise", async () => {
  await playSeeds(REGRESSIONS.map(({ seed }) => seed));
}, 60_000);

test(
  "250 fixed seeds keep every promise, and all kinds of trouble happen in them",
  async () => {
    const happened = await playSeeds(seedsFrom(1, 250));
    expect(EXPECTED_KINDS.filter((kind) => !happened.has(kind))).toEqual([]);
  },
  TIMEOUT_MS,
);

test("a seed plays the same story every time", async () => {
  for (const seed of [3, 7, 11, 101]) {
    const stories = [await runSeed(seed, true), await runSeed(seed, true)];
    const [first, second] = stories.map(({ world }) => world.story.hash());
    expect(first).toBe(second as string);
    expect(stories[0]?.world.story.lines.length).toBeGreaterThan(20);
  }
}, 60_000);

test("another seed plays another story", async () => {
  const [first, second] = [await runSeed(1, true), await runSeed(2, true)];
  expect(first?.world.story.hash()).not.toBe(second?.world.story.hash() as string);
});
