/**
 * Which part of a job's log a reader wants: the tests that rows and pieces pass, and whether anything
 * more can come. Failed tasks are listed once for all who ask, in slices, since a job may have a million.
 */
import type { Clock } from "../../platform/clock.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import { LOG_STREAMS } from "../../protocol/messages/logs.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import { type JobFacts, type JobFold, SETTLED_FAILED } from "../../scheduler/foreman/facts.ts";
import { isSettledState, TASK_FAILED } from "../../scheduler/foreman/queues/task-table.ts";
import type { ForemanState, LiveJob } from "../../scheduler/foreman/state.ts";
import type { JobReader } from "./job-reader.ts";
import { nextTurn } from "./turns.ts";

export type ReadLogs = MessageOf<"read_logs">;

export interface LogSelection {
  readonly jobId: JobId;
  readonly index: number | null;
  /** A number, or any. */
  readonly attempt: number | null;
  readonly sinceMs: number | null;
  /** By row in LOG_STREAMS. */
  readonly streams: readonly boolean[];
  /** Whether tasks of this range may be wanted. */
  mayHold(firstIndex: number, lastIndex: number): boolean;
  wants(index: number, attempt: number): boolean;
  /** What it was asked of has ended. */
  readonly hasEnded: boolean;
}

export interface LogSelections {
  /** @param job its facts as they now are. */
  select(request: ReadLogs, job: JobFacts): Promise<LogSelection>;
}

/** Tasks looked at in one turn: about a millisecond. */
const TASKS_PER_TURN = 500_000;
/** Lists of failed tasks kept, for readers that come again. */
const LISTS_MAX = 8;

export function createLogSelections(parts: {
  readonly state: ForemanState;
  readonly jobs: Pick<JobReader, "foldOf">;
  readonly clock: Pick<Clock, "defer">;
}): LogSelections {
  const { state, jobs, clock } = parts;
  const lists = new Map<JobId, { readonly nextSettleSeq: number; readonly failed: Uint32Array }>();

  async function failedOf(job: JobFacts, fold: JobFold | null): Promise<Uint32Array> {
    const { jobId, nextSettleSeq } = job;
    const known = lists.get(jobId);
    if (known?.nextSettleSeq === nextSettleSeq) return known.failed;
    const failed: number[] = [];
    const live = state.jobs.get(jobId);
    const states = live === undefined ? fold?.status : live.tasks.state;
    const wanted = live === undefined ? SETTLED_FAILED : TASK_FAILED;
    for (let index = 0; index < job.inputCount; index++) {
      if (states?.[index] === wanted) failed.push(index);
      if (index % TASKS_PER_TURN === TASKS_PER_TURN - 1) await nextTurn(clock);
    }
    const list = { nextSettleSeq, failed: Uint32Array.from(failed) };
    lists.delete(jobId);
    lists.set(jobId, list);
    for (const oldest of lists.keys()) {
      if (lists.size <= LISTS_MAX) break;
      lists.delete(oldest);
    }
    return list.failed;
  }

  return {
    async select(request, job) {
      const { index = null, attempt = null, failed: onlyFailed, since_ms, streams } = request;
      const needsFold = attempt === 0 || onlyFailed === true;
      const live = state.jobs.get(job.jobId);
      const fold = live === undefined && needsFold ? await jobs.foldOf(job) : null;
      const failed = onlyFailed === true ? await failedOf(job, fold) : null;
      const newest = live === undefined ? fold?.attempt : live.tasks.attempt;
      return {
        jobId: asJobId(request.job_id),
        index,
        attempt: attempt === 0 ? null : attempt,
        sinceMs: since_ms ?? null,
        streams: LOG_STREAMS.map((stream) => streams === undefined || streams.includes(stream)),
        mayHold(firstIndex, lastIndex) {
          if (index !== null && (index < firstIndex || index > lastIndex)) return false;
          return (
            failed === null || (failed[lowerBound(failed, firstIndex)] ?? Infinity) <= lastIndex
          );
        },
        wants(ofIndex, ofAttempt) {
          if (index !== null && ofIndex !== index) return false;
          if (failed !== null && failed[lowerBound(failed, ofIndex)] !== ofIndex) return false;
          if (attempt === null) return true;
          return ofAttempt === (attempt === 0 ? newest?.[ofIndex] : attempt);
        },
        hasEnded: live === undefined || (index !== null && hasTaskEnded(live, index, attempt)),
      };
    },
  };
}

/** An attempt that another one has followed says nothing more. */
function hasTaskEnded({ tasks }: LiveJob, index: number, attempt: number | null): boolean {
  if (isSettledState(tasks.state[index] ?? 0)) return true;
  return attempt !== null && attempt > 0 && attempt < (tasks.attempt[index] ?? 0);
}

/** Where in the ascending list the first number lies that is not less. */
function lowerBound(list: Uint32Array, number: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
