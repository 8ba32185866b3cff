/**
 * A foreman of one's own: `cc foreman` as a child, tied to this process by a pipe, so that it ends when
 * nobody follows a job any more, however this process ends. It runs in a group of its own: Ctrl-C is
 * for this process to answer, and the foreman stops in order once the pipe is closed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../platform/clock.ts";
import { findPaths } from "../platform/paths.ts";
import { selfCommand } from "../platform/self.ts";
import { withSmallHeap } from "../platform/small-heap.ts";
import { CcError } from "../protocol/error.ts";
import { DEFAULT_PORT } from "../transport/foreman-address.ts";
import type { Connection } from "./connection.ts";
import { connectTo, readKey } from "./resolve.ts";

export interface TiedForemanRequest {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly keyFile: string | undefined;
  /** Slots of its worker; 0: none. */
  readonly workers: number;
  /** null: the account's default store. */
  readonly storeFolder?: string | null;
  /** Take a free port when the default one is taken. */
  readonly anyPort?: boolean;
  /** It forgets jobs only when asked to, so that it can say which. */
  readonly retainsUntilAsked?: boolean;
  readonly clock?: Clock;
}

export interface TiedForeman {
  readonly url: string;
  readonly storeFolder: string;
  readonly connection: Connection;
  /** @throws CcError, not retryable once the child has ended. */
  redial(): Promise<Connection>;
  /** Lets go of it: it ends unless others follow jobs there. Does not wait for that. */
  release(): Promise<void>;
  /** Lets go, waits for its end and removes its store; for a store that nobody else knows. */
  discard(): Promise<void>;
}

const DEFAULT_HOST = "127.0.0.1";
const TIE_FD = 3;
const READY_FD = 4;
/** A start takes a fraction of a second; a store of many jobs some seconds. */
const READY_MS_MAX = 60_000;
const END_MS_MAX = 10_000;
/** The log of tied foremen begins anew beyond this. */
const LOG_BYTES_MAX = 1024 * 1024;
const REASON_BYTES_MAX = 4096;

/** @throws CcError `already_running`, `address_in_use`, or `foreman_not_started` with its last words. */
export async function startTiedForeman(request: TiedForemanRequest): Promise<TiedForeman> {
  const { clock = systemClock } = request;
  const paths = findPaths(request.env);
  const storeFolder = request.storeFolder ?? paths.defaultStore;
  const key = readKey({ ...request, paths });
  const child = startChild(request, storeFolder);
  const { url, connection } = await connectOrLetGo(child, async () => {
    const ready = await readyUrl(child, clock);
    return { url: ready, connection: await connectTo(ready, key, { clock }) };
  });
  const release = async (): Promise<void> => {
    connection.close();
    child.letGo();
  };
  return {
    url,
    storeFolder,
    connection,
    async redial() {
      if (child.hasEnded()) throw ended(child);
      return await connectTo(url, key, { clock });
    },
    release,
    async discard() {
      await release();
      await child.awaitEnd(clock);
      rmSync(storeFolder, { recursive: true, force: true });
    },
  };
}

async function connectOrLetGo<Value>(child: Child, open: () => Promise<Value>): Promise<Value> {
  try {
    return await open();
  } catch (thrown) {
    child.letGo();
    throw thrown;
  }
}

interface Child {
  readonly process: ChildProcess;
  readonly logFile: string;
  hasEnded(): boolean;
  letGo(): void;
  awaitEnd(clock: Clock): Promise<void>;
  /** What it has said on stderr since its start, the end of it. */
  lastWords(): string;
}

