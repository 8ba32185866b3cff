/**
 * A small world around the machine for random tests: workers, clients and a store, with messages that
 * are delayed and lost, processes that die, and a foreman that is started again from its store. First
 * anything may happen; then the faults stop and every job must end.
 */
import {
  asJobId,
  asWorkerId,
  firstAssignmentOfEpoch,
  type JobId,
} from "../../../../src/runtime/protocol/ids.ts";
import type { JobSpec } from "../../../../src/runtime/protocol/job-spec.ts";
import type { ForemanEvent } from "../../../../src/runtime/scheduler/foreman/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/foreman/invariants.ts";
import {
  createForemanState,
  type ForemanState,
  nextWakeAtMs,
  recover,
  step,
} from "../../../../src/runtime/scheduler/foreman/machine.ts";
import type { StepOutput } from "../../../../src/runtime/scheduler/foreman/machine-interface.ts";
import { createRandom, nextRandom } from "../../../../src/runtime/scheduler/foreman/random.ts";
import { createMemoryStore, type MemoryStore } from "../../../../src/runtime/store/memory.ts";
import { anOffer, aSpec } from "../../../support/specs.ts";
import { options, someValues } from "./builders.ts";
import {
  type Behaviour,
  connect,
  createModelWorker,
  disconnect,
  handBack,
  type ModelWorker,
  receive,
  restart,
  work,
} from "./model-worker.ts";

type Unstamped = ForemanEvent extends infer Event
  ? Event extends ForemanEvent
    ? Omit<Event, "atMs">
    : never
  : never;

export interface World {
  readonly seed: number;
  state: ForemanState;
  store: MemoryStore;
  nowMs: number;
  epoch: number;
  readonly workers: ModelWorker[];
  readonly behaviour: Behaviour;
  /** Starts by job and task. */
  readonly starts: Map<string, number>;
  /** Jobs that somebody retried, so that their tasks may run again. */
  readonly retried: Set<JobId>;
  readonly log: string[];
  /** What each step said, in short. */
  readonly outputs: string[];
  submissions: number;
}

export function createWorld(seed: number): World {
  const generator = createRandom(seed);
  const random = (): number => nextRandom(generator);
  const starts = new Map<string, number>();
  const world: World = {
    seed,
    state: createForemanState(options({ seed, firstAssignmentId: firstAssignmentOfEpoch(1) })),
    store: createMemoryStore(),
    nowMs: 1_000_000,
    epoch: 1,
    workers: [
      createModelWorker("w1", anOffer()),
      createModelWorker("w2", anOffer({ slots: 3, resources: { gpu: 2 } })),
      createModelWorker("w3", anOffer({ slots: 1, queues: ["other", "default"] })),
    ],
    behaviour: {
      random,
      onStart({ jobId, index }) {
        const name = `${jobId}/${index}`;
        starts.set(name, (starts.get(name) ?? 0) + 1);
        // One task in forty takes its worker down, every time.
        return (jobId * 31 + index * 17) % 40 === 5 ? "deadly" : "fine";
      },
    },
    starts,
    retried: new Set(),
    log: [],
    outputs: [],
    submissions: 0,
  };
  return world;
}

/** Steps, commits, and hands the effects to the workers. */
export async function post(world: World, event: Unstamped): Promise<StepOutput> {
  world.log.push(`${Math.round(world.nowMs - 1_000_000)} ${event.type}`);
  const output = step(world.state, { ...event, atMs: world.nowMs } as ForemanEvent);
  world.outputs.push(
    `${output.changes.map(({ type }) => type)} ${output.effects.map(({ type }) => type)}`,
  );
  await settle(world, output);
  return output;
}

