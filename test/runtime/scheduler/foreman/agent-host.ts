/**
 * The real agent's machine with a pretended executor around it, for tests of both machines together:
 * batches run row by row in virtual time, and messages become the foreman's events as its shell does.
 */
import {
  asAssignmentId,
  asBootId,
  asJobId,
  asWorkerId,
} from "../../../../src/runtime/protocol/ids.ts";
import type {
  AgentEffect,
  AgentEvent,
  AgentMessage,
  BatchOrder,
} from "../../../../src/runtime/scheduler/agent/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/agent/invariants.ts";
import { nextWakeAtMs, step } from "../../../../src/runtime/scheduler/agent/machine.ts";
import {
  type AgentState,
  createAgentState,
} from "../../../../src/runtime/scheduler/agent/state.ts";
import type {
  ForemanEffect,
  ForemanEvent,
} from "../../../../src/runtime/scheduler/foreman/events.ts";
import { anOffer } from "../../../support/specs.ts";
import { failureValues, someValues } from "./builders.ts";

type Untimed<Event> = Event extends { readonly atMs: number } ? Omit<Event, "atMs"> : never;
export type ForemanNews = Untimed<ForemanEvent>;

interface RunningBatch {
  readonly order: BatchOrder;
  readonly cancelled: Set<number>;
  nextRow: number;
  endRow: number;
  rowStartedAtMs: number;
  rowEndsAtMs: number;
}

export interface AgentHost {
  readonly workerId: string;
  readonly state: AgentState;
  readonly batches: Map<number, RunningBatch>;
  /** Not stepped yet; the first one's effects are being performed. */
  readonly events: AgentEvent[];
  outbox: AgentMessage[];
  inbox: ForemanEffect[];
  isConnected: boolean;
  boots: number;
  taskMs(): number;
  random(): number;
  onStart(jobId: number, index: number): void;
}

export function createHost(
  workerId: string,
  slots: number,
  hooks: Pick<AgentHost, "taskMs" | "random" | "onStart">,
): AgentHost {
  const state = createAgentState({
    workerId: asWorkerId(workerId),
    offer: anOffer({ slots }),
    cpuPercentMax: 90,
    memoryPercentMax: 85,
    idleTimeoutMs: null,
    timeLimitAtMs: null,
    startedAtMs: 0,
  });
  return {
    ...hooks,
    workerId,
    state,
    batches: new Map(),
    events: [],
    outbox: [],
    inbox: [],
    isConnected: false,
    boots: 0,
  };
}

/** As the worker's loop: what an effect causes is stepped after all effects of its own step. */
export function tell(host: AgentHost, event: Untimed<AgentEvent>, atMs: number): void {
  host.events.push({ ...event, atMs } as AgentEvent);
  if (host.events.length > 1) return;
  for (let next = host.events[0]; next; next = host.events[0]) {
    const effects = step(host.state, next);
    checkInvariants(host.state);
    for (const effect of effects) perform(host, effect, next.atMs);
    host.events.shift();
  }
}

export function dial(host: AgentHost, atMs: number): void {
  host.isConnected = true;
  host.outbox = [];
  host.inbox = [];
  const freshBootId = asBootId(`${host.workerId}-boot${++host.boots}`);
  tell(
    host,
    { type: "connected", foremanId: "f", heartbeatMs: 3_000, leaseMs: 15_000, freshBootId },
    atMs,
  );
}

export function hangUp(host: AgentHost, atMs: number): void {
  host.isConnected = false;
  host.outbox = [];
  host.inbox = [];
  tell(host, { type: "disconnected" }, atMs);
}

/** Executors go on, and timers that are due fire. */
export function runHost(host: AgentHost, atMs: number): void {
  for (let i = 0; i < 10_000; i++) {
    const batch = [...host.batches.values()].find(
      (one) => isFront(host, one) && (one.nextRow >= one.endRow || one.rowEndsAtMs <= atMs),
    );
    if (!batch) break;
    advance(host, batch, atMs);
  }
  if (nextWakeAtMs(host.state) <= atMs) tell(host, { type: "clockAdvanced" }, atMs);
}

