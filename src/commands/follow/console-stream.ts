/** Where `console.*` of user code goes while it runs in the submitter: stderr, beside the progress bar. */
import { Writable } from "node:stream";
import type { OutputStream } from "../command-context.ts";
import type { Progress } from "./progress.ts";

export interface ConsoleStream {
  readonly stream: Writable;
  /** From now on text goes around the bar. */
  writeThrough(progress: Progress): void;
}

export function consoleStream(stderr: OutputStream): ConsoleStream {
  let progress: Progress | null = null;
  const stream = new Writable({
    decodeStrings: true,
    write(chunk: Uint8Array, _encoding, done) {
      const write = (): Promise<void> => stderr.write(new Uint8Array(chunk));
      // With stderr gone there is nobody to tell; user code must not fail for it.
      (progress === null ? write() : progress.aside(write)).then(
        () => done(),
        () => done(),
      );
    },
  });
  return {
    stream,
    writeThrough(next) {
      progress = next;
    },
  };
}
