/**
 * Where readers of results stand: a request that waits is kept here until its job settles something
 * or ends, at most one turn of WAIT_MS. A connection may have a few requests open, never many.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { CcError } from "../../protocol/error.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Channel } from "../../transport/channel.ts";
import type { Readers } from "../reading/readers.ts";
import {
  type ReadResults,
  type ResultsReader,
  type ResultsSource,
  WAIT_MS,
} from "../reading/results-reader.ts";

const WAITING_PER_CHANNEL_MAX = 1_000;

export interface ResultsDesk {
  read(channel: Channel, request: ReadResults): Promise<void>;
  /** Something of this job was settled, or it has ended. */
  wake(jobId: JobId): void;
  drop(channel: Channel): void;
}

interface Waiting {
  readonly channel: Channel;
  readonly request: ReadResults;
  readonly deadline: Timer;
}

export function createResultsDesk(
  reader: ResultsReader,
  sourceOf: (jobId: JobId) => Promise<ResultsSource | null>,
  parts: {
    readonly clock: Clock;
    /** Told who is at it, and who has been told all. */
    readonly readers: Pick<Readers, "begin" | "end">;
    noSuchJob(id: number): CcError;
  },
): ResultsDesk {
  const { clock, readers } = parts;
  const waiting = new Map<JobId, Set<Waiting>>();
  /** Jobs whose readers are being served, with a wake that came meanwhile. */
  const waking = new Map<JobId, boolean>();

  async function read(channel: Channel, request: ReadResults): Promise<void> {
    const jobId = asJobId(request.job_id);
    const source = await sourceOf(jobId);
    if (!source) {
      throw parts.noSuchJob(request.job_id);
    }
    readers.begin(channel, jobId);
    const { answer, complete } = await reader.read(request, source);
    if (complete || !request.wait) send(channel, answer);
    else wait(channel, request, jobId);
  }

  function send(channel: Channel, answer: MessageOf<"results">): void {
    channel.send(answer);
    if (answer.end && answer.finished) readers.end(channel, asJobId(answer.job_id));
  }

  function wait(channel: Channel, request: ReadResults, jobId: JobId): void {
    const queue = waiting.get(jobId) ?? new Set();
    if (queue.size >= WAITING_PER_CHANNEL_MAX) {
      throw new CcError({
        code: "too_many_readers",
        message: `Job ${jobId} has ${queue.size} waiting readers already.`,
        retryable: true,
        exitCode: 3,
      });
    }
    const entry: Waiting = {
      channel,
      request,
      deadline: clock.setTimer(WAIT_MS, () => void answerEmpty(jobId, entry)),
    };
    queue.add(entry);
    waiting.set(jobId, queue);
  }

  function take(jobId: JobId, entry: Waiting): boolean {
    const queue = waiting.get(jobId);
    if (!queue?.delete(entry)) return false;
    if (queue.size === 0) waiting.delete(jobId);
    entry.deadline.cancel();
    return true;
  }

  async function answerEmpty(jobId: JobId, entry: Waiting): Promise<void> {
    if (!take(jobId, entry)) return;
    const source = await sourceOf(jobId);
    if (!source) return;
    const { answer } = await reader.read(entry.request, source);
    send(entry.channel, answer);
  }

  async function serve(jobId: JobId): Promise<void> {
    const source = await sourceOf(jobId);
    for (const entry of [...(waiting.get(jobId) ?? [])]) {
      if (!source) {
        if (take(jobId, entry)) entry.channel.send(removed(entry.request));
        continue;
      }
      const { answer, complete } = await reader.read(entry.request, source);
      if (complete && take(jobId, entry)) send(entry.channel, answer);
    }
  }

  async function wake(jobId: JobId): Promise<void> {
    if (!waiting.has(jobId)) return;
    if (waking.has(jobId)) {
      waking.set(jobId, true);
      return;
    }
    do {
      waking.set(jobId, false);
      await serve(jobId);
    } while (waking.get(jobId));
    waking.delete(jobId);
  }

  return {
    read,
    wake: (jobId) => void wake(jobId),
    drop(channel) {
      for (const [jobId, queue] of waiting) {
        for (const entry of [...queue]) if (entry.channel === channel) take(jobId, entry);
      }
    },
  };
}

function removed(request: ReadResults): Parameters<Channel["send"]>[0] {
  return {
    type: "error",
    request: request.request,
    code: "no_such_job",
    message: `Job ${request.job_id} was removed.`,
    retryable: false,
  };
}
