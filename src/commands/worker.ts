/**
 * `cc worker`: takes a name, offers this machine's slots to a foreman and stays until it is asked to
 * stop. The first signal drains, the second hands back what runs. With the hidden tie it belongs to a
 * foreman that started it, and ends at once when that is gone.
 */
import { createReadStream } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { systemClock } from "../runtime/platform/clock.ts";
import type { Logger } from "../runtime/platform/logger.ts";
import { findPaths, type Paths } from "../runtime/platform/paths.ts";
import { chance } from "../runtime/platform/random.ts";
import { selfCommand } from "../runtime/platform/self.ts";
import { watchStopSignals } from "../runtime/platform/shutdown.ts";
import { PROGRAM_VERSION } from "../runtime/platform/version.ts";
import { CcError, type ExitCode, toCcError } from "../runtime/protocol/error.ts";
import { type WorkerOffer, workerOffer } from "../runtime/protocol/job-spec.ts";
import { NAME_BYTES_MAX } from "../runtime/protocol/limits.ts";
import { WORKER_FEATURES } from "../runtime/protocol/messages.ts";
import { SPOOL_AFTER_MS } from "../runtime/scheduler/agent/spooling.ts";
import { parseForemanAddress } from "../runtime/transport/foreman-address.ts";
import { ensureKeyFile, readKeyFile } from "../runtime/transport/key-files.ts";
import type { Key } from "../runtime/transport/keys.ts";
import { createForemanDial, describeForeman } from "../runtime/worker/foreman-dial.ts";
import { createHostProbe, type HostProbe } from "../runtime/worker/host/host-probe.ts";
import { acquireIdentity } from "../runtime/worker/host/identity.ts";
import { openSpool } from "../runtime/worker/spool/spool.ts";
import { type RunningWorker, startWorker } from "../runtime/worker/worker.ts";
import type { CommandContext } from "./command-context.ts";
import { createDaemonLogger } from "./status/daemon-logger.ts";
import { type LiveStatus, openStatus } from "./status/open-status.ts";
import { TASK_ROWS_MAX, workerRows } from "./status/worker-rows.ts";
import type { WORKER_VERB } from "./tables/daemons.ts";

type Context = CommandContext<typeof WORKER_VERB>;
type Values = Context["values"];

/** A foreman that ends does not wait for its own worker's tasks longer than this. */
const TIED_DRAIN_MS = 2_000;

export async function run(context: Context): Promise<ExitCode> {
  const status = openStatus(context, context.values);
  try {
    return await work(context, status);
  } finally {
    await status?.close();
  }
}

async function work(context: Context, status: LiveStatus | null): Promise<ExitCode> {
  const { values, env } = context;
  const logger = createDaemonLogger(context);
  const paths = findPaths(env);
  const probe = createHostProbe();
  const offer = createOffer(values, probe);
  const key = configured(() => readKey(context, paths));
  if (values.foreman !== undefined) configured(() => parseForemanAddress(values.foreman as string));
  const identity = await acquireIdentity({
    wantedId: values.id ?? null,
    hostName: hostname(),
    stateFolder: paths.stateFolder,
  });
  const { workerId } = identity;
  const isTied = values.tiedFd !== undefined;
  try {
    const where = { url: values.foreman ?? null, defaultStore: paths.defaultStore };
    const foreman = describeForeman(where);
    // Before it says that it starts: from there on a signal must find somebody who listens.
    const spool = await openSpool({ folder: identity.spoolFolder, workerId, logger });
    logger.info("worker starts", { worker: workerId, slots: offer.slots, foreman });
    const worker = startWorker({
      workerId,
      offer,
      foreman,
      dial: createForemanDial({ ...where, key, clock: systemClock, logger }),
      reconnectAttemptsMax: numberOr(values.reconnectAttempts, null),
      cpuPercentMax: values.maxCpu,
      memoryPercentMax: values.maxMemory,
      taskTimeoutMs: values.taskTimeout ?? null,
      // A foreman's own worker lives as long as that, whatever the settings say of others.
      idleTimeoutMs: isTied ? null : (values.idleTimeout ?? null),
      timeLimitMs: isTied ? null : (values.timeLimit ?? null),
      spool,
      spoolAfterMs: SPOOL_AFTER_MS,
      cacheFolder:
        values.cacheDir === undefined ? paths.cacheFolder : fromHere(context, values.cacheDir),
      cacheBytesMax: values.cacheSize,
      niceness: values.nice ?? null,
      environment: env,
      probe,
      programs: {
        executor: selfCommand(["--internal-role=executor"]),
        watchdog: selfCommand(["--internal-role=watchdog"]),
      },
      clock: systemClock,
      chance,
      logger,
    });
    const place = { workerId, foreman };
    status?.show((look) => workerRows(worker.status(TASK_ROWS_MAX), place, look));
    const error = await stayUntilEnded(worker, values, logger);
    await status?.close();
    if (error !== null) throw error;
    logger.info("worker ends");
    return 0;
  } finally {
    identity.release();
  }
}

