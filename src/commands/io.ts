/**
 * The real stdin, stdout and stderr as a command sees them. It writes with plain file descriptors instead
 * of node's streams: they cost milliseconds to load, buffer without bound and lose output at exit.
 */
import { fstatSync, write, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { type CommandIo, OutputClosed, type OutputStream } from "./command-context.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const COLUMNS_WHEN_UNKNOWN = 80;
/** How often a full non-blocking pipe is asked again at once, since most readers are at it, and then after how long. */
const RETRIES_AT_ONCE = 20;
const RETRY_MS = 5;

export function openProcessIo(env: Readonly<Record<string, string | undefined>>): CommandIo {
  return {
    stdout: openOutput(STDOUT, env),
    stderr: openOutput(STDERR, env),
    stdin: { isTerminal: isatty(STDIN), stream: () => Bun.stdin.stream() },
  };
}

/** Writes to a file or a terminal happen at once; to a pipe in a thread, so that a slow reader stops nobody. */
export function openOutput(
  fd: number,
  env: Readonly<Record<string, string | undefined>>,
): OutputStream {
  const isTerminal = isatty(fd);
  const closing = new AbortController();
  const writesAtOnce = isTerminal || isRegularFile(fd);
  let tail: Promise<void> = Promise.resolve();
  let diverted: ((text: string) => Promise<void>) | null = null;
  return {
    isTerminal,
    divert(write) {
      diverted = write;
    },
    get columnCount() {
      return columnCountOf(fd, isTerminal, env);
    },
    closed: closing.signal,
    write(chunk) {
      if (diverted !== null) return diverted(textOf(chunk));
      if (closing.signal.aborted) return Promise.reject(new OutputClosed());
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      if (bytes.length === 0) return tail;
      const write = writesAtOnce ? () => writeAtOnce(fd, bytes) : () => writeInThread(fd, bytes);
      // One write at a time keeps the order; a failed one fails all that follow.
      tail = tail.then(write).catch((error: unknown) => {
        throw asOutputClosed(error, closing);
      });
      // The caller may not await every write; the next one reports the failure again.
      tail.catch(() => undefined);
      return tail;
    },
  };
}

const textOf = (chunk: string | Uint8Array): string =>
  typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

function columnCountOf(
  fd: number,
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): number {
  if (isTerminal) {
    const columns = (fd === STDERR ? process.stderr : process.stdout).columns;
    if (columns > 0) return columns;
  }
  const given = Number(env["COLUMNS"]);
  return Number.isInteger(given) && given > 0 ? given : COLUMNS_WHEN_UNKNOWN;
}

async function writeAtOnce(fd: number, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (!isBusy(error)) throw error;
      await Bun.sleep(RETRY_MS);
    }
  }
}

/** The process goes on meanwhile. */
export async function writeInThread(fd: number, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  let busyCount = 0;
  while (offset < bytes.length) {
    try {
      offset += await new Promise<number>((resolve, reject) => {
        write(fd, bytes, offset, bytes.length - offset, null, (error, count) =>
          error ? reject(error) : resolve(count),
        );
      });
      busyCount = 0;
    } catch (error) {
      if (!isBusy(error)) throw error;
      await Bun.sleep(busyCount++ < RETRIES_AT_ONCE ? 0 : RETRY_MS);
    }
  }
}

/** A pipe may have been made non-blocking by whoever shares it. */
function isBusy(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "EAGAIN" || code === "EINTR";
}

function asOutputClosed(error: unknown, closing: AbortController): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (
    error instanceof OutputClosed ||
    code === "EPIPE" ||
    code === "ECONNRESET" ||
    code === "EBADF"
  ) {
    closing.abort();
    return error instanceof OutputClosed ? error : new OutputClosed();
  }
  return error;
}
