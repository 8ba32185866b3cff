/** Which ended jobs are forgotten by themselves: by age, by number, never one that is kept or in use. */
import { expect, test } from "bun:test";
import { asJobId, type JobId } from "../../../../src/runtime/protocol/ids.ts";
import {
  FRESH_MS,
  planRetention,
  REMOVALS_PER_STEP_MAX,
} from "../../../../src/runtime/scheduler/foreman/jobs/retention.ts";
import {
  DEFAULT_RETENTION,
  type RetentionRules,
} from "../../../../src/runtime/scheduler/foreman/jobs/retention-state.ts";
import { nextWakeAtMs, recover } from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { createMemoryStore } from "../../../../src/runtime/store/memory.ts";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  changesOf,
  type Foreman,
  fail,
  submit,
} from "./builders.ts";

const KEEP_ALL: RetentionRules = {
  completedMs: null,
  failedMs: null,
  jobsMax: null,
  onlyOnRequest: false,
};
const DAY_MS = 86_400_000;

const keeping = (rules: Partial<RetentionRules>): Foreman =>
  aForeman({ retention: { ...KEEP_ALL, ...rules } });

/** A job without tasks completes at once. */
const completeOne = (foreman: Foreman): JobId => submit(foreman, 0);

function cancel(foreman: Foreman, jobId: JobId): void {
  foreman.send({
    type: "cancelRequested",
    token: 1,
    jobId,
    indexes: null,
    code: "cancelled",
    reason: "no matter",
  });
}

function cancelOne(foreman: Foreman): JobId {
  const jobId = submit(foreman, 1);
  cancel(foreman, jobId);
  return jobId;
}

const endedIn = (foreman: Foreman): number[] => [...foreman.state.ended.keys()];

const removedIn = (foreman: Foreman): number[] =>
  changesOf(foreman.last, "jobRemoved").map(({ jobId }) => jobId);

/** Follows the machine's own wishes for time until `untilMs` from now. */
function live(foreman: Foreman, untilMs: number): void {
  const endMs = foreman.nowMs + untilMs;
  for (let wakes = 0; ; wakes++) {
    expect(wakes).toBeLessThan(10_000);
    const wakeAtMs = nextWakeAtMs(foreman.state);
    if (wakeAtMs === null || wakeAtMs > endMs) break;
    foreman.wait(Math.max(0, wakeAtMs - foreman.nowMs));
  }
  foreman.wait(endMs - foreman.nowMs);
}

const patch = (foreman: Foreman, jobId: JobId, keep: boolean) =>
  foreman.send({ type: "jobPatched", token: 1, jobId, patch: { keep } });

const read = (foreman: Foreman, jobId: JobId, reading: boolean) =>
  foreman.send({ type: "readingChanged", jobId, reading });

test("without rules nothing is forgotten", () => {
  const foreman = aForeman();
  completeOne(foreman);
  live(foreman, 1_000 * DAY_MS);
  expect(endedIn(foreman)).toEqual([1]);
});

test("a completed job goes at its age, to the millisecond, and the machine asks to be woken then", () => {
  const foreman = keeping({ completedMs: 7 * DAY_MS });
  completeOne(foreman);
  expect(nextWakeAtMs(foreman.state)).toBe(foreman.nowMs + 7 * DAY_MS);
  foreman.wait(7 * DAY_MS - 1);
  expect(removedIn(foreman)).toEqual([]);
  foreman.wait(1);
  expect(removedIn(foreman)).toEqual([1]);
  expect(changesOf(foreman.last, "eventRecorded")[0]?.event).toMatchObject({
    kind: "job_removed",
    jobId: null,
  });
  expect(nextWakeAtMs(foreman.state)).toBeNull();
});

