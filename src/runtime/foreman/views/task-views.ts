/** Views of tasks: rows of a list, and one task with its history, input and result. */
import { type ValueColumn, ValueColumnBuilder } from "../../protocol/columns.ts";
import { CcError } from "../../protocol/error.ts";
import { type Failure, readFailure, VALUE_FAILURE } from "../../protocol/failure.ts";
import { formatTaskId, type JobId } from "../../protocol/ids.ts";
import { LIST_ROWS_MAX } from "../../protocol/limits.ts";
import { valueAsJson } from "../../protocol/value.ts";
import type { AttemptView, TaskDetailView, TaskState, TaskView } from "../../protocol/views.ts";
import { whyTask } from "../../scheduler/foreman/explain/explain.ts";
import {
  type JobFacts,
  type JobFold,
  SETTLED_COMPLETED,
  SETTLED_FAILED,
  SETTLED_NONE,
} from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { findTasks, taskAt } from "../../scheduler/foreman/selectors.ts";
import type { AttemptEndRow, SettlementChunk, Store } from "../../store/store.ts";
import type { InputWindow } from "../reading/input-window.ts";
import type { JobReader } from "../reading/job-reader.ts";
import { makeReadable, rowValue, type SettlementCache } from "../reading/settlement-cache.ts";
import { type JobViews, toTime } from "./job-views.ts";

/** Of errors in one list; the rest of a frame is for what all rows have. */
const LIST_CHARACTERS_MAX = 2 * 1024 * 1024;
const INPUT_TEXT_CHARACTERS_MAX = 200;
const HISTORY_ROWS_MAX = 100;

interface TaskFacts {
  readonly state: TaskState;
  readonly attempts: number;
  readonly workerId: string | null;
  readonly notBeforeMs: number | null;
  readonly seq: number;
}

export interface TaskListRequest {
  readonly states?: readonly string[] | undefined;
  readonly fromIndex: number;
  readonly limit: number;
  readonly inputs: boolean;
}

export interface TaskViews {
  list(job: JobFacts, request: TaskListRequest): Promise<{ rows: TaskView[]; next: number | null }>;
  /** The value column holds the input and, when there is one, the result. */
  detail(job: JobFacts, index: number): Promise<{ body: TaskDetailView; value: ValueColumn }>;
  /** @throws CcError `no_such_task` */
  body(job: JobFacts, index: number): Promise<TaskDetailView>;
  /** Its input and, when there is one, its result, as they are held. */
  values(job: JobFacts, index: number): Promise<TaskValues>;
}

export interface TaskValues {
  readonly input: Uint8Array;
  readonly result: Uint8Array | null;
}

export function createTaskViews(parts: {
  readonly state: ForemanState;
  readonly store: Store;
  readonly jobs: JobReader;
  readonly jobViews: JobViews;
  readonly cache: SettlementCache;
  readonly window: InputWindow;
}): TaskViews {
  const { state, store, jobs, cache, window } = parts;

  async function list(
    job: JobFacts,
    request: TaskListRequest,
  ): Promise<{ rows: TaskView[]; next: number | null }> {
    const limit = Math.min(request.limit === 0 ? LIST_ROWS_MAX : request.limit, LIST_ROWS_MAX);
    const fold = isLive(job.jobId) ? null : await jobs.foldOf(job);
    const states = request.states === undefined ? null : new Set(request.states);
    const found = fold
      ? findInFold(fold, states, request.fromIndex, limit + 1)
      : findTasks(state, job.jobId, states as Set<TaskState> | null, request.fromIndex, limit + 1);
    const rows: TaskView[] = [];
    let characters = 0;
    for (const index of found.slice(0, limit)) {
      if (characters > LIST_CHARACTERS_MAX) break;
      const row = await rowOf(job.jobId, index, factsOf(job.jobId, index, fold));
      characters += row.error?.message.length ?? 0;
      rows.push(request.inputs ? { ...row, input: await inputText(job.jobId, index) } : row);
    }
    return { rows, next: found[rows.length] ?? null };
  }

  const isLive = (jobId: JobId): boolean => jobs.liveFacts(jobId) !== null;

  function factsOf(jobId: JobId, index: number, fold: JobFold | null): TaskFacts {
    const live = fold === null ? taskAt(state, jobId, index) : null;
    if (live) return live;
    return {
      state: foldedState(fold?.status[index]),
      attempts: fold?.attempt[index] ?? 0,
      workerId: null,
      notBeforeMs: null,
      seq: fold?.seq[index] ?? 0,
    };
  }

  async function rowOf(jobId: JobId, index: number, task: TaskFacts): Promise<TaskView> {
    const entry = task.seq === 0 ? null : await cache.get(jobId, task.seq);
    const row = entry?.rowOf(index) ?? 0;
    const value = entry ? rowValue(entry, row) : null;
    const failure = value?.[0] === VALUE_FAILURE ? readFailure(value).failure : null;
    return {
      task_id: formatTaskId(jobId, index),
      index,
      state: task.state,
      attempts: task.attempts,
      worker: entry === null || entry.chunk.sharedValue ? task.workerId : workerOf(entry.chunk),
      run_seconds: entry === null ? null : runSeconds(entry.chunk, row),
      error: failure === null ? null : { code: failure.code, message: failure.message },
    };
  }

  async function inputText(jobId: JobId, index: number): Promise<string> {
    const input = await window.readOne(jobId, index);
    if (input === null) return "";
    const text = valueAsJson(input);
    return text.length <= INPUT_TEXT_CHARACTERS_MAX
      ? text
      : `${text.slice(0, INPUT_TEXT_CHARACTERS_MAX - 1)}…`;
  }

  async function detail(
    job: JobFacts,
    index: number,
  ): Promise<{ body: TaskDetailView; value: ValueColumn }> {
    const detailed = await body(job, index);
    const { input, result } = await values(job, index);
    const builder = new ValueColumnBuilder();
    builder.pushValue(input);
    if (result !== null) builder.pushValue(result);
    return { body: detailed, value: builder.take() };
  }

  async function body(job: JobFacts, index: number): Promise<TaskDetailView> {
    if (index >= job.inputCount) throw noSuchTask(job, index);
    const fold = isLive(job.jobId) ? null : await jobs.foldOf(job);
    const task = factsOf(job.jobId, index, fold);
    return {
      ...(await rowOf(job.jobId, index, task)),
      job: parts.jobViews.summary(job),
      history: await historyOf(job.jobId, index, task),
      not_before: task.notBeforeMs === null ? null : toTime(task.notBeforeMs),
      why: fold === null ? whyTask(state, job.jobId, index) : null,
    };
  }

  async function values(job: JobFacts, index: number): Promise<TaskValues> {
    const { jobId } = job;
    const fold = isLive(jobId) ? null : await jobs.foldOf(job);
    const { seq } = factsOf(jobId, index, fold);
    const input = await window.readOne(jobId, index);
    if (input === null) throw noInputYet(jobId, index);
    const entry = seq === 0 ? null : await cache.get(jobId, seq);
    return { input, result: entry === null ? null : rowValue(entry, entry.rowOf(index)) };
  }

  async function historyOf(jobId: JobId, index: number, task: TaskFacts): Promise<AttemptView[]> {
    const ended = await store.readAttemptEnds(jobId, index, HISTORY_ROWS_MAX);
    const settled = await store.readTaskHistory(jobId, index);
    const rows = [
      ...ended.map(endedAttempt),
      ...settled.map((chunk) => settledAttempt(chunk, index)),
    ];
    if (task.state === "running") rows.push(runningAttempt(task));
    return rows.sort((a, b) => a.attempt - b.attempt);
  }

  return { list, detail, body, values };
}

