/**
 * `cc foreman --workers N`: one `cc worker --slots N` as a child in a process group of its own, tied
 * to us by a pipe so that it ends when we do, and started again when it dies. One that ends as it was
 * asked to (`cc drain`, a signal) stays away.
 */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Logger } from "../../platform/logger.ts";
import { selfCommand } from "../../platform/self.ts";
import { withoutSmallHeap } from "../../platform/small-heap.ts";

/** The descriptor in the child that closes when we are gone. */
const TIE_FD = 3;
const RESTART_MS = 250;
/** One that ends by itself cannot work here; it is asked again, but seldom. */
const RESTART_MS_MAX = 30_000;
/** One that was killed did work: most likely a task took it down, which will be poison soon. */
const RESTART_KILLED_MS_MAX = 2_000;
/** A worker that lived so long has earned a quick restart. */
const STEADY_MS = 60_000;

export interface EmbeddedWorker {
  /** Asks it to finish what runs; resolves when it has ended. */
  stop(): Promise<void>;
}

export function startEmbeddedWorker(parts: {
  readonly slots: number;
  readonly url: string;
  readonly keyFile: string;
  readonly logLevel: string;
  /** Takes what it says on stderr, a whole line at a time; null: that goes where ours goes. */
  readonly onLine: ((line: string) => void) | null;
  readonly logger: Logger;
}): EmbeddedWorker {
  const { logger, onLine } = parts;
  let stopping = false;
  let failures = 0;
  let restart: ReturnType<typeof setTimeout> | null = null;
  let child = start();

  function start(): ReturnType<typeof spawn> {
    const [program, ...words] = selfCommand([
      "worker",
      `--slots=${parts.slots}`,
      `--foreman=${parts.url}`,
      `--key-file=${parts.keyFile}`,
      `--log-level=${parts.logLevel}`,
      `--tied-fd=${TIE_FD}`,
      // On a pipe it would write for machines.
      ...(onLine === null ? [] : ["--log-format=pretty"]),
    ]);
    const startedAtMs = performance.now();
    const started = spawn(program, words, {
      // Its own group: Ctrl-C at the terminal is ours to pass on.
      detached: true,
      env: { ...withoutSmallHeap(process.env) },
      stdio: ["ignore", "ignore", onLine === null ? "inherit" : "pipe", "pipe"],
    });
    if (onLine !== null && started.stderr !== null) passLines(started.stderr, onLine);
    started.on("error", (cause) => logger.error("the worker could not be started", { cause }));
    started.on("close", (code, signal) => {
      if (stopping) return;
      if (code === 0) {
        logger.info("our worker has ended as it was asked to and is not started again");
        return;
      }
      failures = performance.now() - startedAtMs > STEADY_MS ? 0 : failures + 1;
      const longestMs = signal === null ? RESTART_MS_MAX : RESTART_KILLED_MS_MAX;
      const delayMs = Math.min(RESTART_MS * 2 ** Math.max(0, failures - 1), longestMs);
      logger.warn("our worker ended and is started again", { code, signal, delay_ms: delayMs });
      restart = setTimeout(() => {
        child = start();
      }, delayMs);
    });
    return started;
  }

  return {
    async stop() {
      stopping = true;
      if (restart !== null) clearTimeout(restart);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A longer line is cut into several: a program that ends badly may print anything. */
const LINE_CHARACTERS_MAX = 16_384;

/** Reads as fast as it comes, so that the worker never waits for whoever shows its lines. */
function passLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARACTERS_MAX) {
      lines.push(rest);
      rest = "";
    }
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
  stream.on("error", () => {
    // It has ended, which is told otherwise.
  });
}
