/**
 * The foreman's daemon: opens the store, listens, says where it is and how a worker joins, and stays
 * until it is asked to stop. With the hidden tie it belongs to another command and ends when nobody
 * follows.
 */
import { closeSync, createReadStream, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Audience } from "../runtime/foreman/foreman.ts";
import {
  type ForemanServer,
  type ForemanServerOptions,
  startForemanServer,
} from "../runtime/foreman/server.ts";
import {
  type EmbeddedWorker,
  startEmbeddedWorker,
} from "../runtime/foreman/workers/embedded-worker.ts";
import { systemClock } from "../runtime/platform/clock.ts";
import type { Logger } from "../runtime/platform/logger.ts";
import { accountName, findPaths } from "../runtime/platform/paths.ts";
import { safeText } from "../runtime/platform/safe-text.ts";
import { leaveDatabasesAsTheyAre, watchStopSignals } from "../runtime/platform/shutdown.ts";
import { CcError, type ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { outliveFleeting } from "./outlive-fleeting.ts";
import { createDaemonLogger, daemonLogLevel } from "./status/daemon-logger.ts";
import { foremanRows } from "./status/foreman-rows.ts";
import { type LiveStatus, openStatus } from "./status/open-status.ts";
import type { FOREMAN_VERB } from "./tables/daemons.ts";

type Context = CommandContext<typeof FOREMAN_VERB>;

/** A tied foreman that nobody follows any more waits so long for the next command of a script. */
const UNFOLLOWED_LINGER_MS = 200;
/** And so long for a command that is connected and may still be uploading what it will follow. */
const CONNECTED_LINGER_MS = 5_000;

export async function serveForeman(context: Context): Promise<ExitCode> {
  const status = openStatus(context, context.values);
  try {
    return await serve(context, status);
  } finally {
    await status?.close();
  }
}

async function serve(context: Context, status: LiveStatus | null): Promise<ExitCode> {
  const { values, io } = context;
  const logger = createDaemonLogger(context);
  refuseOpenHost(values.host, values.insecurePlaintext === true, logger);
  const stop = Promise.withResolvers<ExitCode>();
  let failure: CcError | null = null;
  const crew = createCrew((slots) =>
    startEmbeddedWorker({
      slots,
      url: server.url,
      keyFile: server.workerKeyFile,
      logLevel: values.tiedFd === undefined ? daemonLogLevel(context) : "warn",
      // Its lines scroll by above the status, as our own do.
      onLine: status === null ? null : (line) => void io.stderr.write(`${safeText(line)}\n`),
      logger,
    }),
  );
  const tie = createTie(values.tiedFd, {
    end: () => stop.resolve(0),
    onFollowed: () => crew.start(availableParallelism()),
  });
  const server = await startServer(context, {
    logger,
    onFatal(error) {
      failure = error;
      stop.resolve(error.exitCode);
    },
    onShutdownRequested() {
      logger.info("foreman stops", { by: "cc shutdown" });
      stop.resolve(0);
    },
    onAudience: tie.onAudience,
  });
  if (values.workers) crew.start(values.workers);
  // Before anybody knows that it is up: whoever does may stop it at once.
  const forget = watchStopSignals({
    onFirst(signal) {
      logger.info("foreman stops", { signal });
      stop.resolve(0);
    },
  });
  await announce(context, server.url, server.storeFolder);
  const place = { url: server.url, join: joinWords(server.url) };
  status?.show((look) => foremanRows(server.status(), place, look));
  const exitCode = await stop.promise;
  await status?.close();
  forget();
  // The worker hands back what it can while we still listen; a broken store can take nothing back.
  if (failure === null) await crew.stop();
  await server.close();
  if (failure !== null) throw brokenStore(failure);
  return exitCode;
}

function brokenStore(failure: CcError): CcError {
  if (failure.code === "storage_failed") leaveDatabasesAsTheyAre();
  return failure;
}

async function startServer(
  { values, env, cwd }: Context,
  hooks: Pick<ForemanServerOptions, "logger" | "onFatal" | "onShutdownRequested" | "onAudience">,
): Promise<ForemanServer> {
  const paths = findPaths(env);
  const isTied = values.tiedFd !== undefined;
  const start = (): Promise<ForemanServer> =>
    startForemanServer({
      ...hooks,
      host: values.host,
      port: values.port,
      fallbackToFreePort: values.anyPort === true,
      storeFolder: values.store ?? null,
      paths,
      owner: accountName(env),
      timing: {
        heartbeatMs: values.heartbeat,
        leaseMs: values.lease,
        reconnectGraceMs: values.reconnectGrace,
      },
      onlyFollowed: isTied,
      retention: {
        completedMs: orNull(values.retainCompleted),
        failedMs: orNull(values.retainFailed),
        jobsMax: orNull(values.retainJobs),
        onlyOnRequest: values.retainOnRequest === true,
      },
      outputBytesMax: values.outputSize ?? null,
      logBytesMax: values.logsSize ?? null,
      clock: systemClock,
    });
  // Whoever starts a tied one looks for others itself; another store is nobody's by chance.
  if (isTied || values.store !== undefined) return await start();
  const request = { foreman: undefined, keyFile: undefined, cwd, paths, clock: systemClock };
  return await outliveFleeting(request, start);
}

const orNull = (value: number | "none"): number | null => (value === "none" ? null : value);

/** Beyond this machine everything would travel in the clear. */
function refuseOpenHost(host: string, insecurePlaintext: boolean, logger: Logger): void {
  if (isLoopback(host)) return;
  if (insecurePlaintext) {
    logger.warn(
      "listening beyond this machine without TLS: code, inputs and results travel in the clear",
      {
        host,
      },
    );
    return;
  }
  throw new CcError({
    code: "plaintext_refused",
    message: `Listening on ${host} would send code and results over the network in the clear.`,
    hint: "Keep --host 127.0.0.1, or accept it on a network you trust: --insecure-plaintext",
    exitCode: 78,
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

async function announce(context: Context, url: string, storeFolder: string): Promise<void> {
  const { values, io } = context;
  if (values.readyFile !== undefined) await writeFile(values.readyFile, `${url}\n`);
  if (values.readyFd !== undefined) {
    writeSync(values.readyFd, `${url}\n`);
    closeSync(values.readyFd);
  }
  // Whoever started it as a child knows the URL by now.
  if (values.readyFd !== undefined) return;
  const join = joinWords(url);
  await io.stderr.write(`foreman at ${url}\nstore   ${storeFolder}\nworkers join with: ${join}\n`);
}

const joinWords = (url: string): string =>
  url === "ws://127.0.0.1:9000" ? "cc worker" : `cc worker --foreman ${url}`;

interface Crew {
  /** Does nothing when it has been started before. */
  start(slots: number): void;
  stop(): Promise<void>;
}

/** Our own worker, once there is a reason to have one. */
function createCrew(startWorker: (slots: number) => EmbeddedWorker): Crew {
  let worker: EmbeddedWorker | null = null;
  return {
    start(slots) {
      worker ??= startWorker(slots);
    },
    async stop() {
      await worker?.stop();
    },
  };
}

interface Tie {
  onAudience(audience: Audience): void;
}

/**
 * Ends the foreman once the other end of the pipe is closed and no connection follows a job. One that
 * was started without workers, for a single act, gets them when another command follows a job here.
 */
function createTie(
  fd: number | undefined,
  then: { readonly end: () => void; readonly onFollowed: () => void },
): Tie {
  let isLoose = false;
  let audience: Audience = { clients: 0, followers: 0 };
  let timer: ReturnType<typeof setTimeout> | null = null;
  if (fd === undefined) return { onAudience: () => {} };

  function check(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (!isLoose || audience.followers > 0) return;
    const lingerMs = audience.clients > 0 ? CONNECTED_LINGER_MS : UNFOLLOWED_LINGER_MS;
    timer = setTimeout(then.end, lingerMs);
  }
  const pipe = createReadStream("", { fd, autoClose: true });
  const loosen = (): void => {
    isLoose = true;
    check();
  };
  pipe.on("end", loosen);
  pipe.on("error", loosen);
  pipe.resume();
  return {
    onAudience(next) {
      audience = next;
      if (next.followers > 0) then.onFollowed();
      check();
    },
  };
}