function startChild(request: TiedForemanRequest, storeFolder: string): Child {
  const logFile = join(storeFolder, "logs", "tied-foreman.log");
  const log = openLog(logFile);
  const [program, ...words] = selfCommand([
    "foreman",
    `--tied-fd=${TIE_FD}`,
    `--ready-fd=${READY_FD}`,
    "--log-level=warn",
    // Said outright: the configuration of foremen that a person starts is not meant for this one.
    `--host=${DEFAULT_HOST}`,
    `--port=${DEFAULT_PORT}`,
    `--store=${storeFolder}`,
    `--workers=${request.workers}`,
    ...(request.anyPort ? ["--any-port"] : []),
    ...(request.retainsUntilAsked ? ["--retain-on-request"] : []),
  ]);
  const child = spawn(program, words, {
    cwd: "/",
    env: { ...withSmallHeap(childEnvironment(request.env)) },
    detached: true,
    stdio: ["ignore", "ignore", log.fd, "pipe", "pipe"],
  });
  closeSync(log.fd);
  let end: { readonly code: number | null } | null = null;
  const ended = Promise.withResolvers<void>();
  child.on("exit", (code) => {
    end = { code };
    ended.resolve();
  });
  // Without an executable there is no exit; the reason is in `spawn`'s own words then.
  child.on("error", () => ended.resolve());
  // A child that is gone shows by its exit; the pipe's own complaint says nothing more.
  for (const fd of [TIE_FD, READY_FD]) pipeOf(child, fd)?.on("error", () => {});
  return {
    process: child,
    logFile,
    hasEnded: () => end !== null || child.pid === undefined,
    letGo() {
      for (const fd of [TIE_FD, READY_FD]) pipeOf(child, fd)?.destroy();
      child.unref();
    },
    async awaitEnd(clock) {
      const timer = Promise.withResolvers<void>();
      const waiting = clock.setTimer(END_MS_MAX, timer.resolve);
      await Promise.race([ended.promise, timer.promise]);
      waiting.cancel();
    },
    lastWords: () =>
      readFileSync(logFile).subarray(log.from).subarray(-REASON_BYTES_MAX).toString(),
  };
}

/** Without what only makes sense for a foreman that stays. */
function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const { CC_READY_FILE: _, ...kept } = env;
  return kept;
}

/** @throws CcError `store_folder` when this account may not write there. */
function openLog(file: string): { readonly fd: number; readonly from: number } {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const from = size > LOG_BYTES_MAX ? 0 : size;
    return { fd: openSync(file, from === 0 ? "w" : "a", 0o600), from };
  } catch (cause) {
    throw new CcError({
      code: "store_folder",
      message: `A foreman could not be started here: ${file} cannot be written (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`,
      hint: "Name a foreman with --foreman URL, or set XDG_STATE_HOME to a folder of yours.",
      exitCode: 3,
      cause,
    });
  }
}

function pipeOf(child: ChildProcess, fd: number): Duplex | null {
  // Beyond the first three, `stdio` holds sockets where `pipe` was asked for.
  return (child.stdio as readonly unknown[])[fd] as Duplex | null;
}

/** The line that it writes once it accepts connections. */
async function readyUrl(child: Child, clock: Clock): Promise<string> {
  const answer = Promise.withResolvers<string | null>();
  const timer = clock.setTimer(READY_MS_MAX, () => answer.resolve(null));
  const pipe = pipeOf(child.process, READY_FD);
  let text = "";
  pipe?.on("data", (piece: Buffer) => {
    text += piece.toString();
    if (text.includes("\n")) answer.resolve(text.trim());
  });
  pipe?.on("error", () => answer.resolve(null));
  child.process.on("error", () => answer.resolve(null));
  // The pipe's end comes with the child's end, unless the line came before.
  child.process.on("exit", () => answer.resolve(null));
  const url = await answer.promise;
  timer.cancel();
  if (url !== null) return url;
  throw notStarted(child);
}

const EXIT_ADDRESS_IN_USE = 69;
const EXIT_ALREADY_RUNNING = 75;

function notStarted(child: Child): CcError {
  const { exitCode } = child.process;
  const words = child.lastWords().trim();
  const code =
    exitCode === EXIT_ALREADY_RUNNING
      ? "already_running"
      : exitCode === EXIT_ADDRESS_IN_USE
        ? "address_in_use"
        : "foreman_not_started";
  return new CcError({
    code,
    message: `A foreman could not be started here: ${firstSentence(words) ?? `it ended with ${exitCode ?? "a signal"}`}`,
    hint: `Its log is ${child.logFile}.`,
    exitCode: 3,
  });
}

/** The child's own error, without the mark that each error begins with. */
function firstSentence(words: string): string | null {
  const line = words.split("\n").find((each) => each.startsWith("cc: "));
  return line?.slice("cc: ".length) ?? null;
}

function ended(child: Child): CcError {
  return new CcError({
    code: "foreman_ended",
    message: "The foreman that this command had started has ended.",
    hint: `Its log is ${child.logFile}; cc wait JOB goes on with a job.`,
    exitCode: 3,
  });
}
