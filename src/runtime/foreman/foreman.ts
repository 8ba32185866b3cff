/**
 * The foreman: the pure machine, the store and the doors to clients and workers, put together. It
 * listens nowhere by itself; `server.ts` gives it sockets, tests and readers a pair in memory.
 */
import type { Clock } from "../platform/clock.ts";
import { failpoint } from "../platform/failpoint.ts";
import type { Logger } from "../platform/logger.ts";
import { assertNever, type CcError } from "../protocol/error.ts";
import type { EventKind } from "../protocol/event-kinds.ts";
import type { JobId } from "../protocol/ids.ts";
import { firstAssignmentOfEpoch } from "../protocol/ids.ts";
import type { Change } from "../scheduler/foreman/changes.ts";
import { type EventAbout, eventFacts } from "../scheduler/foreman/event-facts.ts";
import type { ForemanEffect } from "../scheduler/foreman/events.ts";
import { createForemanState, type ForemanState, recover } from "../scheduler/foreman/machine.ts";
import type { ForemanOptions } from "../scheduler/foreman/machine-interface.ts";
import { openLogsInMemory } from "../store/logs/open-logs.ts";
import type { Store } from "../store/store.ts";
import type { Channel, ChannelHandler } from "../transport/channel.ts";
import { createAttachments } from "./clients/attachments.ts";
import { noSuchJob } from "./clients/client-answers.ts";
import { createClientRequests } from "./clients/client-requests.ts";
import { createEventsDesk } from "./clients/events-desk.ts";
import { createFollowers } from "./clients/followers.ts";
import { createGarbageDesk } from "./clients/garbage-desk.ts";
import { paceChannel } from "./clients/pace.ts";
import { createResultsDesk } from "./clients/results-desk.ts";
import { createSubmissions } from "./clients/submissions.ts";
import { createSubscriptions } from "./clients/subscriptions.ts";
import { createForemanLogs } from "./logs/foreman-logs.ts";
import type { LogsParts } from "./logs/log-desk.ts";
import { createPump } from "./pump.ts";
import { createInputWindow } from "./reading/input-window.ts";
import { createJobReader } from "./reading/job-reader.ts";
import { createReaders } from "./reading/readers.ts";
import { createResultsReader } from "./reading/results-reader.ts";
import { createSettlementCache } from "./reading/settlement-cache.ts";
import { createBlobServer } from "./storage/blob-server.ts";
import { createJanitor } from "./storage/janitor.ts";
import { newWorkOf } from "./storage/new-work.ts";
import { NO_OUTPUTS, type Outputs, type OutputsOptions, openOutputs } from "./storage/outputs.ts";
import { createStorageGate } from "./storage/storage-gate.ts";
import { type ForemanStatus, readForemanStatus } from "./views/foreman-status.ts";
import { createViewBuilder, type ForemanFacts } from "./views/view-builder.ts";
import { createWorkerSessions } from "./workers/worker-sessions.ts";
import { createVitalsBook } from "./workers/worker-vitals.ts";

export interface ForemanParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options: Omit<ForemanOptions, "firstAssignmentId">;
  readonly facts: ForemanFacts;
  /** Where stdouts go that are larger than a result may be; absent: nowhere. */
  readonly outputs?: OutputsOptions;
  /** Where what tasks print is kept; absent: in memory. */
  readonly logs?: LogsParts;
  /** The store is broken: the process must end with this error's code. */
  onFatal(error: CcError): void;
  /** A client with the right asked for it. */
  onShutdownRequested(): void;
  /** Who is connected and who follows a job, whenever that changes. */
  onAudience?(audience: Audience): void;
}

export interface Audience {
  /** Connected clients, following or not. */
  readonly clients: number;
  /** Those of them that follow a job. */
  readonly followers: number;
}

export interface Foreman {
  /** The machine's memory, for whoever checks its invariants; only the pump changes it. */
  readonly state: ForemanState;
  /** Takes an authenticated channel of either role. */
  open(channel: Channel): ChannelHandler;
  /** Settles what has arrived, then closes every session; the store stays open. */
  close(): Promise<void>;
  followerCount(): number;
  /** For its own terminal. */
  status(): ForemanStatus;
}

