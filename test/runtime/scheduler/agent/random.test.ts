/**
 * Thousands of random steps against a model foreman and model executors. A failure names its seed.
 * After each step the invariants hold; at the end each task has exactly one outcome.
 */
import { expect, test } from "bun:test";
import { asAssignmentId, asBootId } from "../../../../src/runtime/protocol/ids.ts";
import type { AgentEffect, BatchOrder } from "../../../../src/runtime/scheduler/agent/events.ts";
import {
  type Agent,
  assigned,
  CONNECTED,
  completed,
  createAgent,
  ended,
  failed,
  job,
} from "./agent-fixture.ts";

/** Mulberry32: small, and good enough to choose among a dozen acts. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface ModelBatch {
  readonly order: BatchOrder;
  nextRow: number;
  toRow: number;
  readonly cancelled: Set<number>;
  isKilled: boolean;
}

interface World {
  readonly agent: Agent;
  readonly random: (below: number) => number;
  readonly batches: Map<number, ModelBatch>;
  /** What was assigned and has no outcome yet: `assignment/index`. */
  readonly open: Set<string>;
  readonly outcomes: Map<string, string>;
  readonly cancelled: Set<string>;
  isConnected: boolean;
  seqSeen: number;
  nextAssignment: number;
  stopped: boolean;
}

function createWorld(seed: number): World {
  const random = createRandom(seed);
  return {
    agent: createAgent({ slots: 1 + random(4) }),
    random,
    batches: new Map(),
    open: new Set(),
    outcomes: new Map(),
    cancelled: new Set(),
    isConnected: false,
    seqSeen: 0,
    nextAssignment: 1,
    stopped: false,
  };
}

function perform(world: World, effects: readonly AgentEffect[]): void {
  for (const effect of effects) {
    if (effect.type === "sendMessage") hear(world, effect.message);
    else if (effect.type === "runBatch") {
      const { order } = effect;
      expect(world.batches.has(order.batchId)).toBe(false);
      const cancelled = new Set<number>();
      const model = { order, nextRow: 0, toRow: order.count, cancelled, isKilled: false };
      world.batches.set(order.batchId, model);
    } else if (effect.type === "cancelRows") {
      for (const row of effect.rows) world.batches.get(effect.batchId)?.cancelled.add(row);
    } else if (effect.type === "killBatch") {
      const batch = world.batches.get(effect.batchId);
      if (batch) batch.isKilled = true;
    } else if (effect.type === "redial") world.isConnected = false;
    else if (effect.type === "stop") world.stopped = true;
  }
}

function hear(
  world: World,
  message: Extract<AgentEffect, { type: "sendMessage" }>["message"],
): void {
  expect(world.isConnected).toBe(true);
  if (!("seq" in message)) return;
  expect(message.seq).toBeLessThanOrEqual(world.seqSeen + 1);
  if (message.seq <= world.seqSeen) return;
  world.seqSeen = message.seq;
  if (message.type === "task_started") return;
  const indexes =
    message.type === "task_result" && message.index === undefined
      ? Array.from({ length: message.count }, (_, i) => (message.first_index ?? 0) + i)
      : [...(message.index ?? [])];
  for (const index of indexes) {
    const key = `${message.assignment}/${index}`;
    if (message.type === "tasks_gone" && world.outcomes.has(key)) continue;
    expect(`${key} ${world.outcomes.get(key)}`).toBe(`${key} undefined`);
    world.outcomes.set(key, message.type);
    world.open.delete(key);
  }
}

const on = (world: World, event: Parameters<Agent["on"]>[0]): void =>
  perform(world, world.agent.on(event));

function connect(world: World): void {
  world.isConnected = true;
  on(world, { ...CONNECTED, freshBootId: asBootId("boot-random") });
}

function assign(world: World): void {
  const { random } = world;
  const assignment = world.nextAssignment++;
  const count = 1 + random(30);
  const first = random(1000);
  const indexes = random(2) === 0 ? { indexes: shuffled(world, first, count) } : { first, count };
  const id = 1 + random(4);
  const kind = id === 4 ? "command" : "function";
  const slotsPerTask = id === 3 ? 2 : 1;
  for (let i = 0; i < count; i++) world.open.add(`${assignment}/${first + i}`);
  const priority = random(3) === 0 ? 10 : 0;
  on(world, assigned({ assignment, ...indexes, priority, job: job({ id, kind, slotsPerTask }) }));
}

function shuffled(world: World, first: number, count: number): number[] {
  const list = Array.from({ length: count }, (_, i) => first + i);
  return list.sort(() => world.random(3) - 1);
}