/** Takes the foreman's word. */
export function hear(host: AgentHost, effect: ForemanEffect, atMs: number): void {
  switch (effect.type) {
    case "assignTasks": {
      const { jobId, assignmentId, count, indexes, attempts } = effect;
      const job = {
        jobId,
        specVersion: 1,
        kind: "function",
        slotsPerTask: 1,
        bundleSha256: "b",
      } as const;
      const values = someValues(count);
      const task = {
        assignmentId,
        job,
        priority: 0,
        count,
        indexes,
        attempts,
        timeoutMs: 0,
        values,
      };
      tell(host, { type: "tasksAssigned", ...task }, atMs);
      break;
    }
    case "acknowledgeReports":
      tell(host, { type: "reportsAcknowledged", seq: effect.seq }, atMs);
      break;
    case "revokeTasks": {
      const { revocation: request, assignmentId, indexes } = effect;
      tell(host, { type: "tasksRevoked", request, assignmentId, indexes }, atMs);
      break;
    }
    case "cancelTasks": {
      const { assignmentId, indexes, reason } = effect;
      tell(host, { type: "tasksCancelled", assignmentId, indexes, reason }, atMs);
      break;
    }
    case "endSession":
      tell(host, { type: "sessionEnded" }, atMs);
      hangUp(host, atMs);
      break;
    default:
      break;
  }
}

/** What the foreman's shell makes of a worker's message. */
export function toNews(host: AgentHost, message: AgentMessage): ForemanNews {
  const bootId = asBootId(host.state.bootId ?? "none");
  switch (message.type) {
    case "worker_ready":
      return {
        type: "sessionReady",
        workerId: asWorkerId(message.worker_id),
        bootId: asBootId(message.boot_id),
        connectionSeq: message.connection_seq,
        offer: message.offer,
        inventory: message.inventory.map(({ assignment, index }) => ({
          assignmentId: asAssignmentId(assignment),
          indexes: index,
        })),
      };
    case "announce": {
      const { offer, accepting, reason } = message;
      return { type: "offerChanged", bootId, offer, accepting, reason };
    }
    case "heartbeat":
      return {
        type: "heartbeatReceived",
        bootId,
        connectionSeq: message.connection_seq,
        beat: message.beat,
        freeSlots: message.free_slots,
        cpuPercent: message.cpu,
        memoryPercent: message.memory,
      };
    case "goodbye":
      return { type: "sessionEnded", bootId, reason: message.reason };
    case "task_result":
      return {
        type: "attemptsReported",
        bootId,
        seq: message.seq,
        assignmentId: asAssignmentId(message.assignment),
        jobId: asJobId(message.job_id),
        status: message.status,
        count: message.count,
        indexes: message.index ?? { first: message.first_index ?? 0 },
        attempts: message.attempt,
        runUs: message.run_us,
        codes: message.code ?? null,
        permanent: message.permanent ?? 0,
        values: message.value,
      };
    default: {
      const assignmentId = asAssignmentId(message.assignment);
      const common = { bootId, seq: message.seq, assignmentId, indexes: message.index };
      if (message.type === "task_started") {
        return { type: "tasksStarted", ...common, runningUs: message.running_us };
      }
      if (message.type === "tasks_gone") return { type: "tasksGone", ...common };
      const revocation = message.request ?? null;
      return { type: "tasksReturned", ...common, revocation, reason: message.reason };
    }
  }
}

