/**
 * Builders for tests of the agent machine: a state with a connected foreman, events with defaults for
 * what a test does not speak of, and effects in a form that is short to compare.
 */
import { type ValueColumn, ValueColumnBuilder } from "../../../../src/runtime/protocol/columns.ts";
import {
  asAssignmentId,
  asBootId,
  asJobId,
  asWorkerId,
} from "../../../../src/runtime/protocol/ids.ts";
import type { WorkerOffer } from "../../../../src/runtime/protocol/job-spec.ts";
import type {
  AgentEffect,
  AgentEvent,
  AgentJob,
  EventOf,
  ResultChunk,
} from "../../../../src/runtime/scheduler/agent/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/agent/invariants.ts";
import { nextWakeAtMs, step } from "../../../../src/runtime/scheduler/agent/machine.ts";
import {
  type AgentOptions,
  type AgentState,
  createAgentState,
} from "../../../../src/runtime/scheduler/agent/state.ts";

export const OFFER: WorkerOffer = {
  slots: 2,
  queues: ["*"],
  roles: [],
  labels: {},
  resources: {},
  memory_bytes: 8e9,
  time_left_ms: null,
  sandbox: "process",
  host: "host-a",
  platform: "linux-x64",
  version: "0.1.0",
  pid: 42,
};

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
  ? Omit<Union, Key>
  : never;
export type UntimedEvent = DistributiveOmit<AgentEvent, "atMs">;

export interface Agent {
  readonly state: AgentState;
  atMs: number;
  /** Steps at the agent's present time and checks the invariants. */
  on(event: UntimedEvent): AgentEffect[];
  /** Moves time on, waking the machine whenever it asked for it; all effects on the way. */
  pass(durationMs: number): AgentEffect[];
}

export function createAgent(
  options: Partial<AgentOptions> & { readonly slots?: number } = {},
): Agent {
  const { slots = 2, ...rest } = options;
  const state = createAgentState({
    workerId: asWorkerId("w1"),
    offer: { ...OFFER, slots },
    cpuPercentMax: 90,
    memoryPercentMax: 85,
    idleTimeoutMs: null,
    timeLimitAtMs: null,
    startedAtMs: 0,
    ...rest,
  });
  const agent: Agent = {
    state,
    atMs: 0,
    on(event) {
      const effects = step(state, { ...event, atMs: agent.atMs } as AgentEvent);
      checkInvariants(state);
      return effects;
    },
    pass(durationMs) {
      const effects: AgentEffect[] = [];
      const endMs = agent.atMs + durationMs;
      let wakeCount = 0;
      for (let wakeAtMs = nextWakeAtMs(state); wakeAtMs <= endMs; wakeAtMs = nextWakeAtMs(state)) {
        if (++wakeCount > 10_000) throw new Error("the machine wakes without end");
        agent.atMs = Math.max(agent.atMs, wakeAtMs);
        effects.push(...agent.on({ type: "clockAdvanced" }));
      }
      agent.atMs = endMs;
      return effects;
    },
  };
  return agent;
}

export const CONNECTED: Omit<EventOf<"connected">, "atMs"> = {
  type: "connected",
  foremanId: "foreman-a",
  heartbeatMs: 3_000,
  leaseMs: 15_000,
  freshBootId: asBootId("boot-0001"),
};

export function createConnectedAgent(options: Parameters<typeof createAgent>[0] = {}): Agent {
  const agent = createAgent(options);
  agent.on(CONNECTED);
  return agent;
}

export function job(fields: Partial<AgentJob> & { readonly id?: number } = {}): AgentJob {
  const { id = 1, ...rest } = fields;
  return {
    jobId: asJobId(id),
    specVersion: 1,
    kind: "function",
    slotsPerTask: 1,
    bundleSha256: null,
    ...rest,
  };
}

/** One byte a task: enough to see that the right rows travel. */
export function valuesOf(rows: readonly number[]): ValueColumn {
  const builder = new ValueColumnBuilder();
  for (const row of rows) builder.pushText(1, String(row));
  return builder.take();
}

interface AssignedFields {
  readonly assignment?: number;
  readonly job?: AgentJob;
  readonly priority?: number;
  readonly first?: number;
  readonly indexes?: readonly number[];
  readonly count?: number;
}

