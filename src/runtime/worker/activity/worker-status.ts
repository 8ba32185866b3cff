/**
 * The few figures that a worker shows of itself on its own terminal. Looks at the agent's memory and at what
 * runs, never at more than a bounded number of batches, and changes nothing.
 */
import { indexAt } from "../../protocol/columns.ts";
import { formatTaskId } from "../../protocol/ids.ts";
import type { AgentState, Batch } from "../../scheduler/agent/state.ts";
import type { WorkerEvent } from "../agent-loop.ts";
import type { RunningTask } from "../batch-runner.ts";

export interface WorkerStatus {
  readonly connection: "connecting" | "connected" | "reconnecting";
  readonly mode: AgentState["mode"]["kind"];
  /** Why it takes nothing just now; null: it may. */
  readonly trouble: string | null;
  readonly slots: { readonly busy: number; readonly total: number };
  /** Handed to it and not begun. */
  readonly waiting: number;
  /** Since its start. */
  readonly done: number;
  readonly failed: number;
  /** Of the machine. */
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  /** Those that run longest first, at most as many as were asked for. */
  readonly tasks: readonly StatusTask[];
  /** Tasks that run and are not among `tasks`. */
  readonly moreTasks: number;
}

export interface StatusTask {
  readonly taskId: string;
  /** As its submitter wrote it. */
  readonly jobName: string;
  readonly runningMs: number;
}

export interface WorkerStatusBook {
  /** What has happened, before the machine hears of it. */
  onEvent(event: WorkerEvent): void;
  read(tasksMax: number): WorkerStatus;
}

export interface WorkerStatusParts {
  /** Only looked at. */
  readonly state: AgentState;
  look(batchId: number): RunningTask | null;
  nameOf(jobId: number, specVersion: number): string | null;
}

/** Older lanes are looked at first; with so many, who runs longest is hardly news. */
const LANES_LOOKED_AT_MAX = 64;

export function createWorkerStatusBook(parts: WorkerStatusParts): WorkerStatusBook {
  const { state } = parts;
  let done = 0;
  let failed = 0;
  let hasConnected = false;

  function runningTasks(): StatusTask[] {
    const fronts: Batch[] = [];
    for (const { batches } of state.lanes) {
      const [front] = batches;
      if (front !== undefined && front.fate !== "orphaned") fronts.push(front);
      if (fronts.length === LANES_LOOKED_AT_MAX) break;
    }
    // A look may bring results in, with which lanes end: hence the list.
    return fronts.flatMap((batch) => {
      const task = parts.look(batch.batchId);
      return task === null ? [] : [describe(batch, task)];
    });
  }

  function describe({ assignment, fromRow }: Batch, { row, runningUs }: RunningTask): StatusTask {
    const { jobId, specVersion } = assignment.version;
    return {
      taskId: formatTaskId(jobId, indexAt(assignment.indexes, fromRow + row)),
      jobName: parts.nameOf(jobId, specVersion) ?? "",
      runningMs: Math.max(0, runningUs / 1000),
    };
  }

  return {
    onEvent(event) {
      if (event.type === "connected") hasConnected = true;
      if (event.type !== "resultsDelivered") return;
      for (const { status, count } of event.chunks) {
        if (status === "failed") failed += count;
        else done += count;
      }
    },
    read(tasksMax) {
      const tasks = runningTasks().sort((a, b) => b.runningMs - a.runningMs);
      const total = state.options.offer.slots;
      const isUp = state.connection.kind === "up";
      const shown = tasks.slice(0, tasksMax);
      return {
        connection: isUp ? "connected" : hasConnected ? "reconnecting" : "connecting",
        mode: state.mode.kind,
        trouble: state.storageTrouble ?? state.overload,
        slots: { busy: total - state.freeSlots.length, total },
        waiting: state.waitingCount,
        done,
        failed,
        cpuPercent: state.cpuPercent,
        memoryPercent: state.memoryPercent,
        tasks: shown,
        moreTasks: Math.max(tasks.length, state.lanes.size) - shown.length,
      };
    },
  };
}