async function settle(world: World, output: StepOutput): Promise<void> {
  checkInvariants(world.state);
  const outcome = await world.store.commit(output.changes);
  if (outcome !== "ok") throw new Error(`the store said ${outcome}`);
  for (const effect of output.effects) {
    if (!("bootId" in effect)) continue;
    const worker = world.workers.find(({ bootId }) => bootId === effect.bootId);
    if (!worker?.isConnected) continue;
    const isForThis = !("connectionSeq" in effect) || effect.connectionSeq === worker.connectionSeq;
    if (isForThis) worker.inbox.push(effect);
  }
}

export async function restartForeman(world: World): Promise<void> {
  world.log.push("— the foreman starts again");
  const before = world.state;
  world.store = world.store.reopen();
  world.epoch++;
  world.nowMs += 100;
  for (const worker of world.workers) disconnect(worker);
  world.state = createForemanState(
    options({ seed: world.seed, firstAssignmentId: firstAssignmentOfEpoch(world.epoch) }),
  );
  const output = recover(world.state, await world.store.load(), world.nowMs);
  compareStates(before, world.state);
  await settle(world, output);
}

/** What was in the memory is what was stored. */
function compareStates(before: ForemanState, after: ForemanState): void {
  for (const job of before.jobs.values()) {
    const again = after.jobs.get(job.jobId);
    // Its start time came while the foreman was away, and there was nothing to do.
    if (!again && after.ended.has(job.jobId)) continue;
    if (!again) throw new Error(`job ${job.jobId} is not there after the restart`);
    for (let index = 0; index < job.tasks.count; index++) {
      const name = `task ${job.jobId}/${index}`;
      if (job.tasks.seq[index] !== again.tasks.seq[index])
        throw new Error(`${name}: another settlement`);
      if (job.tasks.attempt[index] !== again.tasks.attempt[index]) {
        throw new Error(
          `${name}: attempt ${job.tasks.attempt[index]} became ${again.tasks.attempt[index]}`,
        );
      }
    }
  }
  if (before.assignments.size < after.assignments.size)
    throw new Error("assignments came out of nowhere");
}

/** Anything may happen. */
export async function tumble(world: World): Promise<void> {
  const { random } = world.behaviour;
  const dice = random();
  if (dice < 0.3) await deliver(world);
  else if (dice < 0.55) await passTime(world, Math.floor(random() * random() * 600));
  else if (dice < 0.8) await moveWorker(world);
  else if (dice < 0.995) await askForeman(world);
  else await restartForeman(world);
}

/** Faults stop; all that was begun must end. */
export async function comeToRest(world: World): Promise<void> {
  for (const worker of world.workers) {
    if (!worker.isConnected) connect(worker);
    worker.isAccepting = true;
    await drainQueues(world);
    await post(world, {
      type: "workerPaused",
      token: 0,
      workerId: asWorkerId(worker.workerId),
      paused: false,
      now: false,
    });
    await post(world, {
      type: "offerChanged",
      bootId: worker.bootId,
      offer: worker.offer,
      accepting: true,
      reason: null,
    });
  }
  for (const job of [...world.state.jobs.values()]) {
    const { jobId } = job;
    await post(world, { type: "jobPatched", token: 0, jobId, patch: { paused: false } });
    await post(world, { type: "inputsClosed", token: 0, jobId, count: job.tasks.count });
  }
  for (let round = 0; round < 3_000 && world.state.jobs.size > 0; round++) {
    for (const worker of world.workers) if (!worker.isConnected) connect(worker);
    await drainQueues(world);
    await passTime(world, 150);
  }
  await drainQueues(world);
}

async function drainQueues(world: World): Promise<void> {
  for (let i = 0; i < 1_000 && (await deliverFrom(world, 0)); i++);
}

async function deliver(world: World): Promise<void> {
  await deliverFrom(world, Math.floor(world.behaviour.random() * world.workers.length));
}

