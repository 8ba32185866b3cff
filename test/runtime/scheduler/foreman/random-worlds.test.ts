/** Thousands of random events with faults: invariants hold after each step and everything ends. */
import { expect, test } from "bun:test";
import {
  SETTLED_CANCELLED,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
} from "../../../../src/runtime/scheduler/foreman/facts.ts";
import { comeToRest, createWorld, tumble, type World } from "./model-world.ts";

const SEEDS = Number(process.env["CC_SEEDS"] ?? 100);
const FIRST_SEED = Number(process.env["CC_FIRST_SEED"] ?? 1);
const EVENTS_PER_SEED = 250;

test("whatever happens, the invariants hold and all jobs end once the faults stop", async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) await runSeed(seed);
}, 60_000);

test("the same events give the same decisions", async () => {
  const outputs: string[][] = [];
  for (let run = 0; run < 2; run++) {
    const world = createWorld(4_711);
    for (let i = 0; i < EVENTS_PER_SEED; i++) await tumble(world);
    outputs.push(world.outputs);
  }
  expect(outputs[0]).toEqual(outputs[1] ?? []);
});

async function runSeed(seed: number): Promise<void> {
  const world = createWorld(seed);
  try {
    for (let i = 0; i < EVENTS_PER_SEED; i++) await tumble(world);
    await comeToRest(world);
    expect(world.state.jobs.size).toBe(0);
    expect([...world.state.sessions.values()].map(({ heldTasks }) => heldTasks)).toEqual([0, 0, 0]);
    checkStartedOnce(world);
    await checkRecord(world);
  } catch (cause) {
    const story = world.log.slice(-12).join(" · ");
    throw new Error(`seed ${seed}: ${(cause as Error).message} after ${story}`, { cause });
  }
}

/** With one crash allowed and no retries a task starts at most once. */
function checkStartedOnce({ state, starts, retried }: World): void {
  for (const facts of state.ended.values()) {
    const { jobId, spec } = facts;
    if (spec.max_crashes !== 1 || spec.retries !== 0 || retried.has(jobId)) continue;
    for (let index = 0; index < facts.inputCount; index++) {
      const count = starts.get(`${jobId}/${index}`) ?? 0;
      if (count > 1) throw new Error(`task ${jobId}/${index} started ${count} times`);
    }
  }
}

/** The job's counters are those of its settlement log. */
async function checkRecord({ state, store }: World): Promise<void> {
  for (const { jobId, inputCount, completed, failed, cancelled } of state.ended.values()) {
    const { status } = await store.readFold(jobId, inputCount);
    const count = (settled: number): number => status.filter((one) => one === settled).length;
    const record = [count(SETTLED_COMPLETED), count(SETTLED_FAILED), count(SETTLED_CANCELLED)];
    expect(record).toEqual([completed, failed, cancelled]);
  }
}