function findInFold(
  fold: JobFold,
  states: ReadonlySet<string> | null,
  from: number,
  limit: number,
): number[] {
  const found: number[] = [];
  for (let index = from; index < fold.status.length && found.length < limit; index++) {
    if (states === null || states.has(foldedState(fold.status[index]))) found.push(index);
  }
  return found;
}

function foldedState(status: number | undefined): TaskState {
  if (status === SETTLED_COMPLETED) return "completed";
  if (status === SETTLED_FAILED) return "failed";
  return status === undefined || status === SETTLED_NONE ? "queued" : "cancelled";
}

/** null: it was settled without a worker, as what is cancelled before it begins. */
const workerOf = (chunk: SettlementChunk): string | null =>
  chunk.workerId === "" ? null : chunk.workerId;

function runSeconds(chunk: SettlementChunk, row: number): number | null {
  if (chunk.sharedValue || workerOf(chunk) === null) return null;
  const { runUs } = chunk;
  return (typeof runUs === "number" ? runUs : (runUs[row] ?? 0)) / 1e6;
}

function endedAttempt(row: AttemptEndRow): AttemptView {
  const failure = row.error?.[0] === VALUE_FAILURE ? readFailure(row.error).failure : null;
  return {
    attempt: row.attempt,
    // A cancelled task has its last attempt in the settlement log.
    outcome: row.outcome === "cancelled" ? "aborted" : row.outcome,
    code: row.code,
    message: failure?.message ?? null,
    stack: failure?.stack ?? null,
    worker: row.workerId,
    run_seconds: row.runUs === null ? null : row.runUs / 1e6,
    ended_at: toTime(row.endedAtMs),
  };
}

function settledAttempt(chunk: SettlementChunk, index: number): AttemptView {
  const entry = makeReadable(chunk);
  const row = entry.rowOf(index);
  const value = rowValue(entry, row);
  const failure: Failure | null = value[0] === VALUE_FAILURE ? readFailure(value).failure : null;
  const { attempts } = chunk;
  return {
    attempt: typeof attempts === "number" ? attempts : (attempts[row] ?? 0),
    outcome: chunk.status,
    code: failure?.code ?? null,
    message: failure?.message ?? null,
    stack: failure?.stack ?? null,
    worker: chunk.workerId,
    run_seconds: runSeconds(chunk, row),
    ended_at: toTime(chunk.settledAtMs),
  };
}

function runningAttempt(task: TaskFacts): AttemptView {
  return {
    attempt: task.attempts,
    outcome: "running",
    code: null,
    message: null,
    stack: null,
    worker: task.workerId ?? "",
    run_seconds: null,
    ended_at: null,
  };
}

const noInputYet = (jobId: JobId, index: number): CcError =>
  new CcError({
    code: "no_such_task",
    message: `The input of task ${formatTaskId(jobId, index)} is not in the store: it is not committed yet, or its job was just removed.`,
    hint: "Look again in a moment.",
    retryable: true,
    exitCode: 2,
  });

export function noSuchTask({ jobId, inputCount }: JobFacts, index: number): CcError {
  const held =
    inputCount === 0
      ? "no tasks"
      : inputCount === 1
        ? `1 task (${formatTaskId(jobId, 0)})`
        : `${inputCount} tasks (0 to ${inputCount - 1})`;
  return new CcError({
    code: "no_such_task",
    message: `Job ${jobId} has ${held}, so there is no ${formatTaskId(jobId, index)}.`,
    hint: `cc tasks ${jobId}`,
    exitCode: 2,
  });
}
