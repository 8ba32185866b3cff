/**
 * One answer for jobs that live in the machine's memory and for those that have ended and are only in
 * the store: facts, results' whereabouts, failures. Folds of ended jobs are kept for a few jobs. Results
 * are read as they are committed: while a commit waits for a busy or full store, the machine is ahead.
 */
import type { Clock } from "../../platform/clock.ts";
import { type Failure, readFailure, VALUE_FAILURE } from "../../protocol/failure.ts";
import type { JobId } from "../../protocol/ids.ts";
import { type JobFacts, type JobFold, SETTLED_FAILED } from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { jobFacts, settleSeqOf } from "../../scheduler/foreman/selectors.ts";
import type { Store } from "../../store/store.ts";
import type { InputProgress } from "../clients/submissions.ts";
import type { ResultsSource } from "./results-reader.ts";
import { type ReadableSettlement, rowValue, type SettlementCache } from "./settlement-cache.ts";
import { FAILURES_PER_TURN, nextTurn } from "./turns.ts";

/** Folds cost about 7 bytes a task; so many tasks' worth are kept. */
const FOLDED_TASKS_MAX = 5_000_000;

export interface JobReader {
  /** The facts of a job the machine holds; null otherwise. */
  liveFacts(jobId: JobId): JobFacts | null;
  /** Live or ended. */
  facts(jobId: JobId): Promise<JobFacts | null>;
  /** The settled tasks of an ended job. */
  foldOf(facts: JobFacts): Promise<JobFold>;
  resultsSource(jobId: JobId): Promise<ResultsSource | null>;
  inputProgress(jobId: JobId): InputProgress | null;
  /** The failure that settled a task; null when it did not fail. */
  readFailure(jobId: JobId, seq: number, index: number): Promise<Failure | null>;
  findFailedWith(jobId: JobId, code: string): Promise<Uint32Array>;
  /** The rows of unfinished jobs as they now are in the store. */
  onCommitted(rows: readonly JobFacts[]): void;
  forget(jobId: JobId): void;
}

export function createJobReader(parts: {
  readonly state: ForemanState;
  readonly store: Store;
  readonly cache: SettlementCache;
  readonly clock: Pick<Clock, "defer">;
}): JobReader {
  const { state, store, cache, clock } = parts;
  /** Of unfinished jobs, as committed. */
  const committed = new Map<JobId, JobFacts>();
  const folds = new Map<JobId, { readonly nextSettleSeq: number; readonly fold: JobFold }>();

  const liveFacts = (jobId: JobId): JobFacts | null => jobFacts(state, jobId);

  async function facts(jobId: JobId): Promise<JobFacts | null> {
    return liveFacts(jobId) ?? (await store.readJob(jobId));
  }

  async function foldOf(job: JobFacts): Promise<JobFold> {
    const held = folds.get(job.jobId);
    if (held?.nextSettleSeq === job.nextSettleSeq) return held.fold;
    const fold = await store.readFold(job.jobId, job.inputCount);
    folds.delete(job.jobId);
    folds.set(job.jobId, { nextSettleSeq: job.nextSettleSeq, fold });
    let tasks = 0;
    for (const entry of folds.values()) tasks += entry.fold.status.length;
    for (const [oldest, entry] of folds) {
      if (tasks <= FOLDED_TASKS_MAX || folds.size === 1) break;
      folds.delete(oldest);
      tasks -= entry.fold.status.length;
    }
    return fold;
  }

  async function resultsSource(jobId: JobId): Promise<ResultsSource | null> {
    const live = committed.get(jobId);
    if (live && state.jobs.has(jobId)) {
      return sourceOf(live, (index) => {
        const seq = settleSeqOf(state, jobId, index);
        return seq < live.nextSettleSeq ? seq : 0;
      });
    }
    const job = await store.readJob(jobId);
    if (!job) return null;
    const { seq } = await foldOf(job);
    return sourceOf(job, (index) => seq[index] ?? 0);
  }

  async function readFailure(jobId: JobId, seq: number, index: number): Promise<Failure | null> {
    const entry = await cache.get(jobId, seq);
    return entry ? failureIn(entry, index) : null;
  }

  async function findFailedWith(jobId: JobId, code: string): Promise<Uint32Array> {
    const job = await facts(jobId);
    if (!job) return new Uint32Array(0);
    const { status, seq } = await store.readFold(jobId, job.inputCount);
    const found: number[] = [];
    let looked = 0;
    for (let index = 0; index < job.inputCount; index++) {
      if ((status[index] ?? 0) < SETTLED_FAILED) continue;
      if (++looked % FAILURES_PER_TURN === 0) await nextTurn(clock);
      // Mostly at hand: a promise for each would cost more than the look.
      const cached = cache.get(jobId, seq[index] ?? 0);
      const entry = cached instanceof Promise ? await cached : cached;
      if (entry !== null && failureIn(entry, index)?.code === code) found.push(index);
    }
    return Uint32Array.from(found);
  }

  return {
    liveFacts,
    facts,
    foldOf,
    resultsSource,
    readFailure,
    findFailedWith,
    inputProgress(jobId) {
      const live = liveFacts(jobId);
      return live === null ? null : { nextIndex: live.inputCount, crc32: live.inputCrc32 };
    },
    onCommitted(rows) {
      for (const row of rows) {
        if (row.finishedAtMs === null) committed.set(row.jobId, row);
        else committed.delete(row.jobId);
      }
    },
    forget(jobId) {
      folds.delete(jobId);
      committed.delete(jobId);
    },
  };
}

function failureIn(entry: ReadableSettlement, index: number): Failure | null {
  const value = rowValue(entry, entry.rowOf(index));
  return value[0] === VALUE_FAILURE ? readFailure(value).failure : null;
}

function sourceOf(job: JobFacts, seqOf: (index: number) => number): ResultsSource {
  return {
    inputCount: job.inputCount,
    inputsClosed: job.inputsClosedAtMs !== null,
    finished: job.finishedAtMs !== null,
    nextSettleSeq: job.nextSettleSeq,
    seqOf,
  };
}
