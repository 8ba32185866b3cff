/**
 * User code's console and stdout, sent to stderr at once: what a task prints before it blocks for ever
 * must be seen, so nothing here waits for the event loop.
 */
import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { redirectConsoleToStderr } from "../../runtime/job-module/console-to-stderr.ts";

const STDERR = 2;

/** Lasts until the returned function is called. */
export function sendPrintsToStderr(): () => void {
  const sink = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      writeToStderr(chunk);
      done();
    },
  });
  const restoreConsole = redirectConsoleToStderr(sink);
  const { stdout } = process;
  const write = stdout.write;
  Object.assign(stdout, { write: sink.write.bind(sink) });
  return () => {
    restoreConsole();
    Object.assign(stdout, { write });
  };
}

/** Whole, in order, before it returns. */
export function writeToStderr(text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.byteLength; ) {
    try {
      at += writeSync(STDERR, bytes, at);
    } catch (thrown) {
      // Somebody made the pipe non-blocking and it is full; any other fault leaves nobody to tell.
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}