/** Some open task, or null. */
function pick(world: World): { readonly assignment: number; readonly indexes: Uint32Array } | null {
  const keys = [...world.open];
  const key = keys[world.random(Math.max(1, keys.length))];
  if (key === undefined) return null;
  const [assignment, index] = key.split("/").map(Number) as [number, number];
  return { assignment, indexes: Uint32Array.of(index, index + 1, index + 2) };
}

/** Lets one batch at the front of its lane come on a little. */
function advanceBatch(world: World): void {
  const fronts = [...world.batches.values()].filter(
    ({ order }) => !world.batches.has(order.behind ?? 0),
  );
  const batch = fronts[world.random(Math.max(1, fronts.length))];
  if (!batch) return;
  const { batchId } = batch.order;
  if (batch.isKilled || batch.nextRow >= batch.toRow) {
    world.batches.delete(batchId);
    on(world, ended(batchId));
    return;
  }
  const row = batch.nextRow;
  if (batch.cancelled.has(row) && world.random(3) > 0) {
    batch.nextRow++;
    on(world, { type: "rowsGone", batchId, rows: Uint32Array.of(row) });
  } else if (world.random(20) === 0) {
    // The executor dies: the row it ran fails, the others never started.
    world.batches.delete(batchId);
    on(world, failed(batchId, row, "exited"));
    on(world, ended(batchId));
  } else {
    const count = 1 + world.random(batch.toRow - row);
    batch.nextRow += count;
    on(world, completed(batchId, row, count, world.random(2) === 0 ? 40 : 20_000));
  }
}

function act(world: World): void {
  const { agent, random } = world;
  switch (random(14)) {
    case 0:
    case 1:
      if (world.isConnected && world.open.size < 300) assign(world);
      return;
    case 2: {
      const picked = world.isConnected ? pick(world) : null;
      if (!picked) return;
      const assignmentId = asAssignmentId(picked.assignment);
      on(world, { type: "tasksRevoked", request: 1, assignmentId, indexes: picked.indexes });
      return;
    }
    case 3: {
      const picked = world.isConnected ? pick(world) : null;
      if (!picked) return;
      const assignmentId = asAssignmentId(picked.assignment);
      on(world, { type: "tasksCancelled", assignmentId, indexes: picked.indexes, reason: "x" });
      return;
    }
    case 4:
      if (!world.isConnected) {
        connect(world);
        return;
      }
      if (random(4) > 0) return;
      world.isConnected = false;
      on(world, { type: "disconnected" });
      return;
    case 5:
      if (world.isConnected)
        on(world, { type: "reportsAcknowledged", seq: random(world.seqSeen + 1) });
      return;
    case 6:
      perform(world, agent.pass(random(80)));
      return;
    case 7:
      if (world.isConnected) on(world, { type: "beatEchoed", beat: 1 });
      return;
    case 8: {
      const [batch] = [...world.batches.values()];
      if (!batch) return;
      const firstRow = batch.nextRow + random(3);
      batch.toRow = Math.min(batch.toRow, firstRow);
      on(world, { type: "rowsRecalled", batchId: batch.order.batchId, firstRow });
      return;
    }
    case 9:
      // Only while something runs: an idle worker would leave.
      if (!world.isConnected || agent.state.batches.size === 0) return;
      on(world, { type: "drainOrdered", undo: false });
      on(world, { type: "drainOrdered", undo: true });
      return;
    case 10:
      on(world, { type: "storageMeasured", trouble: random(2) === 0 ? "no room" : null });
      return;
    default:
      advanceBatch(world);
  }
}

/** Faults stop; everything must come to an end. */
function settle(world: World): void {
  if (!world.isConnected) connect(world);
  on(world, { type: "storageMeasured", trouble: null });
  const stopsByDrain = world.random(2) === 0;
  if (stopsByDrain) on(world, { type: "drainRequested", reason: "end" });
  for (let round = 0; round < 5_000 && world.open.size > 0; round++) {
    advanceBatch(world);
    perform(world, world.agent.pass(1));
    on(world, { type: "beatEchoed", beat: 1 });
  }
  on(world, { type: "reportsAcknowledged", seq: world.seqSeen });
  for (let round = 0; round < 50; round++) advanceBatch(world);
  on(world, { type: "reportsAcknowledged", seq: world.seqSeen });
  expect([...world.open]).toEqual([]);
  expect(world.agent.state.batches.size).toBe(0);
  expect(world.agent.state.unacknowledged).toEqual([]);
  expect(world.agent.state.assignments.size).toBe(0);
  expect(world.stopped).toBe(stopsByDrain);
}

test("random lives keep the invariants and give each task exactly one outcome", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const world = createWorld(seed);
    connect(world);
    try {
      for (let turn = 0; turn < 250; turn++) act(world);
      settle(world);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
}, 30_000);