/** Takes up where the store stands. */
export async function createForeman(parts: ForemanParts): Promise<Foreman> {
  const { store, clock, logger } = parts;
  const { epoch } = store.identity;
  const state = createForemanState({
    ...parts.options,
    firstAssignmentId: firstAssignmentOfEpoch(epoch),
  });
  const window = createInputWindow(store);
  const cache = createSettlementCache(store);
  const jobs = createJobReader({ state, store, cache, clock });
  const gate = createStorageGate({
    space: store.space,
    clock,
    logger,
    onChange: (fullFolder) => pump.post({ type: "storageChanged", fullFolder }),
  });
  const pump = createPump({
    state,
    store,
    clock,
    logger,
    gate,
    turnAway(event) {
      const work = newWorkOf(state, event);
      const refusal = work === null ? null : gate.refuseNew(work.byteCount);
      if (work === null || refusal === null) return false;
      // What of the job's inputs comes again is counted from what was committed.
      if (event.type === "tasksSubmitted") submissions.forget(event.jobId);
      clients.refuse(work.token, refusal);
      return true;
    },
    onCommitted,
    perform,
    onFatal: parts.onFatal,
  });
  const blobs = createBlobServer({ store, logger, gate, clock, nowMs: pump.nowMs });
  const submissions = createSubmissions(jobs.inputProgress);
  const attachments = createAttachments({
    graceMs: parts.options.reconnectGraceMs,
    clock,
    specOf: (jobId) => jobs.liveFacts(jobId)?.spec ?? null,
    cancel: (jobId) =>
      pump.post({
        type: "cancelRequested",
        token: null,
        jobId,
        indexes: null,
        code: "submitter_lost",
        reason: "its submitter is gone (--attached)",
      }),
  });
  const readers = createReaders((jobId, reading) =>
    pump.post({ type: "readingChanged", jobId, reading }),
  );
  const followers = createFollowers({
    readers,
    onFollowed(jobId, followed) {
      attachments.onFollowed(jobId, followed);
      if (parts.options.onlyFollowed) pump.post({ type: "followingChanged", jobId, followed });
    },
    onCount: tellAudience,
  });
  let clientCount = 0;
  let outputs: Outputs = NO_OUTPUTS;
  const vitals = createVitalsBook(pump.nowMs, (...beat) => views.watched.onBeat(...beat));
  const sessions = createWorkerSessions({
    logger,
    window,
    blobs,
    vitals,
    onActivity(...told) {
      views.watched.onActivity(...told);
      subscriptions.touch();
    },
    post: pump.post,
    nowMs: pump.nowMs,
    jobOf: jobs.liveFacts,
    outputs: () => outputs,
    logs: {
      take: (bootId, message) => logs.desk.take(bootId, message),
      forgetSession: (bootId) => logs.desk.forgetSession(bootId),
    },
    onRefused(workerId, { code, message }) {
      record("worker_refused", { workerId, body: { code, reason: message } });
    },
  });
  const views = createViewBuilder({
    state,
    store,
    jobs,
    cache,
    window,
    vitals,
    observeWorker: sessions.observe,
    logs: () => logs.desk,
    facts: parts.facts,
    clock,
    nowMs: pump.nowMs,
  });
  const noSuch = (id: number) => noSuchJob(id, state.nextJobId);
  const subscriptions = createSubscriptions(views.build, pump.nowMs, clock);
  const results = createResultsDesk(
    createResultsReader({ cache, window, readReopened: store.readReopened }),
    jobs.resultsSource,
    { clock, readers: patientReaders(), noSuchJob: noSuch },
  );
  const janitor = createJanitor({ store, clock, nowMs: pump.nowMs, onFatal: parts.onFatal });
  const garbage = createGarbageDesk({
    state,
    store,
    janitor,
    outputs: () => outputs,
    logBytesOf: (jobId) => logs.desk.countsOf(jobId)?.byteCount ?? 0,
    clock,
    nowMs: pump.nowMs,
    post: pump.post,
  });
  const logs = createForemanLogs({
    state,
    store,
    logs: parts.logs ?? { store: await openLogsInMemory(), quotaBytes: null },
    gate,
    jobs,
    clock,
    logger,
    nowMs: pump.nowMs,
    acknowledge: sessions.acknowledgeLogs,
    record,
    noSuchJob: noSuch,
  });
  const events = createEventsDesk({
    store,
    clock,
    logger,
    findJob: jobs.facts,
    noSuchJob: noSuch,
  });
  const clients = createClientRequests({
    logger,
    store,
    blobs,
    submissions,
    results,
    outputs: () => outputs.desk,
    logs: logs.readers,
    events,
    subscriptions,
    followers,
    garbage,
    post: pump.post,
    findJob: jobs.facts,
    noSuchJob: noSuch,
    viewJob: views.job,
    findFailedWith: jobs.findFailedWith,
    isLive: (jobId) => jobs.liveFacts(jobId) !== null,
    unfinishedJobs: views.unfinishedJobs,
    requestShutdown: parts.onShutdownRequested,
  });

  const stored = await store.load();
  jobs.onCommitted(stored.jobs.map(({ facts }) => facts));
  await views.watched.start();
  pump.adopt(recover(state, stored, pump.nowMs()));
  await pump.idle();
  if (parts.outputs !== undefined) {
    const { onFatal } = parts;
    const options = parts.outputs;
    outputs = await openOutputs({ options, state, jobs, readers, gate, clock, logger, onFatal });
  }
  gate.start();
  janitor.start();
  logs.desk.start();

  /** Who has read all results of a job may still read the outputs that they name. */
  function patientReaders(): Pick<typeof readers, "begin" | "end"> {
    const end: typeof readers.end = (channel, jobId) => {
      if (outputs.bytesOf(jobId) === 0) readers.end(channel, jobId);
    };
    return { begin: readers.begin, end };
  }

  /** What only the shell knows. */
  function record<Kind extends EventKind>(kind: Kind, about: EventAbout<Kind>): void {
    const event = eventFacts(pump.nowMs(), kind, about);
    pump.adopt({ changes: [{ type: "eventRecorded", event }], effects: [] });
  }

  function tellAudience(): void {
    parts.onAudience?.({ clients: clientCount, followers: followers.count() });
  }

  function openClient(channel: Channel): ChannelHandler {
    const handler = paceChannel(channel, clients.open(channel), pump.performed);
    clientCount++;
    tellAudience();
    return {
      ...handler,
      onClose(...why) {
        clientCount--;
        handler.onClose(...why);
        tellAudience();
      },
    };
  }

  /** Readers find what was just committed in memory. */
  function onCommitted(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === "inputsAppended") {
        failpoint("submit-committed");
        window.prime(change.jobId, change);
      } else if (change.type === "settled") {
        failpoint("result-committed");
        cache.prime({ ...change.settlement, sharedValue: false });
      } else if (change.type === "jobRemoved") forget(change.jobId);
      else if (change.type === "assigned") failpoint("dispatch-committed");
      else if (change.type === "restCancelled") failpoint("cancel-committed");
      if (change.type === "jobCreated" || change.type === "jobChanged") {
        jobs.onCommitted([change.facts]);
      }
    }
    outputs.onCommitted(changes);
    logs.onCommitted(changes);
    if (changes.some(({ type }) => type === "eventRecorded")) events.wake();
    janitor.onCommitted(changes);
    views.watched.onCommitted(changes);
    if (changes.length > 0) subscriptions.touch();
  }

  function forget(jobId: JobId): void {
    window.forget(jobId);
    cache.forget(jobId);
    jobs.forget(jobId);
    followers.forget(jobId);
    blobs.forgetHeld();
  }

  function perform(effect: ForemanEffect): void {
    switch (effect.type) {
      case "assignTasks":
        sessions.assign(effect);
        return;
      case "acknowledgeReports":
        sessions.acknowledge(effect.bootId, effect.seq, effect.stale);
        return;
      case "revokeTasks":
        sessions.revoke(effect, effect.revocation, effect.assignmentId, effect.indexes);
        return;
      case "cancelTasks":
        sessions.cancel(effect, effect.assignmentId, effect.indexes, effect.reason);
        return;
      case "drainSession":
        sessions.drain(effect, effect.undo);
        return;
      case "endSession":
        sessions.end(effect.bootId, effect.reason);
        return;
      case "reply":
        if (effect.answer.type === "collected") {
          garbage.onCollected(effect.token, effect.answer.jobIds);
        } else clients.reply(effect.token, effect.answer);
        return;
      case "notifySettled":
        results.wake(effect.jobId);
        logs.readers.wakeForTask(effect.jobId);
        subscriptions.touch();
        return;
      case "notifyJobChanged":
        subscriptions.touch();
        return;
      case "notifyWorkerLost":
        views.workerLost(effect.workerId, effect.runningCount);
        subscriptions.touch();
        return;
      case "notifyJobEnded":
        submissions.forget(effect.jobId);
        window.forget(effect.jobId);
        results.wake(effect.jobId);
        logs.readers.wake(effect.jobId);
        subscriptions.touch();
        return;
      default:
        assertNever(effect, "effect");
    }
  }

  return {
    state,
    open: (channel) =>
      channel.peer.role === "worker"
        ? paceChannel(channel, sessions.open(channel), pump.performed)
        : openClient(channel),
    followerCount: followers.count,
    status: () => readForemanStatus(state, pump.nowMs()),
    async close() {
      record("foreman_stopped", { body: {} });
      await pump.close();
      await logs.desk.close();
      gate.stop();
      janitor.stop();
      attachments.stop();
      await outputs.stop();
      subscriptions.stop();
      sessions.closeAll("the foreman stops");
    },
  };
}
