/**
 * Turns SIGTERM and SIGINT into two calls: the first asks for an orderly end, the second wants out at
 * once. It never ends the process on the first one; that is the caller's decision.
 */
import { constants } from "node:os";

export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

export interface StopSignalOptions {
  readonly onFirst: (signal: StopSignal) => void;
  /** Ends the process with 128 + the signal's number unless given. */
  readonly onSecond?: (signal: StopSignal) => void;
  /** SIGTERM and SIGINT unless given. */
  readonly signals?: readonly StopSignal[];
}

/** @returns a function that stops watching; the signals then have their default effect again. */
export function watchStopSignals(options: StopSignalOptions): () => void {
  const signals = options.signals ?? ["SIGTERM", "SIGINT"];
  const onSecond = options.onSecond ?? exitAtOnce;
  let count = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    count++;
    (count === 1 ? options.onFirst : onSecond)(signal as StopSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/** As a shell reports a death by signal: 143 for SIGTERM, 130 for SIGINT. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/**
 * For after a disk has failed: at the process's end the runtime would close its databases, and with them
 * copy what is in their logs and sync once more, which may seem to succeed though bytes are lost. The
 * exit code and all that was printed stay.
 */
export function leaveDatabasesAsTheyAre(): void {
  process.once("exit", (exitCode) => {
    try {
      process.execve?.("/bin/sh", ["sh", "-c", `exit ${Number(exitCode)}`], {});
    } catch {
      // Without a shell the process ends as any other.
    }
  });
}

function exitAtOnce(signal: StopSignal): void {
  process.exit(exitCodeOfSignal(signal));
}
