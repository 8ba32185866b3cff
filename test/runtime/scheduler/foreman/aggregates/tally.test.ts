/** What a job's measurements say of what happened to it. */
import { describe, expect, test } from "bun:test";
import { asJobId, type JobId } from "../../../../../src/runtime/protocol/ids.ts";
import { percentileOf } from "../../../../../src/runtime/scheduler/foreman/aggregates/histogram.ts";
import {
  ENDED_TALLIES_MAX,
  type JobTally,
} from "../../../../../src/runtime/scheduler/foreman/aggregates/tally-state.ts";
import { cutSeries } from "../../../../../src/runtime/scheduler/foreman/series.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  complete,
  type Foreman,
  fail,
  passTime,
  submit,
} from "../builders.ts";
import { createWorld, tumble, type World } from "../model-world.ts";

function tallyOf({ state }: Pick<Foreman, "state">, jobId: JobId): JobTally {
  const tally = state.jobs.get(jobId)?.tally ?? state.endedTallies.get(jobId)?.tally ?? null;
  if (tally === null) throw new Error(`nothing is measured of job ${jobId}`);
  return tally;
}

const retriesOf = ({ state }: Foreman, jobId: JobId): number | undefined =>
  state.jobs.get(jobId)?.retries ?? state.endedTallies.get(jobId)?.retries;

const sumOf = (values: readonly (number | null)[]): number =>
  values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

describe("of a job", () => {
  test("run times are those of all attempts, with the task of the longest", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman, "w1", { slots: 4 });
    const jobId = submit(foreman, 4, { retries: 1, backoff_seconds: 0 });
    const [assign] = assignmentsIn(foreman.last, worker);
    if (!assign) throw new Error("nothing was assigned");
    complete(foreman, worker, assign, { only: [0], runUs: 1_000 });
    fail(foreman, worker, assign, { only: [2], runUs: 900_000 });
    const { run, longestIndex } = tallyOf(foreman, jobId);
    expect([run.count, run.max, longestIndex]).toEqual([2, 900_000, 2]);
    expect(retriesOf(foreman, jobId)).toBe(1);
  });

  test("the wait is from a task's coming to its first attempt's start", () => {
    const foreman = aForeman();
    const jobId = submit(foreman, 1);
    foreman.wait(60_000);
    const worker = aWorker(foreman, "w1");
    const [assign] = assignmentsIn(foreman.last, worker);
    passTime(foreman, 5_000, [worker]);
    if (!assign) throw new Error("nothing was assigned");
    complete(foreman, worker, assign, { runUs: 4_000_000 });
    const { wait } = tallyOf(foreman, jobId);
    expect([wait.count, wait.max]).toEqual([1, 61_000]);
  });

  test("the time that its dependency took is no wait", () => {
    const foreman = aForeman();
    const worker = aWorker(foreman, "w1");
    const first = submit(foreman, 1);
    const [assign] = assignmentsIn(foreman.last, worker);
    const second = submit(foreman, 1, { after: [first] });
    passTime(foreman, 30_000, [worker]);
    if (!assign) throw new Error("nothing was assigned");
    const [next] = assignmentsIn(complete(foreman, worker, assign), worker);
    foreman.wait(1_000);
    if (!next) throw new Error("nothing followed");
    complete(foreman, worker, next, { runUs: 0 });
    expect(tallyOf(foreman, second).wait.max).toBe(1_000);
  });

  test("what is cancelled is no throughput", () => {
    const foreman = aForeman();
    const jobId = submit(foreman, 1_000);
    foreman.send({
      type: "cancelRequested",
      token: 1,
      jobId,
      indexes: null,
      code: "cancelled",
      reason: "on request",
    });
    expect(foreman.state.endedTallies.get(jobId)?.tally).toBeNull();
    const span = { nowMs: foreman.nowMs + 1_000, windowMs: 60_000, backMs: 0 };
    expect(sumOf(cutSeries([foreman.state.totals.series], span).settled)).toBe(0);
  });
});

test("only the newest ended jobs are remembered, and a removed one is not", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  for (let i = 0; i < ENDED_TALLIES_MAX + 10; i++) {
    submit(foreman, 1);
    const [assign] = assignmentsIn(foreman.last, worker);
    if (assign) complete(foreman, worker, assign);
  }
  const { endedTallies } = foreman.state;
  expect([endedTallies.size, endedTallies.has(asJobId(10)), endedTallies.has(asJobId(11))]).toEqual(
    [ENDED_TALLIES_MAX, false, true],
  );
  foreman.send({ type: "jobRemoved", token: 1, jobId: asJobId(20) });
  expect(endedTallies.has(asJobId(20))).toBe(false);
});

test("whatever happens, what was counted is what the settlement log says since then", async () => {
  let compared = 0;
  for (let seed = 1; seed <= 80; seed++) {
    const world = createWorld(seed);
    for (let i = 0; i < 200; i++) {
      await tumble(world);
      if (i % 20 === 19) compared += await compareWithLog(world);
    }
  }
  expect(compared).toBeGreaterThan(300);
}, 30_000);

/** @returns how many jobs had something to compare. */
async function compareWithLog({ state, store, nowMs }: World): Promise<number> {
  const held = [...state.jobs.values()].map(({ jobId, tally }) => ({ jobId, tally }));
  for (const [jobId, { tally }] of state.endedTallies) held.push({ jobId, tally });
  let compared = 0;
  for (const { jobId, tally } of held) {
    if (tally === null) continue;
    compared++;
    const chunks = await store.readSettlements(jobId, {
      seq: tally.sinceSeq,
      limit: 10_000,
      bytesMax: 1e9,
    });
    const counted = chunks.filter(({ status }) => status !== "cancelled");
    const span = { nowMs: nowMs + 1_000, windowMs: 86_400_000, backMs: 0 };
    const { settled, failed } = cutSeries([tally.series], span);
    const name = `job ${jobId} since ${tally.sinceSeq}`;
    expect(`${name}: ${sumOf(settled)}`).toBe(`${name}: ${sumOf(counted.map((c) => c.count))}`);
    const failures = counted.filter(({ status }) => status === "failed").map((c) => c.count);
    expect(`${name}: ${sumOf(failed)}`).toBe(`${name}: ${sumOf(failures)}`);
    expect(percentileOf(tally.run, 1) ?? 0).toBe(tally.run.max);
    expect(tally.wait.count).toBeLessThanOrEqual(tally.run.count);
  }
  return compared;
}
