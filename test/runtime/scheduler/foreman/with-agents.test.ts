/**
 * Both machines together: the foreman's and the workers' agents, over connections that break. Tasks
 * of all lengths, cancels, retries and pauses; in the end everything is settled exactly once.
 */
import { expect, test } from "bun:test";
import { asJobId, asWorkerId, type JobId } from "../../../../src/runtime/protocol/ids.ts";
import type { ForemanEvent } from "../../../../src/runtime/scheduler/foreman/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/foreman/invariants.ts";
import {
  createForemanState,
  type ForemanState,
  nextWakeAtMs,
  step,
} from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { createRandom, nextRandom } from "../../../../src/runtime/scheduler/foreman/random.ts";
import { aSpec } from "../../../support/specs.ts";
import {
  type AgentHost,
  createHost,
  dial,
  type ForemanNews,
  hangUp,
  hear,
  runHost,
  toNews,
} from "./agent-host.ts";
import { options, someValues } from "./builders.ts";

const SEEDS = 20;
const EVENTS_PER_SEED = 300;

interface World {
  readonly state: ForemanState;
  readonly hosts: AgentHost[];
  readonly settled: Map<string, number>;
  readonly starts: Map<string, number>;
  readonly random: () => number;
  nowMs: number;
}

test("foreman and agents agree over broken connections, and everything is settled once", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = createWorld(seed);
    try {
      for (let i = 0; i < EVENTS_PER_SEED; i++) tumble(world);
      comeToRest(world);
      expect(world.state.jobs.size).toBe(0);
      for (const count of world.settled.values()) expect(count).toBe(1);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
    }
  }
}, 60_000);

test("over good connections no task starts twice", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = createWorld(seed);
    for (const host of world.hosts) dial(host, world.nowMs);
    for (let i = 0; i < 5; i++) submit(world, 200, { retries: 0 });
    comeToRest(world);
    expect(world.state.jobs.size).toBe(0);
    expect([...world.starts.values()].filter((count) => count !== 1)).toEqual([]);
    expect(world.starts.size).toBe(1_000);
  }
});

function createWorld(seed: number): World {
  const generator = createRandom(seed);
  const random = (): number => nextRandom(generator);
  const starts = new Map<string, number>();
  const hooks = {
    random,
    // From nothing at all to some seconds.
    taskMs: () => (random() < 0.02 ? 4_000 * random() : 10 * random() * random()),
    onStart(jobId: number, index: number) {
      const name = `${jobId}/${index}`;
      starts.set(name, (starts.get(name) ?? 0) + 1);
    },
  };
  return {
    state: createForemanState(options({ seed })),
    hosts: [createHost("w1", 2, hooks), createHost("w2", 3, hooks)],
    settled: new Map(),
    starts,
    random,
    nowMs: 1_000_000,
  };
}

function post(world: World, event: ForemanNews): void {
  const output = step(world.state, { ...event, atMs: world.nowMs } as ForemanEvent);
  checkInvariants(world.state);
  for (const change of output.changes) {
    if (change.type === "reopened") forget(world, change.jobId);
    if (change.type !== "settled" || change.settlement.status === "cancelled") continue;
    const { jobId, indexes, count } = change.settlement;
    for (let row = 0; row < count; row++) {
      const index = indexes instanceof Uint32Array ? indexes[row] : indexes.first + row;
      const name = `${jobId}/${index}`;
      world.settled.set(name, (world.settled.get(name) ?? 0) + 1);
    }
  }
  for (const effect of output.effects) {
    if (!("bootId" in effect)) continue;
    const host = world.hosts.find(({ state }) => state.bootId === effect.bootId);
    if (!host?.isConnected) continue;
    const isOld = "connectionSeq" in effect && effect.connectionSeq !== host.state.connectionSeq;
    if (!isOld) host.inbox.push(effect);
  }
}

/** Tasks that were queued again may be settled again. */
function forget(world: World, jobId: JobId): void {
  for (const name of [...world.settled.keys()]) {
    if (name.startsWith(`${jobId}/`)) world.settled.delete(name);
  }
}

