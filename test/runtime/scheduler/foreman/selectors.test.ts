/** What views read: counters, places of tasks, sessions, rates. */
import { expect, test } from "bun:test";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import { countSettled, ratePerSecond } from "../../../../src/runtime/scheduler/foreman/rate.ts";
import {
  findTasks,
  foremanTotals,
  jobFacts,
  jobProgress,
  liveJobIds,
  sessionSummaries,
  settleSeqOf,
  taskAt,
} from "../../../../src/runtime/scheduler/foreman/selectors.ts";
import { createRateRing } from "../../../../src/runtime/scheduler/foreman/state.ts";
import { aForeman, assignmentsIn, aWorker, complete, fail, submit } from "./builders.ts";

test("a job's counters, its tasks' places and its sessions", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 10, { retries: 1, backoff_seconds: 60 });
  const [assign] = assignmentsIn(foreman.last);
  if (!assign) throw new Error("nothing was assigned");
  complete(foreman, worker, assign, { only: [0], runUs: 60_000_000 });
  fail(foreman, worker, assign, { only: [1], runUs: 60_000_000 });
  const { state, nowMs } = foreman;
  expect(jobProgress(state, jobId, nowMs)?.counts).toEqual({
    total: 10,
    blocked: 0,
    queued: 6,
    delayed: 1,
    running: 2,
    completed: 1,
    failed: 0,
    cancelled: 0,
  });
  expect(taskAt(state, jobId, 0)).toMatchObject({ state: "completed", attempts: 1, seq: 1 });
  expect(taskAt(state, jobId, 1)?.state).toBe("delayed");
  expect(taskAt(state, jobId, 1)?.notBeforeMs).toBeGreaterThan(nowMs);
  expect(taskAt(state, jobId, 2)).toMatchObject({ state: "running", workerId: "w1" });
  expect(taskAt(state, jobId, 9)).toMatchObject({ state: "queued", attempts: 0, seq: 0 });
  expect(taskAt(state, jobId, 10)).toBeNull();
  expect([settleSeqOf(state, jobId, 0), settleSeqOf(state, jobId, 1)]).toEqual([1, 0]);
  expect(findTasks(state, jobId, new Set(["queued", "completed"]), 0, 3)).toEqual([0, 4, 5]);
  expect(findTasks(state, jobId, null, 8, 100)).toEqual([8, 9]);
  expect(sessionSummaries(state)).toMatchObject([
    {
      workerId: "w1",
      state: "up",
      busySlots: 2,
      running: 2,
      prefetched: 0,
      completed: 1,
      failed: 1,
      jobIds: [jobId],
    },
  ]);
  expect(foremanTotals(state, nowMs)).toMatchObject({
    connectedWorkers: 1,
    slots: 2,
    unfinishedJobs: 1,
    runningTasks: 2,
    queuedTasks: 7,
    completedTasks: 1,
    failedTasks: 0,
  });
  expect(liveJobIds(state)).toEqual([jobId]);
  expect(jobFacts(state, jobId)?.completed).toBe(1);
  expect(jobFacts(state, asJobId(99))).toBeNull();
});

test("a lost worker is shown for a while, a cut one as lost with hope", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  expect(sessionSummaries(foreman.state)).toMatchObject([
    { state: "lost", reason: "its connection is gone and it may still come back" },
  ]);
  foreman.wait(5_000);
  expect(sessionSummaries(foreman.state)).toMatchObject([{ state: "lost", reason: null }]);
  foreman.wait(3_700_000);
  expect(sessionSummaries(foreman.state)).toEqual([]);
});

test("the rate is that of the last ten seconds and forgets what is older", () => {
  const ring = createRateRing();
  expect(ratePerSecond(ring, 1_000)).toBeNull();
  for (let at = 0; at < 20_000; at += 100) countSettled(ring, at, 10);
  expect(ratePerSecond(ring, 19_999)).toBeCloseTo(100, 0);
  expect(ratePerSecond(ring, 25_000)).toBeLessThan(60);
  expect(ratePerSecond(ring, 40_000)).toBeNull();
  countSettled(ring, 60_000, 5);
  expect(ratePerSecond(ring, 60_100)).toBeNull();
  expect(ratePerSecond(ring, 61_000)).toBeCloseTo(5, 5);
});
