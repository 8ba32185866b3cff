/**
 * One task as the monitor shows it: its attempts, what it was given and what it left, as texts of a
 * screen's size. What is settled is read once and kept for the few tasks that are looked at.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { View } from "../../../protocol/messages/client.ts";
import type { TaskMonitorView } from "../../../protocol/monitor-views.ts";
import { isTaskSettled, type TaskDetailView } from "../../../protocol/views.ts";
import type { JobFacts } from "../../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import { rowOfIndex } from "../../../scheduler/foreman/outcomes/assignments.ts";
import { findAssignmentOf, settleSeqOf } from "../../../scheduler/foreman/selectors.ts";
import type { TaskViews } from "../task-views.ts";
import { roundOrNull, roundRunning, wholeSecond } from "./series-views.ts";
import { inputText, resultText } from "./value-text.ts";

export interface TaskMonitorParts {
  readonly state: ForemanState;
  readonly taskViews: Pick<TaskViews, "body" | "values">;
  /** @throws CcError `no_such_job` */
  findJob(jobId: number): Promise<JobFacts>;
  /** What its newest attempt printed; null: nothing. */
  logOf(jobId: JobId, index: number, attempt: number): TaskMonitorView["log"];
  nowMs(): number;
}

type TaskRequest = Extract<View, { kind: "task_monitor" }>;
type Texts = Pick<
  TaskMonitorView,
  | "input_text"
  | "input_bytes"
  | "result_text"
  | "result_bytes"
  | "stderr_text"
  | "exit_code"
  | "signal"
>;

/** Tasks whose texts are kept, each a screen at most. */
const KEPT_MAX = 64;

/** @throws CcError `no_such_job`, `no_such_task` when built. */
export function createTaskMonitor(
  parts: TaskMonitorParts,
): (view: TaskRequest) => Promise<TaskMonitorView> {
  const { state } = parts;
  /** By task, its settlement and the size of the texts; the newest last. */
  const kept = new Map<string, Texts>();

  async function textsOf(job: JobFacts, view: TaskRequest, isSettled: boolean): Promise<Texts> {
    const { index, text_characters: charactersMax } = view;
    // Of an ended job nothing changes any more until it is reopened.
    const seq = settleSeqOf(state, job.jobId, index) || `ended ${job.nextSettleSeq}`;
    const key = `${job.jobId}/${index} ${isSettled ? seq : "open"} ${charactersMax}`;
    const known = kept.get(key);
    if (known) return known;
    const { input, result } = await parts.taskViews.values(job, index);
    const texts = { ...inputText(input, charactersMax), ...resultText(result, charactersMax) };
    kept.set(key, texts);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    return texts;
  }

  /** Since when it runs, where its worker has said so. */
  function runningSeconds({ jobId }: JobFacts, index: number): number | null {
    const job = state.jobs.get(jobId);
    const assignment = job === undefined ? null : findAssignmentOf(job, index);
    const startedAtMs = assignment?.startedAtMs.get(rowOfIndex(assignment, index));
    return startedAtMs === undefined ? null : roundRunning(parts.nowMs() - startedAtMs);
  }

  return async (view) => {
    const job = await parts.findJob(view.job_id);
    const { index } = view;
    const body: TaskDetailView = await parts.taskViews.body(job, index);
    const texts = await textsOf(job, view, isTaskSettled(body.state));
    return {
      ...body,
      ...texts,
      job: { ...body.job, tasks_per_second: roundOrNull(body.job.tasks_per_second) },
      at: wholeSecond(parts.nowMs()),
      running_seconds: body.state === "running" ? runningSeconds(job, index) : null,
      log: body.attempts === 0 ? null : parts.logOf(job.jobId, index, body.attempts),
    };
  };
}