/** One message, of the first worker from this one on that has any; false: there was none. */
async function deliverFrom(world: World, first: number): Promise<boolean> {
  for (let i = 0; i < world.workers.length; i++) {
    const worker = world.workers[(first + i) % world.workers.length] as ModelWorker;
    const event = worker.outbox.shift();
    if (event) {
      await post(world, event);
      return true;
    }
    const effect = worker.inbox.shift();
    if (effect) {
      receive(worker, effect);
      return true;
    }
  }
  return false;
}

async function passTime(world: World, ms: number): Promise<void> {
  world.nowMs += ms;
  for (const worker of world.workers) {
    work(worker, world.nowMs, world.behaviour);
    if (!worker.isConnected) continue;
    worker.outbox.push({
      type: "heartbeatReceived",
      bootId: worker.bootId,
      connectionSeq: worker.connectionSeq,
      beat: ++worker.beat,
      freeSlots: 0,
      cpuPercent: 0,
      memoryPercent: 0,
    });
  }
  const wakeAtMs = nextWakeAtMs(world.state);
  if (wakeAtMs !== null && wakeAtMs <= world.nowMs) await post(world, { type: "clockAdvanced" });
}

async function moveWorker(world: World): Promise<void> {
  const { random } = world.behaviour;
  const worker = world.workers[Math.floor(random() * world.workers.length)] as ModelWorker;
  const dice = random();
  if (!worker.isConnected) {
    connect(worker);
    return;
  }
  if (dice < 0.6) work(worker, world.nowMs, world.behaviour);
  else if (dice < 0.75) await cut(world, worker);
  else if (dice < 0.8) {
    const { bootId, connectionSeq } = worker;
    restart(worker);
    if (random() < 0.5) await post(world, { type: "connectionLost", bootId, connectionSeq });
  } else if (dice < 0.85)
    handBack(worker, ["aborted", "no space left", "drain"][Math.floor(random() * 3)] as string);
  else if (dice < 0.9) {
    worker.isAccepting = !worker.isAccepting;
    worker.outbox.push({
      type: "offerChanged",
      bootId: worker.bootId,
      offer: worker.offer,
      accepting: worker.isAccepting,
      reason: "load",
    });
  } else if (dice < 0.93) {
    const { bootId } = worker;
    restart(worker);
    await post(world, { type: "sessionEnded", bootId, reason: "stopped" });
  } else {
    const paused = random() < 0.5;
    await post(world, {
      type: "workerPaused",
      token: 0,
      workerId: asWorkerId(worker.workerId),
      paused,
      now: random() < 0.3,
    });
  }
}

/** Part of what was under way still arrives. */
async function cut(world: World, worker: ModelWorker): Promise<void> {
  const { random } = world.behaviour;
  while (worker.outbox.length > 0 && random() < 0.5)
    await post(world, worker.outbox.shift() as Unstamped);
  const { bootId, connectionSeq } = worker;
  disconnect(worker);
  if (random() < 0.6) await post(world, { type: "connectionLost", bootId, connectionSeq });
}

async function askForeman(world: World): Promise<void> {
  const { random } = world.behaviour;
  const jobs = [...world.state.jobs.keys()];
  const dice = random();
  if (jobs.length < 4 && dice < 0.5) {
    await submitJob(world);
    return;
  }
  const jobId = jobs[Math.floor(random() * jobs.length)];
  if (jobId === undefined) await retryEnded(world);
  else if (dice < 0.6) await submitMore(world, jobId);
  else if (dice < 0.68) await cancel(world, jobId);
  else if (dice < 0.8) await patch(world, jobId);
  else if (dice < 0.9) await retryLive(world, jobId);
  else await retryEnded(world);
}

