/**
 * A worker: the agent machine joined to the foreman, to executors and commands, to the cache of code
 * and to the machine's load. It decides nothing itself; what it must never do is act on a task that
 * the machine did not order.
 *
 * Its life: running -> stopping (the machine has said `stop`, a refusal is final, or a fault) -> ended.
 */
import { randomUUID } from "node:crypto";
import { type CcError, toCcError } from "../protocol/error.ts";
import { asBootId } from "../protocol/ids.ts";
import { type AgentOptions, createAgentState } from "../scheduler/agent/state.ts";
import { leaveUnheard } from "../scheduler/agent/stopping.ts";
import type { WelcomeFacts } from "../transport/channel.ts";
import { createActivityReporter } from "./activity/activity-reporter.ts";
import { createWorkerStatusBook, type WorkerStatus } from "./activity/worker-status.ts";
import { createAgentLoop, type WorkerEvent } from "./agent-loop.ts";
import { createBatchCrew } from "./batch-crew.ts";
import { type PerformerParts, performEffect } from "./effect-performer.ts";
import { createForemanLink } from "./foreman-link.ts";
import { watchLoad } from "./host/load-monitor.ts";
import { watchStorage } from "./host/storage-watch.ts";
import { createMessageReader } from "./message-reader.ts";
import type { WorkerOptions } from "./worker-options.ts";
import { openWorkerParts } from "./worker-parts.ts";

export interface RunningWorker {
  /** Running tasks finish, the others go back; then it ends. */
  drain(reason: string): void;
  /** What runs goes back too. */
  abort(reason: string): void;
  /** Ends what runs and says nothing to anybody: the foreman is gone. */
  halt(reason: string): void;
  /** What it does just now, with so many of its running tasks at most. */
  status(tasksMax: number): WorkerStatus;
  /** Resolves when nothing of it is left; the error that ended it, or null after a requested stop. */
  readonly ended: Promise<CcError | null>;
}

/** Often enough to react to a machine that fills up, seldom enough to cost nothing. */
const LOAD_INTERVAL_MS = 2_000;

/** @throws CcError `worker_storage` when there is no room for what tasks need. */
export function startWorker(options: WorkerOptions): RunningWorker {
  const { clock, logger } = options;
  const state = createAgentState(agentOptionsOf(options));
  const parts = openWorkerParts(options);
  const { bundles, plans, host, outputs, logs } = parts;
  const ended = Promise.withResolvers<CcError | null>();
  let isEnding = false;
  /** Until a fault of our own: then nothing that the machine remembers is worth writing down. */
  let isSound = true;

  const activity = createActivityReporter({
    state,
    clock,
    look: (batchId) => crew.look(batchId),
    send: (message) => link.send(message),
  });
  const status = createWorkerStatusBook({
    state,
    look: (batchId) => crew.look(batchId),
    nameOf: (jobId, specVersion) => plans.find(jobId, specVersion)?.spec.name ?? null,
  });
  const loop = createAgentLoop({
    state,
    clock,
    // The link comes last, and nothing is ordered before it has a connection.
    perform(effect) {
      activity.onEffect(effect);
      performEffect(effect, performer);
    },
    onFault(thrown) {
      isSound = false;
      logger.error("the worker meets a fault of its own", { error: thrown });
      void end(toCcError(thrown));
    },
  });
  const post = (event: WorkerEvent): void => {
    activity.onEvent(event);
    status.onEvent(event);
    loop.post(event);
  };
  const storage = watchStorage({
    folder: parts.scratch.folder,
    clock,
    intervalMs: LOAD_INTERVAL_MS,
    onTrouble: (trouble) => post({ type: "storageMeasured", trouble }),
  });
  const onStorageFault = storage.check;
  const crew = createBatchCrew({ ...parts, ...crewOptionsOf(options), post, onStorageFault });
  const endLoadWatch = watchLoad({
    probe: options.probe,
    clock,
    intervalMs: LOAD_INTERVAL_MS,
    ownLeaderPids: crew.leaderPids,
    onSample(sample) {
      // An old kill must not be taken for the reason of a new death.
      host.outOfMemory.hasKilled();
      crew.collectPrinted();
      post({ type: "loadMeasured", ...sample });
    },
  });
  const read = createMessageReader({ post, plans, bundles, outputs, logs, logger });
  const link = createForemanLink({
    ...linkOptionsOf(options),
    onConnected(welcome) {
      if (state.foremanId !== welcome.foremanId) plans.clear();
      post(connectedOf(welcome));
      // After `worker_ready`, which a foreman wants first of all.
      bundles.onConnected(link.send);
      outputs.onConnected(link.send, welcome.features ?? []);
      const features = welcome.features ?? [];
      logs.onConnected(link, { bootId: state.bootId ?? "", features });
    },
    onMessage: (message) =>
      message.type === "observe" ? activity.observe(message.seconds) : read(message),
    onDisconnected() {
      bundles.onDisconnected();
      activity.onDisconnected();
      outputs.onDisconnected();
      logs.onDisconnected();
      post({ type: "disconnected" });
    },
    onFatal: (error) => void end(error),
  });
  const onStop = (reason: string): void => void end(null, reason);
  const { spool } = options;
  const performer: PerformerParts = {
    link,
    crew,
    bundles,
    logs,
    spool,
    logger,
    post,
    onStorageFault,
    onStop,
  };

  async function end(error: CcError | null, reason = "fault"): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    loop.close();
    if (isSound) {
      const unheard = leaveUnheard(state, clock.monotonicMs());
      for (const effect of unheard) performEffect(effect, performer);
    }
    endLoadWatch();
    activity.stop();
    storage.stop();
    logs.close();
    await link.close(reason);
    bundles.close();
    await crew.close();
    await options.spool?.settled();
    await parts.close();
    ended.resolve(error);
  }

  return {
    drain: (reason) => post({ type: "drainRequested", reason }),
    abort: (reason) => post({ type: "abortRequested", reason }),
    halt: (reason) => void end(null, reason),
    status: status.read,
    ended: ended.promise,
  };
}

function agentOptionsOf(options: WorkerOptions): AgentOptions {
  const { workerId, offer, cpuPercentMax, memoryPercentMax, idleTimeoutMs, timeLimitMs } = options;
  const { spool, spoolAfterMs } = options;
  const startedAtMs = options.clock.monotonicMs();
  const timeLimitAtMs = timeLimitMs === null ? null : startedAtMs + timeLimitMs;
  const limits = { cpuPercentMax, memoryPercentMax, idleTimeoutMs, timeLimitAtMs };
  const spooling =
    spool === null ? {} : { spoolAfterUs: spoolAfterMs * 1000, spooled: spool.recovered };
  return { workerId, offer, ...limits, ...spooling, startedAtMs };
}

function crewOptionsOf(options: WorkerOptions) {
  const { clock, logger, niceness, taskTimeoutMs, offer, programs } = options;
  const executorCommand = programs.executor;
  return { executorCommand, clock, logger, slotCount: offer.slots, niceness, taskTimeoutMs };
}

function linkOptionsOf(options: WorkerOptions) {
  const { dial, foreman, reconnectAttemptsMax, clock, chance, logger } = options;
  return { dial, address: foreman, attemptsMax: reconnectAttemptsMax, clock, chance, logger };
}

function connectedOf({ foremanId, heartbeatMs, leaseMs }: WelcomeFacts): WorkerEvent {
  const freshBootId = asBootId(randomUUID());
  return { type: "connected", foremanId, heartbeatMs, leaseMs, freshBootId };
}
