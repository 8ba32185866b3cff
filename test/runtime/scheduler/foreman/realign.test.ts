/** A wall clock that was set back between two foremen makes nothing wait longer than it was to wait. */
import { expect, test } from "bun:test";
import { asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import type { StoredState } from "../../../../src/runtime/scheduler/foreman/facts.ts";
import {
  createForemanState,
  nextWakeAtMs,
  recover,
  step,
} from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { realign } from "../../../../src/runtime/scheduler/foreman/realign.ts";
import { createMemoryStore, type MemoryStore } from "../../../../src/runtime/store/memory.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  eventKinds,
  type Foreman,
  fail,
  indexesIn,
  options,
  submit,
} from "./builders.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A foreman whose changes go into a store, long after the beginning of time. */
function keptForeman(): { foreman: Foreman; store: MemoryStore } {
  const foreman = aForeman();
  foreman.nowMs += 100 * DAY_MS;
  const store = createMemoryStore();
  const { send } = foreman;
  foreman.send = (event) => {
    const output = send(event);
    void store.commit(output.changes);
    return output;
  };
  return { foreman, store };
}

/** The next foreman, by a clock that reads `atMs`. */
async function startAt(store: MemoryStore, atMs: number) {
  const state = createForemanState(options());
  const output = recover(state, await store.load(), atMs);
  await store.commit(output.changes);
  return { state, output };
}

test("a job with --delay waits what was left of it when the clock goes back by a day", async () => {
  const { foreman, store } = keptForeman();
  const jobId = submit(foreman, 1, { delay_seconds: (2 * HOUR_MS) / 1000 });
  foreman.wait(HOUR_MS);
  submit(foreman, 1);
  const atMs = foreman.nowMs - DAY_MS;
  const { state, output } = await startAt(store, atMs);
  expect(state.jobs.get(jobId)?.notBeforeMs).toBe(atMs + HOUR_MS);
  expect(eventKinds(output)).toContain("clock_went_back");
  // It is written down, so that the start after this one finds nothing to move.
  const third = await startAt(store, atMs + 1_000);
  expect(third.state.jobs.get(jobId)?.notBeforeMs).toBe(atMs + HOUR_MS);
  expect(eventKinds(third.output)).not.toContain("clock_went_back");
});

test("a back-off and a worker set aside end in time when the clock goes back by a day", async () => {
  const { foreman, store } = keptForeman();
  const bad = aWorker(foreman, "bad");
  aWorker(foreman, "good");
  const jobId = submit(foreman, 1_000, { retries: 3, backoff_seconds: 200 });
  const [mine] = assignmentsIn(foreman.last, bad);
  if (!mine) throw new Error("nothing is assigned");
  const [failed = -1, ...moved] = indexesIn(mine);
  fail(foreman, bad, mine, { only: [failed] });
  fail(foreman, bad, mine, { code: "worker_storage", only: moved });
  const atMs = foreman.nowMs - DAY_MS;
  const { state } = await startAt(store, atMs);
  const worker = state.workers.get(asWorkerId(bad.workerId));
  expect(worker?.setAsideUntilMs).toBe(atMs + 30_000);
  expect(state.jobs.get(jobId)?.counts[2]).toBeGreaterThan(0);
  step(state, { type: "clockAdvanced", atMs: atMs + 200_100 });
  expect(state.jobs.get(jobId)?.counts[2]).toBe(0);
  expect(worker?.setAsideUntilMs).toBeNull();
});

test("a clock that goes forward releases early and moves nothing", async () => {
  const { foreman, store } = keptForeman();
  const jobId = submit(foreman, 1, { delay_seconds: HOUR_MS / 1000 });
  const { state, output } = await startAt(store, foreman.nowMs + DAY_MS);
  expect(eventKinds(output)).toEqual(["foreman_started"]);
  expect(changesOf(output, "jobChanged")).toEqual([]);
  expect((state.jobs.get(jobId)?.notBeforeMs ?? 0) < state.nowMs).toBe(true);
});

test("an event that is lost cannot make a wait longer than it was from its begin", () => {
  const { foreman } = keptForeman();
  submit(foreman, 1, { delay_seconds: 60 });
  const [created] = changesOf(foreman.last, "jobCreated");
  if (!created) throw new Error("no job was made");
  const atMs = foreman.nowMs - DAY_MS;
  const stored: StoredState = {
    jobs: [],
    ended: [created.facts],
    assignments: [],
    workers: [],
    nextJobId: 2,
    lastEventAtMs: null,
  };
  expect(realign(stored, atMs).stored.ended[0]?.notBeforeMs).toBe(atMs + 60_000);
});

test("a lease begins with the foreman, whatever its clock reads", async () => {
  const { foreman, store } = keptForeman();
  const worker = aWorker(foreman);
  submit(foreman, 1);
  const atMs = foreman.nowMs - DAY_MS;
  const { state } = await startAt(store, atMs);
  expect(state.sessions.get(worker.bootId)?.leaseEndsAtMs).toBe(atMs + 15_000);
  expect(nextWakeAtMs(state)).toBeLessThanOrEqual(atMs + 15_000);
});

test("a job that seems to have ended tomorrow ended just now, and took as long as it did", async () => {
  const { foreman, store } = keptForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1);
  const [mine] = assignmentsIn(foreman.last, worker);
  if (!mine) throw new Error("nothing is assigned");
  foreman.nowMs += 1_000;
  complete(foreman, worker, mine);
  const atMs = foreman.nowMs - DAY_MS;
  const { state } = await startAt(store, atMs);
  const facts = state.ended.get(jobId);
  expect([facts?.createdAtMs, facts?.finishedAtMs]).toEqual([atMs - 1_000, atMs]);
});

test("a task that runs again has no back-off left, though by the clock it would still last", async () => {
  const { foreman, store } = keptForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { retries: 3, backoff_seconds: 4 });
  const [first] = assignmentsIn(foreman.last);
  if (!first) throw new Error("nothing was assigned");
  fail(foreman, worker, first);
  do foreman.wait(100);
  while (assignmentsIn(foreman.last).length === 0);
  const { state } = await startAt(store, foreman.nowMs - HOUR_MS);
  expect(state.jobs.get(jobId)?.queue.delayed.entries).toEqual([]);
});