test("failed and cancelled jobs have an age of their own", () => {
  const foreman = keeping({ completedMs: DAY_MS, failedMs: 3 * DAY_MS });
  const worker = aWorker(foreman);
  submit(foreman, 1);
  const [assign] = assignmentsIn(foreman.last);
  if (assign) fail(foreman, worker, assign);
  foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "enough" });
  cancelOne(foreman);
  completeOne(foreman);
  live(foreman, 2 * DAY_MS);
  expect(endedIn(foreman)).toEqual([1, 2]);
  live(foreman, DAY_MS);
  expect(endedIn(foreman)).toEqual([]);
});

test("beyond the number the oldest go, whatever their state, once they are not fresh any more", () => {
  const foreman = keeping({ jobsMax: 2 });
  for (let count = 0; count < 2; count++) {
    completeOne(foreman);
    foreman.wait(10);
    cancelOne(foreman);
    foreman.wait(10);
  }
  expect(endedIn(foreman)).toEqual([1, 2, 3, 4]);
  live(foreman, FRESH_MS);
  expect(endedIn(foreman)).toEqual([3, 4]);
});

test("an age beyond any timer is kept", () => {
  const foreman = keeping({ completedMs: 10_000 * DAY_MS });
  completeOne(foreman);
  expect(nextWakeAtMs(foreman.state)).toBe(foreman.nowMs + 10_000 * DAY_MS);
});

test("a kept job stays and does not count; when it is kept no more it goes at once", () => {
  const foreman = keeping({ jobsMax: 1, completedMs: DAY_MS });
  const kept = completeOne(foreman);
  patch(foreman, kept, true);
  const other = completeOne(foreman);
  live(foreman, FRESH_MS);
  expect(endedIn(foreman)).toEqual([kept, other]);
  live(foreman, DAY_MS);
  expect(endedIn(foreman)).toEqual([kept]);
  patch(foreman, kept, false);
  expect(removedIn(foreman)).toEqual([kept]);
});

test("keeping and letting go again and again leaves one entry", () => {
  const foreman = keeping({ completedMs: DAY_MS });
  const jobId = completeOne(foreman);
  for (let turn = 0; turn < 500; turn++) {
    patch(foreman, jobId, true);
    patch(foreman, jobId, false);
  }
  expect(foreman.state.retention.completed.byEnd.entries.length).toBeLessThan(100);
  live(foreman, DAY_MS);
  expect(endedIn(foreman)).toEqual([]);
});

test("a job that somebody reads goes when the reading ends", () => {
  const foreman = keeping({ completedMs: DAY_MS });
  const jobId = completeOne(foreman);
  read(foreman, jobId, true);
  live(foreman, 2 * DAY_MS);
  expect(endedIn(foreman)).toEqual([jobId]);
  expect(nextWakeAtMs(foreman.state)).toBeNull();
  read(foreman, jobId, false);
  live(foreman, 1);
  expect(endedIn(foreman)).toEqual([]);
});

test("a job that an unfinished one names stays until that one has ended", () => {
  const foreman = keeping({ completedMs: DAY_MS });
  const first = completeOne(foreman);
  const second = submit(foreman, 1, { after: [first] });
  const third = submit(foreman, 1, { after: [first] });
  live(foreman, 2 * DAY_MS);
  cancel(foreman, second);
  expect(foreman.state.ended.has(first)).toBe(true);
  cancel(foreman, third);
  live(foreman, 1);
  expect(foreman.state.ended.has(first)).toBe(false);
  expect(foreman.state.namedBy.size).toBe(0);
});

test("a job that lives again is not forgotten, and its age begins at its new end", async () => {
  const foreman = keeping({ failedMs: DAY_MS });
  const store = createMemoryStore();
  const jobId = submit(foreman, 1);
  await store.commit(foreman.last.changes);
  cancel(foreman, jobId);
  await store.commit(foreman.last.changes);
  foreman.wait(DAY_MS / 2);
  foreman.send({
    type: "retryRequested",
    token: 1,
    jobId,
    indexes: null,
    completedToo: false,
    patch: null,
    stored: await store.readStoredJob(jobId),
  });
  expect(answerOf(foreman.last)).toMatchObject({ affected: 1 });
  live(foreman, DAY_MS);
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  cancel(foreman, jobId);
  live(foreman, DAY_MS - 1);
  expect(endedIn(foreman)).toEqual([jobId]);
  live(foreman, 1);
  expect(endedIn(foreman)).toEqual([]);
});

