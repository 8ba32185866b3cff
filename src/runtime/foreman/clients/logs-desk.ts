/**
 * Where readers of logs stand: a request that waits is kept here until something is printed that it wants,
 * or what it was asked of has ended, at most one turn of WAIT_MS. A connection may have a few open.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { Channel } from "../../transport/channel.ts";
import type { LogDesk } from "../logs/log-desk.ts";
import { answerLogs, findLogPage, type Logs } from "../reading/log-pages.ts";
import type { LogSelections, ReadLogs } from "../reading/log-selection.ts";
import { createLogMeasure } from "../reading/log-totals.ts";
import { WAIT_MS } from "../reading/results-reader.ts";
import { checkIndexes } from "./client-answers.ts";

export interface LogsDesk {
  /** @throws CcError `no_such_job`, `no_such_task`, `too_many_readers`. */
  read(channel: Channel, request: ReadLogs): Promise<void>;
  /** Something of this job was printed, or it has ended. */
  wake(jobId: number): void;
  /** A task of it has ended, which readers of a single task may wait for. */
  wakeForTask(jobId: number): void;
  forget(jobId: JobId): void;
  drop(channel: Channel): void;
}

export interface LogsDeskParts {
  readonly logs: Pick<LogDesk, "store" | "countsOf" | "settle" | "isAwaited">;
  readonly selections: LogSelections;
  readonly clock: Clock;
  readonly logger: Logger;
  findJob(jobId: JobId): Promise<JobFacts | null>;
  noSuchJob(id: number): CcError;
}

interface Waiting {
  readonly channel: Channel;
  /** Its cursor moves on over what it does not want. */
  request: ReadLogs;
  readonly deadline: Timer;
}

const WAITING_PER_CHANNEL_MAX = 100;
const WAITING_PER_JOB_MAX = 1_000;
/** Readers of a job are looked after no more often. */
const REST_MS = 100;

export function createLogsDesk(parts: LogsDeskParts): LogsDesk {
  const { logs, clock, logger } = parts;
  const measure = createLogMeasure(logs);
  const waiting = new Map<number, Set<Waiting>>();
  /** Jobs whose readers are being served, or are about to be, with a wake that came meanwhile. */
  const waking = new Map<number, boolean>();
  const servedAtMs = new Map<number, number>();

  async function read(channel: Channel, request: ReadLogs): Promise<void> {
    const answer = await find(request);
    if (!request.wait || isReady(answer)) channel.send(answer);
    else wait(channel, { ...request, cursor: answer.next_cursor });
  }

  async function find(request: ReadLogs): Promise<Logs> {
    const job = await parts.findJob(asJobId(request.job_id));
    if (job === null) throw parts.noSuchJob(request.job_id);
    const { index } = request;
    if (index !== undefined) checkIndexes(job, Uint32Array.of(index));
    const selection = await parts.selections.select(request, job);
    // Before the log is looked at: what was printed until the end is read, then.
    const finished = selection.hasEnded && !logs.isAwaited(job.jobId);
    await logs.settle();
    const { store } = logs;
    const page = await findLogPage({ store, clock }, request, selection);
    return answerLogs(request, page, { totals: measure.measure(selection), finished });
  }

  function wait(channel: Channel, request: ReadLogs): void {
    const { job_id: jobId } = request;
    const queue = waiting.get(jobId) ?? new Set();
    let open = 0;
    for (const entries of waiting.values()) {
      for (const entry of entries) if (entry.channel === channel) open++;
    }
    if (open >= WAITING_PER_CHANNEL_MAX || queue.size >= WAITING_PER_JOB_MAX) {
      throw new CcError({
        code: "too_many_readers",
        message: `Job ${jobId} has ${queue.size} waiting readers of its log, ${open} of this connection.`,
        retryable: true,
        exitCode: 3,
      });
    }
    const deadline = clock.setTimer(WAIT_MS, () => void serveOne(jobId, entry, true));
    const entry: Waiting = { channel, request, deadline };
    queue.add(entry);
    waiting.set(jobId, queue);
    // What was written while we read has woken nobody who stands here.
    wake(jobId);
  }

  function take(jobId: number, entry: Waiting): boolean {
    const queue = waiting.get(jobId);
    if (!queue?.delete(entry)) return false;
    if (queue.size === 0) waiting.delete(jobId);
    entry.deadline.cancel();
    return true;
  }

  function wake(jobId: number): void {
    if (!waiting.has(jobId)) return;
    if (waking.has(jobId)) {
      waking.set(jobId, true);
      return;
    }
    waking.set(jobId, false);
    const restMs =
      (servedAtMs.get(jobId) ?? Number.NEGATIVE_INFINITY) + REST_MS - clock.monotonicMs();
    if (restMs <= 0) void serve(jobId);
    else clock.setTimer(restMs, () => void serve(jobId), { holdsProcess: false });
  }

  /** Tasks may end, and print, thousands of times a second. */
  async function serve(jobId: number): Promise<void> {
    waking.set(jobId, false);
    for (const entry of [...(waiting.get(jobId) ?? [])]) await serveOne(jobId, entry, false);
    const isWokenAgain = waking.get(jobId) === true;
    waking.delete(jobId);
    if (waiting.has(jobId)) servedAtMs.set(jobId, clock.monotonicMs());
    else servedAtMs.delete(jobId);
    if (isWokenAgain) wake(jobId);
  }

  async function serveOne(jobId: number, entry: Waiting, isLate: boolean): Promise<void> {
    try {
      const answer = await find(entry.request);
      if ((isLate || isReady(answer)) && take(jobId, entry)) entry.channel.send(answer);
      else entry.request = { ...entry.request, cursor: answer.next_cursor };
    } catch (thrown) {
      if (!take(jobId, entry)) return;
      const error = toCcError(thrown);
      if (error.code === "internal") logger.error("a log could not be read", { cause: thrown });
      const { request } = entry.request;
      entry.channel.send({ type: "error", request, ...error.toView() });
    }
  }

  return {
    read,
    wake,
    wakeForTask(jobId) {
      const entries = waiting.get(jobId);
      if (entries === undefined) return;
      for (const { request } of entries) {
        if (request.index !== undefined) return wake(jobId);
      }
    },
    forget(jobId) {
      measure.forget(jobId);
      wake(jobId);
    },
    drop(channel) {
      for (const [jobId, queue] of waiting) {
        for (const entry of [...queue]) if (entry.channel === channel) take(jobId, entry);
      }
    },
  };
}

/** Something to show, a search that has not come to its end, or the end of all. */
const isReady = (answer: Logs): boolean => answer.count > 0 || !answer.at_end || answer.finished;