async function stayUntilEnded(
  worker: RunningWorker,
  values: Values,
  logger: Logger,
): Promise<CcError | null> {
  const isTied = values.tiedFd !== undefined;
  const forget = watchStopSignals({
    onFirst(signal) {
      logger.info("worker drains", { signal });
      worker.drain(signal);
      const abort = (): void => worker.abort("the foreman ends");
      if (isTied) systemClock.setTimer(TIED_DRAIN_MS, abort, { holdsProcess: false });
    },
    onSecond(signal) {
      logger.info("worker hands back what it runs", { signal });
      worker.abort(signal);
    },
  });
  if (values.tiedFd !== undefined)
    watchTie(values.tiedFd, () => worker.halt("the foreman is gone"));
  const error = await worker.ended;
  forget();
  return error;
}

/** The other end of the pipe is the foreman's, and closes with it however that dies. */
function watchTie(fd: number, onGone: () => void): void {
  const pipe = createReadStream("", { fd, autoClose: true });
  pipe.on("end", onGone);
  pipe.on("error", onGone);
  pipe.resume();
}

function createOffer(values: Values, probe: HostProbe): WorkerOffer {
  for (const pattern of values.queues) checkQueuePattern(pattern);
  return checkOffer({
    slots: values.slots ?? probe.processorCount,
    queues: [...values.queues],
    roles: [...(values.role ?? [])],
    // What the option table's `pairs` and `amounts` yield.
    labels: { ...(values.label as Readonly<Record<string, string>> | undefined) },
    resources: { ...(values.resource as Readonly<Record<string, number>> | undefined) },
    memory_bytes: probe.memoryBytes,
    queue_size: numberOr(values.queueSize, null),
    time_left_ms: null,
    sandbox: values.sandbox,
    host: hostname(),
    platform: `${process.platform}-${process.arch}`,
    version: PROGRAM_VERSION,
    pid: process.pid,
    features: [...WORKER_FEATURES],
  });
}

/** Names of the offer's fields that people give by options. */
const OPTION_OF_FIELD: Readonly<Record<string, string>> = {
  queues: "--queues",
  roles: "--role",
  labels: "--label",
  resources: "--resource",
};

/** What a foreman would refuse each time is refused before the first. */
function checkOffer(offer: WorkerOffer): WorkerOffer {
  const parsed = workerOffer.safeParse(offer);
  if (parsed.success) return offer;
  const field = String(parsed.error.issues[0]?.path[0] ?? "");
  throw new CcError({
    code: "bad_offer",
    message: `${OPTION_OF_FIELD[field] ?? field}: too many or too long; expected at most 256 names of at most ${NAME_BYTES_MAX} characters.`,
    exitCode: 64,
  });
}

function checkQueuePattern(pattern: string): void {
  if (/^!?[A-Za-z0-9_.*-]+$/.test(pattern)) return;
  throw new CcError({
    code: "bad_queue_pattern",
    message: `--queues: "${pattern}" is no pattern of queues.`,
    hint: "Write for example math.*,images or '*,!slow.*'.",
    exitCode: 64,
  });
}

/** The key that was named, or this account's own, which is made when it is missing. */
function readKey(context: Context, paths: Paths): Key {
  const { keyFile } = context.values;
  if (keyFile !== undefined) return readKeyFile(fromHere(context, keyFile));
  return ensureKeyFile(paths.localWorkerKey, "worker");
}

/** What is wrong with the settings of a daemon ends it with 78. */
function configured<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    const error = toCcError(thrown);
    throw new CcError({ ...error.toView(), exitCode: 78, cause: error });
  }
}

const fromHere = ({ cwd }: Context, path: string): string => resolve(cwd, path);

const numberOr = (value: number | string | undefined, otherwise: null): number | null =>
  typeof value === "number" ? value : otherwise;
