/**
 * Rows of a job's task list: made for the tasks that are shown and for no others, from the machine's
 * table, from settlements without their results, and from inputs that are at hand. How much is read of
 * the store for one screen is bounded; what could not be read yet is left out and comes with the next.
 */

import { u32At } from "../../../../protocol/columns.ts";
import { readFailure, VALUE_FAILURE } from "../../../../protocol/failure.ts";
import { formatTaskId, type JobId } from "../../../../protocol/ids.ts";
import type { TaskRowView } from "../../../../protocol/monitor-views.ts";
import type { TaskView } from "../../../../protocol/views.ts";
import type { JobFacts } from "../../../../scheduler/foreman/facts.ts";
import type { InputWindow } from "../../../reading/input-window.ts";
import type { ReadableSketch, SketchCache } from "../../../reading/sketch-cache.ts";
import { roundOrNull } from "../series-views.ts";
import { inputText } from "../value-text.ts";
import type { JobTasks } from "./job-tasks.ts";
import { findRunning, type Running, runningSeconds } from "./running-tasks.ts";
import { ROW_TEXT_CHARACTERS_MAX, shortened } from "./texts.ts";

/** Chunks of inputs read for one screen, a megabyte each: rows next to each other share one. */
const INPUT_READS_MAX = 8;
/** How the last attempt of a settled task ended. */
export interface Settled {
  readonly workerId: string | null;
  readonly runSeconds: number | null;
  readonly error: TaskView["error"];
}

export interface TaskRows {
  rowsOf(job: JobFacts, tasks: JobTasks, indexes: readonly number[]): Promise<TaskRowView[]>;
  /** null: it is not settled, or not committed yet. */
  settledOf(jobId: JobId, tasks: JobTasks, index: number): Settled | null | Promise<Settled | null>;
}

export function createTaskRows(parts: {
  readonly sketches: SketchCache;
  readonly window: Pick<InputWindow, "readOne">;
  nowMs(): number;
}): TaskRows {
  function settledOf(
    jobId: JobId,
    tasks: JobTasks,
    index: number,
  ): Settled | null | Promise<Settled | null> {
    const seq = tasks.seqs[index] as number;
    if (seq === 0) return null;
    const sketch = parts.sketches.get(jobId, seq);
    if (sketch instanceof Promise) return sketch.then((read) => read && settledIn(read, index));
    return settledIn(sketch, index);
  }

  async function rowsOf(
    job: JobFacts,
    tasks: JobTasks,
    indexes: readonly number[],
  ): Promise<TaskRowView[]> {
    const running = tasks.live === null ? NOBODY : findRunning(tasks, indexes);
    const inputs = await inputsOf(job.jobId, indexes);
    const rows: TaskRowView[] = [];
    for (const index of indexes) {
      const settled = await settledOf(job.jobId, tasks, index);
      const place = running.get(index) ?? null;
      const input = inputs.get(index);
      rows.push({
        task_id: formatTaskId(job.jobId, index),
        index,
        state: tasks.names[tasks.states[index] as number] ?? "queued",
        attempts: tasks.attempts[index] as number,
        attempts_allowed: job.spec.retries + 1,
        worker: place?.workerId ?? settled?.workerId ?? null,
        run_seconds: roundOrNull(settled?.runSeconds ?? null),
        running_seconds: runningSeconds(place, parts.nowMs()),
        error: settled?.error ?? null,
        ...(input === undefined ? {} : { input }),
      });
    }
    return rows;
  }

  async function inputsOf(
    jobId: JobId,
    indexes: readonly number[],
  ): Promise<ReadonlyMap<number, string>> {
    const texts = new Map<number, string>();
    let reads = 0;
    for (const index of indexes) {
      const found = parts.window.readOne(jobId, index);
      const isRead = found instanceof Promise;
      const input = isRead ? await found : found;
      if (input !== null) texts.set(index, inputText(input, ROW_TEXT_CHARACTERS_MAX).input_text);
      if (isRead && ++reads >= INPUT_READS_MAX) break;
    }
    return texts;
  }

  return { rowsOf, settledOf };
}

const NOBODY: ReadonlyMap<number, Running> = new Map();

function settledIn({ sketch, rowOf, failureOf }: ReadableSketch, index: number): Settled {
  const row = rowOf(index);
  const hasRun = !sketch.sharedValue && sketch.workerId !== "";
  return {
    workerId: sketch.workerId === "" ? null : sketch.workerId,
    runSeconds: hasRun ? u32At(sketch.runUs, row) / 1e6 : null,
    error: errorIn(failureOf(row)),
  };
}

function errorIn(value: Uint8Array | null): TaskView["error"] {
  if (value?.[0] !== VALUE_FAILURE) return null;
  const { code, message } = readFailure(value).failure;
  return { code: shortened(code), message: shortened(message) };
}