async function submitJob(world: World): Promise<void> {
  const { random } = world.behaviour;
  const count = Math.floor(random() * random() * 60);
  const ids = [...world.state.jobs.keys(), ...world.state.ended.keys()];
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const spec: Partial<JobSpec> = {
    priority: pick([0, 0, 0, 10, -10]),
    retries: pick([0, 0, 1, 3]),
    backoff_seconds: pick([0, 0.1, 1]),
    max_crashes: pick([1, 3, 3]),
    max_fails: pick([
      { kind: "none" },
      { kind: "default" },
      { kind: "count", count: 3 },
      { kind: "percent", percent: 30 },
    ] as const),
    max_running: pick([null, null, 1, 3]),
    delay_seconds: pick([0, 0, 0, 0.5]),
    timeout_seconds: pick([null, null, 1]),
    after: ids.length > 0 && random() < 0.2 ? [pick(ids)] : [],
    cpus: pick([1, 1, 1, 2, 3]),
    resources: random() < 0.15 ? { gpu: pick([0.5, 1, 2]) } : {},
    memory_bytes: random() < 0.1 ? pick([2 ** 30, 3 * 2 ** 30]) : null,
  };
  await post(world, {
    type: "jobSubmitted",
    token: 0,
    owner: "me",
    submissionId: `s${world.submissions++}`,
    resumable: random() < 0.3,
    spec: aSpec(spec),
    count,
    values: someValues(count),
    inputCrc32: 0,
    close: random() < 0.7,
  });
}

async function submitMore(world: World, jobId: JobId): Promise<void> {
  const { random } = world.behaviour;
  const held = world.state.jobs.get(jobId)?.tasks.count ?? 0;
  const dice = random();
  if (dice < 0.2) await post(world, { type: "submitterDetached", jobId });
  else if (dice < 0.4) await post(world, { type: "inputsClosed", token: 0, jobId, count: held });
  else {
    const count = 1 + Math.floor(random() * 20);
    const firstIndex = Math.max(0, held - Math.floor(random() * 10));
    await post(world, {
      type: "tasksSubmitted",
      token: 0,
      jobId,
      firstIndex,
      count,
      values: someValues(count),
      inputCrc32: 0,
    });
  }
}

async function cancel(world: World, jobId: JobId): Promise<void> {
  const { random } = world.behaviour;
  const indexes =
    random() < 0.6 ? Uint32Array.from({ length: 5 }, () => Math.floor(random() * 30)) : null;
  await post(world, {
    type: "cancelRequested",
    token: 0,
    jobId,
    indexes,
    code: "cancelled",
    reason: "no need",
  });
}

async function patch(world: World, jobId: JobId): Promise<void> {
  const { random } = world.behaviour;
  const patches = [
    { paused: random() < 0.5 },
    { priority: Math.floor(random() * 3) * 10 },
    { max_running: random() < 0.5 ? null : 2 },
    { timeout_seconds: random() < 0.5 ? null : 0.5 },
    { note: "seen" },
  ];
  const chosen = patches[Math.floor(random() * patches.length)] ?? {};
  await post(world, { type: "jobPatched", token: 0, jobId, patch: chosen });
}

async function retryLive(world: World, jobId: JobId): Promise<void> {
  world.retried.add(jobId);
  await retry(world, jobId, false);
}

async function retryEnded(world: World): Promise<void> {
  const { random } = world.behaviour;
  const ended = [...world.state.ended.keys()];
  const jobId = ended[Math.floor(random() * ended.length)];
  if (jobId === undefined) return;
  if (random() < 0.1) {
    await post(world, { type: "jobRemoved", token: 0, jobId });
    return;
  }
  world.retried.add(jobId);
  await retry(world, jobId, true);
}

async function retry(world: World, jobId: JobId, hasEnded: boolean): Promise<void> {
  const { random } = world.behaviour;
  await post(world, {
    type: "retryRequested",
    token: 0,
    jobId: asJobId(jobId),
    indexes:
      random() < 0.5 ? null : Uint32Array.from({ length: 6 }, () => Math.floor(random() * 30)),
    completedToo: random() < 0.2,
    patch: random() < 0.2 ? { note: "again" } : null,
    stored: hasEnded ? await world.store.readStoredJob(jobId) : null,
  });
}
