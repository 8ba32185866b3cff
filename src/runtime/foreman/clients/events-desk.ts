/**
 * Where readers of events stand: a request that waits is kept here until something is recorded that it
 * wants, at most one turn of WAIT_MS. A connection may have a few requests open, never many.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { asJobId, asWorkerId, type JobId } from "../../protocol/ids.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { Store } from "../../store/store.ts";
import type { Channel } from "../../transport/channel.ts";
import { type Events, type ReadEvents, readEventsPage } from "../reading/events-reader.ts";
import { WAIT_MS } from "../reading/results-reader.ts";
import { checkIndexes, noSuchWorker } from "./client-answers.ts";

const WAITING_PER_CHANNEL_MAX = 100;

export interface EventsDesk {
  /** @throws CcError `no_such_job`, `no_such_task`, `no_such_worker`, `too_many_readers`. */
  read(channel: Channel, request: ReadEvents): Promise<void>;
  /** Something was recorded and is committed. */
  wake(): void;
  drop(channel: Channel): void;
}

export interface EventsDeskParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  findJob(jobId: JobId): Promise<JobFacts | null>;
  noSuchJob(id: number): CcError;
}

interface Waiting {
  readonly channel: Channel;
  /** Its cursor moves on over what it does not want. */
  request: ReadEvents;
  readonly deadline: Timer;
}

export function createEventsDesk(parts: EventsDeskParts): EventsDesk {
  const { store, clock, logger } = parts;
  const waiting = new Set<Waiting>();
  let isServing = false;
  let isWoken = false;

  async function read(channel: Channel, request: ReadEvents): Promise<void> {
    await checkSubject(request);
    const answer = await readEventsPage(parts, request);
    if (isReady(answer) || !request.wait) channel.send(answer);
    else wait(channel, { ...request, after: answer.next_after });
  }

  async function checkSubject({ job_id, index, worker_id }: ReadEvents): Promise<void> {
    if (job_id !== undefined) {
      const job = await parts.findJob(asJobId(job_id));
      if (job === null) throw parts.noSuchJob(job_id);
      if (index !== undefined) checkIndexes(job, Uint32Array.of(index));
    }
    if (worker_id === undefined) return;
    if ((await store.readWorker(asWorkerId(worker_id))) === null) {
      throw noSuchWorker(worker_id);
    }
  }

  function wait(channel: Channel, request: ReadEvents): void {
    let open = 0;
    for (const entry of waiting) if (entry.channel === channel) open++;
    if (open >= WAITING_PER_CHANNEL_MAX) {
      throw new CcError({
        code: "too_many_readers",
        message: `This connection waits for events ${open} times already.`,
        exitCode: 3,
      });
    }
    const deadline = clock.setTimer(WAIT_MS, () => void answerEmpty(entry));
    const entry: Waiting = { channel, request, deadline };
    waiting.add(entry);
    // What was recorded while we read has woken nobody who stands here.
    wake();
  }

  async function answerEmpty(entry: Waiting): Promise<void> {
    if (!take(entry)) return;
    try {
      entry.channel.send(await readEventsPage(parts, entry.request));
    } catch (thrown) {
      refuse(entry, thrown);
    }
  }

  function take(entry: Waiting): boolean {
    entry.deadline.cancel();
    return waiting.delete(entry);
  }

  function wake(): void {
    isWoken = true;
    if (!isServing && waiting.size > 0) void serve();
  }

  async function serve(): Promise<void> {
    isServing = true;
    while (isWoken) {
      isWoken = false;
      for (const entry of [...waiting]) await serveOne(entry);
    }
    isServing = false;
  }

  async function serveOne(entry: Waiting): Promise<void> {
    try {
      const answer = await readEventsPage(parts, entry.request);
      entry.request = { ...entry.request, after: answer.next_after };
      if (isReady(answer) && take(entry)) entry.channel.send(answer);
    } catch (thrown) {
      if (take(entry)) refuse(entry, thrown);
    }
  }

  function refuse({ channel, request }: Waiting, thrown: unknown): void {
    const error = toCcError(thrown);
    logger.error("events could not be read", { code: error.code, cause: thrown });
    channel.send({ type: "error", request: request.request, ...error.toView() });
  }

  return {
    read,
    wake,
    drop(channel) {
      for (const entry of [...waiting]) if (entry.channel === channel) take(entry);
    },
  };
}

/** Something to print, or a search that has not come to its end. */
const isReady = (answer: Events): boolean => answer.events.length > 0 || !answer.end;
