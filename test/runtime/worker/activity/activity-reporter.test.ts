/** What a worker tells of its slots: the past when it is first asked, each second from then on, then silence. */
import { describe, expect, test } from "bun:test";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import type { JobId } from "../../../../src/runtime/protocol/ids.ts";
import type { Message, MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import type { AgentEffect } from "../../../../src/runtime/scheduler/agent/events.ts";
import type { AgentState } from "../../../../src/runtime/scheduler/agent/state.ts";
import { createActivityReporter } from "../../../../src/runtime/worker/activity/activity-reporter.ts";
import {
  parseUsage,
  type SessionUsage,
} from "../../../../src/runtime/worker/activity/session-usage.ts";
import { createSlotHistory } from "../../../../src/runtime/worker/activity/slot-history.ts";
import type { WorkerEvent } from "../../../../src/runtime/worker/agent-loop.ts";
import type { RunningTask } from "../../../../src/runtime/worker/batch-runner.ts";

/** A worker of two slots whose lanes and processes are what the test says. */
function createRig() {
  const clock = createManualClock();
  const lanes = new Set<unknown>();
  const batches = new Map<number, unknown>();
  const running = new Map<number, RunningTask>();
  const usage = new Map<number, SessionUsage>();
  const sent: MessageOf<"activity">[] = [];
  const asked: number[][] = [];
  const reporter = createActivityReporter({
    // Only what the reporter looks at.
    state: { options: { offer: { slots: 2 } }, lanes, batches } as unknown as AgentState,
    clock,
    send: (message: Message) => void sent.push(message as MessageOf<"activity">),
    look: (batchId) => running.get(batchId) ?? null,
    readUsage(leaders) {
      asked.push([...leaders]);
      return new Map([...usage].filter(([pid]) => leaders.has(pid)));
    },
  });
  return {
    clock,
    sent,
    asked,
    usage,
    reporter,
    /** A batch of this job runs on this slot, at its second row. */
    begin(batchId: number, slot: number, jobId: number, leaderPid: number): () => void {
      const lane = { slots: [slot], batches: [] as unknown[] };
      const assignment = { job: { jobId: jobId as JobId }, indexes: { first: 10 }, attempts: 1 };
      const batch = { batchId, lane, assignment, fromRow: 5, fate: "running" };
      lane.batches.push(batch);
      lanes.add(lane);
      batches.set(batchId, batch);
      running.set(batchId, { row: 1, runningUs: 2_500_000, leaderPid });
      return () => {
        lanes.delete(lane);
        batches.delete(batchId);
        running.delete(batchId);
      };
    },
    runs(slot: number, jobId: number): void {
      const order = { slots: [slot], jobId };
      reporter.onEffect({ type: "runBatch", order } as unknown as AgentEffect);
    },
    fails(batchId: number): void {
      const chunks = [{ status: "failed" }];
      reporter.onEvent({ type: "resultsDelivered", batchId, chunks } as unknown as WorkerEvent);
    },
  };
}

/** Lanes as texts: a digit is a job's number, `!` a failure. */
function lanesOf({ slots, seconds, lanes, jobs }: MessageOf<"activity">): string[] {
  return Array.from({ length: slots }, (_, slot) =>
    [...lanes.subarray(slot * seconds, (slot + 1) * seconds)]
      .map((byte) => (byte === 0 ? "." : byte === 1 ? "!" : String(jobs[byte - 2])))
      .join(""),
  );
}

describe("a worker that is looked at", () => {
  test("tells what its slots did before, and then each second what they did in it", () => {
    const rig = createRig();
    const end = rig.begin(1, 1, 7, 100);
    rig.clock.advance(2_000);
    rig.runs(2, 8);
    rig.clock.advance(1_000);
    expect(rig.sent).toEqual([]);
    rig.reporter.observe(10);
    expect(rig.sent.map(lanesOf)).toEqual([["777", "..8"]]);
    end();
    rig.clock.advance(2_000);
    expect(rig.sent.slice(1).map(lanesOf)).toEqual([
      [".", "."],
      [".", "."],
    ]);
    rig.reporter.stop();
  });

  test("marks a second in which something failed, whatever else ran in it", () => {
    const rig = createRig();
    rig.begin(1, 1, 7, 100);
    rig.fails(1);
    rig.clock.advance(1_000);
    rig.clock.advance(1_000);
    rig.reporter.observe(10);
    expect(lanesOf(rig.sent[0] as MessageOf<"activity">)).toEqual(["!7", ".."]);
    rig.reporter.stop();
  });

  test("says what runs now, with the share of a core once it can", () => {
    const rig = createRig();
    rig.begin(1, 2, 7, 100);
    rig.begin(2, 1, 8, 0);
    rig.usage.set(100, { cpuMs: 1_000, residentBytes: 4_096 });
    rig.reporter.observe(10);
    const place = { slot: 2, job_id: 7, index: 16, attempt: 1, running_ms: 2_500 };
    const unknown = { cpu_percent: null, memory_bytes: null };
    expect(rig.sent[0]?.tasks).toEqual([
      { ...place, cpu_percent: null, memory_bytes: 4_096 },
      { ...place, slot: 1, job_id: 8, ...unknown },
    ]);
    expect(rig.asked).toEqual([[100]]);
    rig.usage.set(100, { cpuMs: 1_990, residentBytes: 8_192 });
    rig.clock.advance(1_000);
    expect(rig.sent[1]?.tasks[0]).toEqual({ ...place, cpu_percent: 99, memory_bytes: 8_192 });
    rig.reporter.stop();
  });

  test("goes quiet when nobody asks again, and when the connection is gone", () => {
    const rig = createRig();
    rig.reporter.observe(3);
    rig.clock.advance(20_000);
    expect(rig.sent).toHaveLength(4);
    expect(rig.asked).toHaveLength(4);
    rig.reporter.observe(60);
    rig.reporter.onDisconnected();
    rig.clock.advance(5_000);
    expect(rig.sent).toHaveLength(5);
    rig.reporter.observe(60);
    expect(rig.sent[5]?.seconds).toBe(25);
    rig.reporter.stop();
  });
});

test("two minutes are remembered, and no more jobs told apart than a byte can name", () => {
  const history = createSlotHistory(1);
  for (let second = 1; second <= 400; second++) {
    history.used([1], second);
    history.endSecond();
  }
  const all = history.last(1_000);
  expect(all.seconds).toBe(120);
  expect(all.jobs).toEqual(Array.from({ length: 120 }, (_, at) => 281 + at));
  const wide = createSlotHistory(300);
  for (let slot = 1; slot <= 300; slot++) wide.used([slot], slot);
  wide.endSecond();
  const { jobs, lanes } = wide.last(1);
  expect(jobs).toHaveLength(253);
  expect([...lanes.subarray(252, 255)]).toEqual([254, 255, 255]);
});

test("the time and memory of a process are read whatever it calls itself", () => {
  const fields = ["S", 1, 40, 41, 0, -1, 0, 0, 0, 0, 0, 150, 50, 20, 30, 20, 0, 1, 0, 9, 99, 25];
  expect(parseUsage(`77 (a) b ) (c) ${fields.join(" ")} 5 6`)).toEqual({
    sessionId: 41,
    cpuMs: 2_500,
    residentBytes: 25 * 4_096,
  });
  expect(parseUsage("gone")).toBeNull();
});