export function assigned(fields: AssignedFields = {}): Omit<EventOf<"tasksAssigned">, "atMs"> {
  const { first = 0, indexes, assignment = 1 } = fields;
  const count = indexes?.length ?? fields.count ?? 1;
  const listed = indexes ?? Array.from({ length: count }, (_, i) => first + i);
  return {
    type: "tasksAssigned",
    assignmentId: asAssignmentId(assignment),
    job: fields.job ?? job(),
    priority: fields.priority ?? 0,
    count,
    indexes: indexes ? Uint32Array.from(indexes) : { first },
    attempts: 1,
    timeoutMs: 0,
    values: valuesOf(listed),
  };
}

export function completed(
  batchId: number,
  first: number,
  count: number,
  runUs = 100,
): Omit<EventOf<"resultsDelivered">, "atMs"> {
  const rows = Array.from({ length: count }, (_, i) => first + i);
  const chunk: ResultChunk = {
    status: "completed",
    rows: { first },
    count,
    runUs,
    codes: null,
    permanent: 0,
    values: valuesOf(rows),
  };
  return { type: "resultsDelivered", batchId, chunks: [chunk] };
}

export function failed(
  batchId: number,
  row: number,
  code = "error",
): Omit<EventOf<"resultsDelivered">, "atMs"> {
  const chunk: ResultChunk = {
    status: "failed",
    rows: { first: row },
    count: 1,
    runUs: 100,
    codes: [code],
    permanent: 0,
    values: valuesOf([row]),
  };
  return { type: "resultsDelivered", batchId, chunks: [chunk] };
}

export const ended = (
  batchId: number,
  refusal: string | null = null,
): Omit<EventOf<"batchEnded">, "atMs"> => ({ type: "batchEnded", batchId, refusal });

/** Effects as one line each: what a test compares. */
export function lines(effects: readonly AgentEffect[]): string[] {
  return effects.map(line);
}

function line(effect: AgentEffect): string {
  switch (effect.type) {
    case "runBatch": {
      const { batchId, assignmentId, count, indexes, slots, behind } = effect.order;
      const first =
        indexes instanceof Uint32Array ? `[${[...indexes]}]` : `${indexes.first}+${count}`;
      const after = behind === null ? "" : ` behind ${behind}`;
      return `run ${batchId}: ${assignmentId}/${first} on ${slots}${after}`;
    }
    case "cancelRows":
      return `cancel ${effect.batchId}: ${[...effect.rows]} (${effect.reason})`;
    case "recallRows":
    case "killBatch":
    case "inspectBatch":
      return `${effect.type} ${effect.batchId}`;
    case "spoolResult":
      return `spool ${effect.spoolId}: ${messageLine(effect.message)}`;
    case "dropSpooled":
      return `unspool ${effect.spoolIds}`;
    case "setSpooledAside":
      return `aside ${effect.spoolIds}: ${effect.reason}`;
    case "fetchBundle":
      return `fetch ${effect.sha256}`;
    case "redial":
    case "stop":
      return `${effect.type}: ${effect.reason}`;
    case "sendMessage":
      return `send ${messageLine(effect.message)}`;
  }
}

function messageLine(message: Extract<AgentEffect, { type: "sendMessage" }>["message"]): string {
  switch (message.type) {
    case "worker_ready": {
      const held = message.inventory.map(({ assignment, index }) => `${assignment}/${[...index]}`);
      const { boot_id, connection_seq, acknowledged_seq } = message;
      return `ready ${boot_id}#${connection_seq} holds [${held.join(" ")}] acked ${acknowledged_seq}`;
    }
    case "task_result": {
      const index = message.index
        ? `[${[...message.index]}]`
        : `${message.first_index}+${message.count}`;
      return `#${message.seq} ${message.status} ${message.assignment}/${index}`;
    }
    case "tasks_returned": {
      const request = message.request === undefined ? "" : ` for ${message.request}`;
      return `#${message.seq} returned ${message.assignment}/[${[...message.index]}] ${message.reason}${request}`;
    }
    case "tasks_gone":
      return `#${message.seq} gone ${message.assignment}/[${[...message.index]}]`;
    case "task_started":
      return `#${message.seq} started ${message.assignment}/[${[...message.index]}]`;
    case "announce":
      return `announce ${message.accepting ? "accepting" : `not accepting: ${message.reason}`}`;
    case "heartbeat":
      return `beat ${message.beat} free ${message.free_slots}`;
    case "goodbye":
      return `goodbye ${message.reason}`;
  }
}
