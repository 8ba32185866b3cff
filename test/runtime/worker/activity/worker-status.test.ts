/** The figures that a worker shows of itself: what it holds, what came of it, and how it stands with its foreman. */
import { expect, test } from "bun:test";
import { asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import type { WorkerOffer } from "../../../../src/runtime/protocol/job-spec.ts";
import { createAgentState } from "../../../../src/runtime/scheduler/agent/state.ts";
import { createWorkerStatusBook } from "../../../../src/runtime/worker/activity/worker-status.ts";
import type { WorkerEvent } from "../../../../src/runtime/worker/agent-loop.ts";

function stage() {
  const state = createAgentState({
    workerId: asWorkerId("box"),
    // Of an offer only the slots are looked at.
    offer: { slots: 4 } as WorkerOffer,
    cpuPercentMax: 90,
    memoryPercentMax: 85,
    idleTimeoutMs: null,
    timeLimitAtMs: null,
    startedAtMs: 0,
  });
  const book = createWorkerStatusBook({ state, look: () => null, nameOf: () => null });
  return { state, book };
}

const chunk = (status: "completed" | "failed", count: number) => ({ status, count });

test("a fresh worker is idle and has not reached anybody", () => {
  expect(stage().book.read(6)).toEqual({
    connection: "connecting",
    mode: "working",
    trouble: null,
    slots: { busy: 0, total: 4 },
    waiting: 0,
    done: 0,
    failed: 0,
    cpuPercent: 0,
    memoryPercent: 0,
    tasks: [],
    moreTasks: 0,
  });
});

test("it counts what completed and what failed", () => {
  const { book } = stage();
  const chunks = [chunk("completed", 3), chunk("failed", 2), chunk("completed", 1)];
  book.onEvent({ type: "resultsDelivered", batchId: 1, chunks } as unknown as WorkerEvent);
  expect(book.read(6)).toMatchObject({ done: 4, failed: 2 });
});

test("a connection that was there and is gone is told apart from one that never was", () => {
  const { state, book } = stage();
  book.onEvent({ type: "connected" } as WorkerEvent);
  state.connection = { kind: "up", beat: 0, beatAtMs: 0, nextBeatAtMs: 0 };
  expect(book.read(6).connection).toBe("connected");
  state.connection = { kind: "down" };
  expect(book.read(6).connection).toBe("reconnecting");
});

test("a full disk goes before a busy machine as the reason why it takes nothing", () => {
  const { state, book } = stage();
  state.overload = "the CPU is busy";
  expect(book.read(6).trouble).toBe("the CPU is busy");
  state.storageTrouble = "no space left";
  expect(book.read(6).trouble).toBe("no space left");
});