test("many at once go a few a step, the oldest first", () => {
  const foreman = keeping({ jobsMax: 10 });
  const count = 3 * REMOVALS_PER_STEP_MAX;
  for (let each = 0; each < count; each++) completeOne(foreman);
  foreman.wait(FRESH_MS);
  expect(removedIn(foreman).length).toBe(REMOVALS_PER_STEP_MAX);
  expect(removedIn(foreman)[0]).toBe(1);
  // Another step of the same millisecond, in the same commit, adds none.
  foreman.wait(0);
  expect(removedIn(foreman)).toEqual([]);
  expect(nextWakeAtMs(foreman.state)).toBe(foreman.nowMs + 1);
  live(foreman, 100);
  expect(foreman.state.ended.size).toBe(10);
});

test("after a start readers have time to come back, then what is due goes", async () => {
  const before = keeping({});
  const store = createMemoryStore();
  for (let each = 0; each < 3; each++) {
    completeOne(before);
    await store.commit(before.last.changes);
  }
  const after = keeping({ jobsMax: 1, completedMs: DAY_MS });
  after.nowMs = before.nowMs + 2 * DAY_MS;
  after.last = recover(after.state, await store.load(), after.nowMs);
  expect(removedIn(after)).toEqual([]);
  live(after, FRESH_MS - 1);
  expect(endedIn(after)).toEqual([1, 2, 3]);
  live(after, 2);
  expect(endedIn(after)).toEqual([]);
});

test("a job's submission may come anew once it is forgotten, with another number", () => {
  const foreman = keeping({ completedMs: DAY_MS });
  const first = submit(foreman, 0, {}, { submissionId: "same" });
  expect(submit(foreman, 0, {}, { submissionId: "same" })).toBe(first);
  live(foreman, DAY_MS);
  expect(submit(foreman, 0, {}, { submissionId: "same" })).toBe(asJobId(2));
});

test("a plan names what would go and why, and changes nothing", () => {
  const foreman = keeping({ jobsMax: 2, completedMs: DAY_MS, onlyOnRequest: true });
  completeOne(foreman);
  foreman.wait(DAY_MS);
  for (let each = 0; each < 3; each++) completeOne(foreman);
  const inUse = completeOne(foreman);
  read(foreman, inUse, true);
  const planned = planRetention(foreman.state, foreman.nowMs, 10);
  expect(planned.map(({ facts, why }) => [facts.jobId, why] as [number, string])).toEqual([
    [1, "age"],
    [2, "count"],
  ]);
  expect(planRetention(foreman.state, foreman.nowMs, 1).length).toBe(1);
  live(foreman, 10 * DAY_MS);
  expect(endedIn(foreman)).toEqual([1, 2, 3, 4, 5]);
});

test("what is collected on request goes only if it may", () => {
  const foreman = keeping({ onlyOnRequest: true });
  const jobs = Array.from({ length: 4 }, () => completeOne(foreman));
  const [gone, kept, inUse] = jobs as [JobId, JobId, JobId, JobId];
  patch(foreman, kept, true);
  read(foreman, inUse, true);
  const live = submit(foreman, 1);
  foreman.send({
    type: "garbageCollected",
    token: 3,
    jobs: [gone, kept, inUse, live, asJobId(99)].map((jobId) => ({ jobId, why: "age" })),
  });
  expect(answerOf(foreman.last)).toEqual({ type: "collected", jobIds: [gone] });
  expect(removedIn(foreman)).toEqual([gone]);
  expect(endedIn(foreman)).toEqual([2, 3, 4]);
});

test("the rules are on by default: a week, a month, ten thousand", () => {
  expect(DEFAULT_RETENTION).toEqual({
    completedMs: 7 * DAY_MS,
    failedMs: 30 * DAY_MS,
    jobsMax: 10_000,
    onlyOnRequest: false,
  });
});
