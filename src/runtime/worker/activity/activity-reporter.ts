/**
 * Tells a foreman that asks what this worker's slots do: the lanes of the last two minutes, then each
 * second the new one and what runs now. It decides nothing, costs next to nothing while nobody looks,
 * and goes quiet by itself.
 *
 * States: quiet -> observed (asked) -> quiet (not asked again in time, or the connection is gone).
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { indexAt, u32At } from "../../protocol/columns.ts";
import type { Message, MessageOf } from "../../protocol/messages.ts";
import type { AgentEffect } from "../../scheduler/agent/events.ts";
import type { AgentState, Batch } from "../../scheduler/agent/state.ts";
import type { WorkerEvent } from "../agent-loop.ts";
import type { RunningTask } from "../batch-runner.ts";
import { readSessionUsage, type SessionUsage } from "./session-usage.ts";
import { createSlotHistory } from "./slot-history.ts";

export interface ActivityParts {
  /** Only looked at. */
  readonly state: AgentState;
  readonly clock: Clock;
  send(message: Message): void;
  /** What runs of a batch; null when nothing does. */
  look(batchId: number): RunningTask | null;
  readonly readUsage?: typeof readSessionUsage;
}

export interface ActivityReporter {
  /** What the machine orders, before it is done. */
  onEffect(effect: AgentEffect): void;
  /** What has happened, before the machine hears of it. */
  onEvent(event: WorkerEvent): void;
  /** The foreman wants to know for so long. */
  observe(seconds: number): void;
  onDisconnected(): void;
  stop(): void;
}

type Activity = MessageOf<"activity">;

const SECOND_MS = 1_000;

export function createActivityReporter(parts: ActivityParts): ActivityReporter {
  const { state, clock, readUsage = readSessionUsage } = parts;
  const slotCount = state.options.offer.slots;
  const history = createSlotHistory(slotCount);
  let observedUntilMs = Number.NEGATIVE_INFINITY;
  /** Seconds told of so far; null: nobody looks. */
  let toldCount: number | null = null;
  let usageBefore: UsageSample = { atMs: 0, byLeader: new Map() };
  let timer: Timer = nextSecond();

  function nextSecond(): Timer {
    const delayMs = SECOND_MS - (clock.monotonicMs() % SECOND_MS);
    return clock.setTimer(delayMs, onSecond, { holdsProcess: false });
  }

  function onSecond(): void {
    timer = nextSecond();
    for (const { slots, batches } of state.lanes) {
      const [front] = batches;
      if (front) history.used(slots, front.assignment.job.jobId);
    }
    history.endSecond();
    if (toldCount === null) return;
    if (clock.monotonicMs() > observedUntilMs) toldCount = null;
    else tell(toldCount);
  }

  function tell(told: number): void {
    toldCount = history.secondCount;
    const lanes = history.last(history.secondCount - told);
    parts.send({ type: "activity", slots: slotCount, ...lanes, tasks: runningTasks() });
  }

  function runningTasks(): Activity["tasks"] {
    const running: { readonly batch: Batch; readonly task: RunningTask }[] = [];
    // A look may bring results in, with which lanes end.
    for (const { batches } of [...state.lanes]) {
      const [batch] = batches;
      const task = batch && batch.fate !== "orphaned" ? parts.look(batch.batchId) : null;
      if (batch && task !== null) running.push({ batch, task });
    }
    // What could not be started has no process.
    const leaders = new Set(running.map(({ task }) => task.leaderPid).filter((pid) => pid > 0));
    const usage: UsageSample = { atMs: clock.monotonicMs(), byLeader: readUsage(leaders) };
    const tasks = running.map(({ batch, task }) => ({
      ...placeOf(batch, task),
      ...usageOf(task.leaderPid, usage, usageBefore),
    }));
    usageBefore = usage;
    return tasks;
  }

  return {
    onEffect(effect) {
      if (effect.type === "runBatch") history.used(effect.order.slots, effect.order.jobId);
    },
    onEvent(event) {
      if (event.type !== "resultsDelivered") return;
      if (!event.chunks.some(({ status }) => status === "failed")) return;
      const batch = state.batches.get(event.batchId);
      if (batch) history.failed(batch.lane.slots);
    },
    observe(seconds) {
      observedUntilMs = clock.monotonicMs() + seconds * SECOND_MS;
      if (toldCount === null) tell(0);
    },
    onDisconnected() {
      toldCount = null;
    },
    stop: () => timer.cancel(),
  };
}

interface UsageSample {
  readonly atMs: number;
  readonly byLeader: ReadonlyMap<number, SessionUsage>;
}

function placeOf(
  { assignment, lane, fromRow }: Batch,
  { row, runningUs }: RunningTask,
): Pick<Activity["tasks"][number], "slot" | "job_id" | "index" | "attempt" | "running_ms"> {
  const at = fromRow + row;
  return {
    slot: lane.slots[0] as number,
    job_id: assignment.job.jobId,
    index: indexAt(assignment.indexes, at),
    attempt: u32At(assignment.attempts, at),
    running_ms: Math.max(0, Math.round(runningUs / 1000)),
  };
}

/** The share of a core needs two looks at the same process. */
function usageOf(
  leaderPid: number,
  now: UsageSample,
  before: UsageSample,
): Pick<Activity["tasks"][number], "cpu_percent" | "memory_bytes"> {
  const usage = now.byLeader.get(leaderPid);
  const earlier = before.byLeader.get(leaderPid);
  const elapsedMs = now.atMs - before.atMs;
  return {
    cpu_percent:
      usage === undefined || earlier === undefined || elapsedMs <= 0
        ? null
        : Math.max(0, Math.round((100 * (usage.cpuMs - earlier.cpuMs)) / elapsedMs)),
    memory_bytes: usage?.residentBytes ?? null,
  };
}