function perform(host: AgentHost, effect: AgentEffect, atMs: number): void {
  switch (effect.type) {
    case "sendMessage":
      if (host.isConnected) host.outbox.push(effect.message);
      break;
    case "fetchBundle":
      if (host.random() < 0.9) tell(host, { type: "bundleReady", sha256: effect.sha256 }, atMs);
      else tell(host, { type: "bundleFailed", sha256: effect.sha256, reason: "cut off" }, atMs);
      break;
    case "runBatch":
      openBatch(host, effect.order, atMs);
      break;
    case "recallRows": {
      const batch = host.batches.get(effect.batchId);
      if (!batch || host.random() < 0.2) break;
      batch.endRow = Math.max(batch.nextRow, isFront(host, batch) ? batch.nextRow + 1 : 0);
      tell(host, { type: "rowsRecalled", batchId: effect.batchId, firstRow: batch.endRow }, atMs);
      break;
    }
    case "cancelRows":
      cancelRows(host, effect.batchId, effect.rows, atMs);
      break;
    case "killBatch":
      host.batches.delete(effect.batchId);
      tell(host, { type: "batchEnded", batchId: effect.batchId, refusal: null }, atMs);
      break;
    case "inspectBatch": {
      const batch = host.batches.get(effect.batchId);
      if (!batch || !isFront(host, batch)) break;
      const runningUs = Math.round((atMs - batch.rowStartedAtMs) * 1_000);
      tell(
        host,
        { type: "batchInspected", batchId: effect.batchId, runningRow: batch.nextRow, runningUs },
        atMs,
      );
      break;
    }
    case "redial":
      host.isConnected = false;
      break;
    default:
      break;
  }
}

function openBatch(host: AgentHost, order: BatchOrder, atMs: number): void {
  const batch: RunningBatch = {
    order,
    cancelled: new Set(),
    nextRow: 0,
    endRow: order.count,
    rowStartedAtMs: atMs,
    rowEndsAtMs: atMs,
  };
  host.batches.set(order.batchId, batch);
  if (isFront(host, batch)) startRow(host, batch, atMs);
}

const isFront = (host: AgentHost, { order }: RunningBatch): boolean =>
  order.behind === null || !host.batches.has(order.behind);

function startRow(host: AgentHost, batch: RunningBatch, atMs: number): void {
  while (batch.cancelled.has(batch.nextRow)) batch.nextRow++;
  if (batch.nextRow >= batch.endRow) return;
  const { indexes, jobId } = batch.order;
  const index =
    indexes instanceof Uint32Array ? indexes[batch.nextRow] : indexes.first + batch.nextRow;
  host.onStart(jobId, index as number);
  batch.rowStartedAtMs = atMs;
  batch.rowEndsAtMs = atMs + host.taskMs();
}

/** One row further; at the end the batch is over and the one behind it begins. */
function advance(host: AgentHost, batch: RunningBatch, atMs: number): void {
  const { batchId } = batch.order;
  if (batch.nextRow < batch.endRow) {
    const row = batch.nextRow++;
    const hasFailed = host.random() < 0.1;
    const chunk = {
      status: hasFailed ? "failed" : "completed",
      rows: { first: row },
      count: 1,
      runUs: Math.round((atMs - batch.rowStartedAtMs) * 1_000),
      codes: hasFailed ? ["error"] : null,
      permanent: 0,
      values: hasFailed ? failureValues("error", 1) : someValues(1),
    } as const;
    tell(host, { type: "resultsDelivered", batchId, chunks: [chunk] }, atMs);
    startRow(host, batch, atMs);
    return;
  }
  host.batches.delete(batchId);
  tell(host, { type: "batchEnded", batchId, refusal: null }, atMs);
  for (const next of host.batches.values()) {
    if (next.order.behind === batchId) startRow(host, next, atMs);
  }
}

function cancelRows(host: AgentHost, batchId: number, rows: Uint32Array, atMs: number): void {
  const batch = host.batches.get(batchId);
  if (!batch) return;
  const gone = rows.filter((row) => row >= batch.nextRow && row < batch.endRow);
  for (const row of gone) batch.cancelled.add(row);
  const isRunning = isFront(host, batch) && batch.cancelled.has(batch.nextRow);
  tell(host, { type: "rowsGone", batchId, rows: gone }, atMs);
  if (isRunning) startRow(host, batch, atMs);
}
