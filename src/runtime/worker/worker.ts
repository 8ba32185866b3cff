/**
 * A worker: the agent machine joined to the foreman, to executors and commands, to the cache of code
 * and to the machine's load. It decides nothing itself; what it must never do is act on a task that
 * the machine did not order.
 *
 * Its life: running -> stopping (the machine has said `stop`, a refusal is final, or a fault) -> ended.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Chance } from "../platform/random.ts";
import { assertNever, type CcError, toCcError } from "../protocol/error.ts";
import { asBootId, type WorkerId } from "../protocol/ids.ts";
import type { WorkerOffer } from "../protocol/job-spec.ts";
import type { MessageOf } from "../protocol/messages.ts";
import type { AgentEffect } from "../scheduler/agent/events.ts";
import { createAgentState } from "../scheduler/agent/state.ts";
import { createAgentLoop } from "./agent-loop.ts";
import { createAttemptTokens } from "./attempt-token.ts";
import { type BatchCrew, createBatchCrew } from "./batch-crew.ts";
import { createBundleCache } from "./bundle-cache.ts";
import { bundleRefusal, createBundles } from "./bundles.ts";
import { createForemanLink, type ForemanLinkOptions } from "./foreman-link.ts";
import type { HostProbe } from "./host-probe.ts";
import { createJobPlans } from "./job-plans.ts";
import { watchLoad } from "./load-monitor.ts";
import { createMessageReader } from "./message-reader.ts";
import { createOutOfMemoryWatch } from "./out-of-memory.ts";
import { openScratchSpace } from "./scratch.ts";
import { inheritEnvironment } from "./task-environment.ts";
import { startWatchdog } from "./watchdog-link.ts";

export interface WorkerOptions {
  readonly workerId: WorkerId;
  readonly offer: WorkerOffer;
  readonly dial: ForemanLinkOptions["dial"];
  /** As a person wrote it, for the log. */
  readonly foreman: string;
  readonly reconnectAttemptsMax: number | null;
  readonly cpuPercentMax: number;
  readonly memoryPercentMax: number;
  /** For tasks without a time-out of their own; null: none. */
  readonly taskTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
  readonly timeLimitMs: number | null;
  readonly cacheFolder: string;
  readonly cacheBytesMax: number;
  /** Of tasks; null: ours. */
  readonly niceness: number | null;
  /** Our own, from which tasks get a little. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly probe: HostProbe;
  readonly programs: WorkerPrograms;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
}

/** How the processes beside us are started. */
export interface WorkerPrograms {
  readonly executor: readonly string[];
  readonly watchdog: readonly string[];
}

export interface RunningWorker {
  /** Running tasks finish, the others go back; then it ends. */
  drain(reason: string): void;
  /** What runs goes back too. */
  abort(reason: string): void;
  /** Ends what runs and says nothing to anybody: the foreman is gone. */
  halt(reason: string): void;
  /** Resolves when nothing of it is left; the error that ended it, or null after a requested stop. */
  readonly ended: Promise<CcError | null>;
}

/** Often enough to react to a machine that fills up, seldom enough to cost nothing. */
const LOAD_INTERVAL_MS = 2_000;

