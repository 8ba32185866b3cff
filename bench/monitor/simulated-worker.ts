/**
 * A worker's session without a machine behind it: it takes tasks over a real WebSocket, keeps its heart
 * beating, and settles tasks when it is told to, as if each had run for a millisecond. It starts nothing.
 */
import { systemClock } from "../../src/runtime/platform/clock.ts";
import { uuid } from "../../src/runtime/platform/random.ts";
import { u32At } from "../../src/runtime/protocol/columns.ts";
import { encodeCommandOutcome } from "../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../src/runtime/protocol/failure.ts";
import type { WorkerOffer } from "../../src/runtime/protocol/job-spec.ts";
import type { Message, MessageOf } from "../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../src/runtime/transport/channel.ts";
import { dial } from "../../src/runtime/transport/client.ts";
import type { Key } from "../../src/runtime/transport/keys.ts";

export interface SimulatedWorker {
  /** Tasks that it holds. */
  readonly held: number;
  /** Settles up to so many of them; returns how many. */
  settle(countMax: number): number;
  close(): void;
}

export interface SimulatedWorkerOptions {
  readonly url: string;
  readonly key: Key;
  readonly workerId: string;
  readonly slots: number;
  /** One in so many tasks fails; 0: none does. */
  readonly failEvery: number;
}

interface Assigned {
  readonly assignment: number;
  readonly jobId: number;
  /** What is left of it, the next one last. */
  readonly rows: { readonly index: number; readonly attempt: number }[];
}

const RUN_US = 1_000;
const SUCCESS = encodeCommandOutcome({
  exitCode: 0,
  signal: null,
  stdout: new Uint8Array(0),
  stderr: new Uint8Array(0),
  stderrDroppedBytes: 0,
});
const FAILURE = encodeFailure({ code: "exit_status", message: "exit 1: disk full" });

export async function openSimulatedWorker(
  options: SimulatedWorkerOptions,
): Promise<SimulatedWorker> {
  const assigned = new Map<number, Assigned>();
  let held = 0;
  let seq = 0;
  let settledCount = 0;
  const channel = await dial({
    url: options.url,
    key: options.key,
    role: "worker",
    clock: systemClock,
    handler: { onMessage, onClose: () => clearInterval(heart) },
  });
  channel.send(ready(options));
  const heart = beat(channel, options.slots);

  function onMessage(message: Message): void {
    if (message.type === "assign_task") take(message);
    else if (message.type === "revoke_task") giveBack(message);
    else if (message.type === "cancel_task") {
      const { assignment } = message;
      channel.send({ type: "tasks_gone", seq: ++seq, assignment, index: drop(message) });
    }
  }

  function take(message: MessageOf<"assign_task">): void {
    const { assignment, job_id: jobId, count, attempt } = message;
    const rows = Array.from({ length: count }, (_, row) => ({
      index: message.index?.[row] ?? (message.first_index ?? 0) + row,
      attempt: u32At(attempt, row),
    }));
    assigned.set(assignment, { assignment, jobId, rows: rows.reverse() });
    held += count;
  }

  function giveBack(message: MessageOf<"revoke_task">): void {
    const { assignment, request } = message;
    const returned = { type: "tasks_returned", seq: ++seq, request, assignment } as const;
    channel.send({ ...returned, index: drop(message), reason: "revoked" });
  }

  /** Takes these tasks out; returns those that were still there. */
  function drop(which: {
    readonly assignment: number;
    readonly index: Uint32Array;
  }): Uint32Array<ArrayBuffer> {
    const entry = assigned.get(which.assignment);
    if (entry === undefined) return new Uint32Array(0);
    const wanted = new Set(which.index);
    const dropped = entry.rows.filter(({ index }) => wanted.has(index));
    const kept = entry.rows.filter(({ index }) => !wanted.has(index));
    entry.rows.splice(0, entry.rows.length, ...kept);
    if (kept.length === 0) assigned.delete(which.assignment);
    held -= dropped.length;
    return Uint32Array.from(dropped, ({ index }) => index);
  }

  function report(entry: Assigned, count: number): void {
    const rows = entry.rows.splice(-count, count).reverse();
    if (entry.rows.length === 0) assigned.delete(entry.assignment);
    held -= rows.length;
    const failing = rows.filter(
      (_, row) => options.failEvery > 0 && (settledCount + row) % options.failEvery === 1,
    );
    settledCount += rows.length;
    const passing = failing.length === 0 ? rows : rows.filter((row) => !failing.includes(row));
    if (passing.length > 0) channel.send(result(entry, passing, ++seq, "completed"));
    if (failing.length > 0) channel.send(result(entry, failing, ++seq, "failed"));
  }

  return {
    get held() {
      return held;
    },
    settle(countMax) {
      let left = countMax;
      for (const entry of assigned.values()) {
        if (left <= 0) break;
        const count = Math.min(left, entry.rows.length);
        report(entry, count);
        left -= count;
      }
      return countMax - left;
    },
    close: () => channel.close(1000, "the measurement is over"),
  };
}

function result(
  { assignment, jobId }: Assigned,
  rows: Assigned["rows"],
  seq: number,
  status: "completed" | "failed",
): MessageOf<"task_result"> {
  const value = status === "completed" ? SUCCESS : FAILURE;
  const data = new Uint8Array(value.byteLength * rows.length);
  for (let row = 0; row < rows.length; row++) data.set(value, row * value.byteLength);
  return {
    type: "task_result",
    seq,
    assignment,
    job_id: jobId,
    status,
    index: Uint32Array.from(rows, ({ index }) => index),
    count: rows.length,
    attempt: Uint32Array.from(rows, ({ attempt }) => attempt),
    run_us: RUN_US,
    ended_ago_us: 0,
    ...(status === "failed" ? { code: rows.map(() => "exit_status") } : {}),
    value: { lengths: value.byteLength, data },
  };
}

function ready({ workerId, slots }: SimulatedWorkerOptions): MessageOf<"worker_ready"> {
  const offer: WorkerOffer = {
    slots,
    queues: ["*"],
    roles: [],
    labels: {},
    resources: {},
    memory_bytes: 8e9,
    time_left_ms: null,
    sandbox: "process",
    host: `${workerId}.example`,
    platform: "linux",
    version: "0.1.0",
    pid: 1,
  };
  return {
    type: "worker_ready",
    worker_id: workerId,
    boot_id: uuid(),
    connection_seq: 1,
    offer,
    inventory: [],
    acknowledged_seq: 0,
  };
}

function beat(channel: Channel, freeSlots: number): ReturnType<typeof setInterval> {
  let count = 0;
  return setInterval(() => {
    count += 1;
    const vitals = { running: [], cpu: 20 + (count % 60), memory: 40, free_slots: freeSlots };
    channel.send({ type: "heartbeat", connection_seq: 1, beat: count, ...vitals });
  }, channel.welcome?.heartbeatMs ?? 3_000);
}