function tumble(world: World): void {
  const { random, hosts } = world;
  const host = hosts[Math.floor(random() * hosts.length)] as AgentHost;
  const dice = random();
  if (dice < 0.35) deliver(world, host);
  else if (dice < 0.7) passTime(world, random() * random() * 300);
  else if (dice < 0.78 && !host.isConnected) dial(host, world.nowMs);
  else if (dice < 0.8) cut(world, host);
  else if (dice < 0.86)
    submit(world, Math.floor(random() * 300), { retries: random() < 0.5 ? 2 : 0 });
  else if (dice < 0.97) ask(world);
}

function submit(world: World, count: number, spec: { readonly retries: number }): void {
  if (world.state.jobs.size > 5) return;
  post(world, {
    type: "jobSubmitted",
    token: 0,
    owner: "me",
    submissionId: `s${world.state.nextJobId}`,
    resumable: false,
    spec: aSpec({ ...spec, backoff_seconds: 0.05, max_running: world.random() < 0.2 ? 3 : null }),
    count,
    values: someValues(count),
    inputCrc32: 0,
    close: true,
  });
}

function ask(world: World): void {
  const { random, state } = world;
  const jobs = [...state.jobs.keys()];
  const jobId = jobs[Math.floor(random() * jobs.length)];
  if (jobId === undefined) return;
  const dice = random();
  const some = Uint32Array.from({ length: 10 }, () => Math.floor(random() * 200));
  if (dice < 0.1) {
    const worker = asWorkerId(random() < 0.5 ? "w1" : "w2");
    post(world, {
      type: "workerPaused",
      token: 0,
      workerId: worker,
      paused: random() < 0.5,
      now: random() < 0.5,
    });
  } else if (dice < 0.4) {
    post(world, { type: "jobPatched", token: 0, jobId, patch: { paused: random() < 0.4 } });
  } else if (dice < 0.7) {
    const indexes = random() < 0.8 ? some : null;
    post(world, {
      type: "cancelRequested",
      token: 0,
      jobId,
      indexes,
      code: "cancelled",
      reason: "no",
    });
  } else {
    const retry = { indexes: some, completedToo: random() < 0.5, patch: null, stored: null };
    post(world, { type: "retryRequested", token: 0, jobId: asJobId(jobId), ...retry });
  }
}

function cut(world: World, host: AgentHost): void {
  if (!host.isConnected) return;
  const { bootId, connectionSeq } = host.state;
  hangUp(host, world.nowMs);
  if (bootId !== null && world.random() < 0.7) {
    post(world, { type: "connectionLost", bootId, connectionSeq });
  }
}

/** One message in each direction. */
function deliver(world: World, host: AgentHost): boolean {
  const message = host.outbox.shift();
  if (message) post(world, toNews(host, message));
  const effect = host.inbox.shift();
  if (effect) hear(host, effect, world.nowMs);
  return message !== undefined || effect !== undefined;
}

function passTime(world: World, ms: number): void {
  world.nowMs += ms;
  for (const host of world.hosts) runHost(host, world.nowMs);
  const wakeAtMs = nextWakeAtMs(world.state);
  if (wakeAtMs !== null && wakeAtMs <= world.nowMs) post(world, { type: "clockAdvanced" });
}

function comeToRest(world: World): void {
  for (const workerId of ["w1", "w2"]) {
    post(world, {
      type: "workerPaused",
      token: 0,
      workerId: asWorkerId(workerId),
      paused: false,
      now: false,
    });
  }
  for (const jobId of [...world.state.jobs.keys()]) {
    post(world, { type: "jobPatched", token: 0, jobId, patch: { paused: false } });
  }
  for (let round = 0; round < 5_000 && world.state.jobs.size > 0; round++) {
    for (const host of world.hosts) {
      if (!host.isConnected) dial(host, world.nowMs);
      while (deliver(world, host));
    }
    passTime(world, 20);
  }
}