/** @throws CcError `worker_storage` when there is no room for what tasks need. */
export function startWorker(options: WorkerOptions): RunningWorker {
  const { clock, logger, workerId } = options;
  const startedAtMs = clock.monotonicMs();
  const { timeLimitMs } = options;
  const state = createAgentState({
    workerId,
    offer: options.offer,
    cpuPercentMax: options.cpuPercentMax,
    memoryPercentMax: options.memoryPercentMax,
    idleTimeoutMs: options.idleTimeoutMs,
    timeLimitAtMs: timeLimitMs === null ? null : startedAtMs + timeLimitMs,
    startedAtMs,
  });
  const scratch = openScratchSpace(options.cacheFolder);
  const tokens = createAttemptTokens();
  const watchdog = startWatchdog({ command: options.programs.watchdog, tokens });
  const outOfMemory = createOutOfMemoryWatch();
  const cache = createBundleCache({
    cacheFolder: options.cacheFolder,
    bytesMax: options.cacheBytesMax,
    clock,
  });
  const bundles = createBundles(cache);
  const inherited = inheritEnvironment(options.environment);
  const plans = createJobPlans({ workerId, inherited });
  const ended = Promise.withResolvers<CcError | null>();
  let isStopping = false;

  const loop = createAgentLoop({ state, clock, perform, onFault: (thrown) => fail(thrown) });
  const crew: BatchCrew = createBatchCrew({
    executorCommand: options.programs.executor,
    host: { tokens, outOfMemory, watchdog },
    scratch,
    bundles,
    plans,
    clock,
    logger,
    slotCount: options.offer.slots,
    niceness: options.niceness,
    taskTimeoutMs: options.taskTimeoutMs,
    post: loop.post,
  });
  const readMessage = createMessageReader({ post: loop.post, plans, bundles, logger });
  const link = createForemanLink({
    dial: options.dial,
    address: options.foreman,
    attemptsMax: options.reconnectAttemptsMax,
    clock,
    chance: options.chance,
    logger,
    onConnected,
    onMessage: readMessage,
    onDisconnected() {
      bundles.onDisconnected();
      loop.post({ type: "disconnected" });
    },
    onFatal: (error) => void end(error),
  });
  const endLoadWatch = watchLoad({
    probe: options.probe,
    clock,
    intervalMs: LOAD_INTERVAL_MS,
    ownLeaderPids: crew.leaderPids,
    onSample(sample) {
      // An old kill must not be taken for the reason of a new death.
      outOfMemory.hasKilled();
      loop.post({ type: "loadMeasured", ...sample });
    },
  });

  function onConnected(welcome: Parameters<ForemanLinkOptions["onConnected"]>[0]): void {
    const { foremanId, heartbeatMs, leaseMs } = welcome;
    if (state.foremanId !== foremanId) plans.clear();
    const freshBootId = asBootId(randomUUID());
    loop.post({ type: "connected", foremanId, heartbeatMs, leaseMs, freshBootId });
    // After `worker_ready`, which a foreman wants first of all.
    bundles.onConnected(link.send);
  }

  function perform(effect: AgentEffect): void {
    switch (effect.type) {
      case "sendMessage":
        if (effect.message.type === "announce") logAcceptance(effect.message);
        return void link.send(effect.message);
      case "fetchBundle":
        return void fetchBundle(effect.sha256);
      case "runBatch":
        return void crew.run(effect.order);
      case "recallRows":
        return void crew.recall(effect.batchId);
      case "cancelRows":
        return void crew.cancelRows(effect.batchId, effect.rows, effect.reason);
      case "killBatch":
        return void crew.kill(effect.batchId);
      case "inspectBatch":
        return void crew.inspect(effect.batchId);
      case "redial":
        return void link.redial(effect.reason);
      case "stop":
        return void end(null, effect.reason);
      default:
        assertNever(effect, "agent effect");
    }
  }

  function logAcceptance({ accepting, reason }: MessageOf<"announce">): void {
    if (accepting) logger.info("tasks are accepted again");
    else logger.warn("no new tasks are accepted", { reason });
  }

  function fetchBundle(sha256: string): void {
    bundles.ensure(sha256).then(
      () => loop.post({ type: "bundleReady", sha256 }),
      (thrown: unknown) => {
        const { code, message } = toCcError(thrown);
        logger.error("code cannot be had", { code, reason: message });
        loop.post({ type: "bundleFailed", sha256, reason: bundleRefusal(thrown) });
      },
    );
  }

  function fail(thrown: unknown): void {
    logger.error("the worker meets a fault of its own", { error: thrown });
    void end(toCcError(thrown));
  }

  async function end(error: CcError | null, reason = "fault"): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    loop.close();
    endLoadWatch();
    await link.close(reason);
    bundles.close();
    await crew.close();
    // Only now: until then it would have ended what the crew ends in order.
    await watchdog.close();
    await scratch.close().catch(() => {});
    ended.resolve(error);
  }

  return {
    drain: (reason) => loop.post({ type: "drainRequested", reason }),
    abort: (reason) => loop.post({ type: "abortRequested", reason }),
    halt: (reason) => void end(null, reason),
    ended: ended.promise,
  };
}
