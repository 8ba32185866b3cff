/**
 * Reads what a process prints on one descriptor. Short-lived processes are read once, after their
 * end, with plain system calls; `follow` turns to reading as it comes, which long-lived ones and
 * those with more output than a pipe holds need.
 *
 * States: open (childEnd given to a process) -> waiting (spawned) -> following -> dry (every writer
 * has closed it) -> closed. `close` may come at any time.
 */
import { closeSync, readSync } from "node:fs";
import { openSystemPipe, type SystemPipe } from "../processes/libc.ts";

export interface OutputCapture {
  /** What `Bun.spawn` takes for stdout or stderr. */
  readonly childEnd: number | "pipe";
  /** After the start: `stream` is what Bun made of `childEnd`; undefined for a descriptor of ours. */
  spawned(stream: ReadableStream<Uint8Array> | undefined): void;
  /** Reads as it comes from now on. Repeating it changes nothing. */
  follow(): void;
  /**
   * Whether it is at its end, or comes there within the time; what is there by then is read. Time in
   * which whoever takes the chunks holds the reading up does not count, up to what a pipe may hold.
   */
  isDryWithin(durationMs: number): Promise<boolean>;
  /** Gives the descriptors back; what has not been read is lost. Never called twice. */
  close(): void;
}

/** Where it answers, the next chunk is to come after that: reading waits, and so does the writer. */
type OnChunk = (chunk: Uint8Array) => Promise<void> | void;

export function openOutputCapture(onChunk: OnChunk): OutputCapture {
  const pipe = openSystemPipe();
  return pipe === null ? captureStream(onChunk) : capturePipe(pipe, onChunk);
}

/** One for all: it is only used inside a single synchronous read. */
const readBuffer = new Uint8Array(64 * 1024);

function capturePipe(pipe: SystemPipe, onChunk: OnChunk): OutputCapture {
  let isSpawned = false;
  let isDry = false;
  let following: FollowedStream | null = null;

  function follow(): void {
    following ??= followStream(Bun.file(pipe.readEnd).stream(), onChunk);
  }

  return {
    childEnd: pipe.writeEnd,
    spawned() {
      isSpawned = true;
      closeSync(pipe.writeEnd);
    },
    follow,
    async isDryWithin(durationMs) {
      if (following === null) {
        isDry ||= readWhatIsThere(pipe.readEnd, onChunk);
        if (isDry) return true;
        follow();
      }
      return await (following as unknown as FollowedStream).isDryWithin(durationMs);
    },
    close() {
      if (!isSpawned) closeSync(pipe.writeEnd);
      following?.abandon();
      closeSync(pipe.readEnd);
    },
  };
}

/** True at the end of the pipe, false when a writer still holds it open. */
function readWhatIsThere(descriptor: number, onChunk: OnChunk): boolean {
  try {
    for (;;) {
      const byteCount = readSync(descriptor, readBuffer);
      if (byteCount === 0) return true;
      onChunk(readBuffer.slice(0, byteCount));
    }
  } catch {
    // EAGAIN: the command left something running that holds the pipe.
    return false;
  }
}

function captureStream(onChunk: OnChunk): OutputCapture {
  let followed: FollowedStream | null = null;
  return {
    childEnd: "pipe",
    spawned(stream) {
      if (stream !== undefined) followed = followStream(stream, onChunk);
    },
    follow() {},
    isDryWithin: (durationMs) => followed?.isDryWithin(durationMs) ?? Promise.resolve(true),
    close: () => followed?.abandon(),
  };
}

interface FollowedStream {
  isDryWithin(durationMs: number): Promise<boolean>;
  abandon(): void;
}

/** The kernel's limit for an ordinary account: what a writer that has gone may have left. */
const PIPE_BYTES_MAX = 1024 * 1024;

function followStream(stream: ReadableStream<Uint8Array>, onChunk: OnChunk): FollowedStream {
  const reader = stream.getReader();
  let readBytes = 0;
  /** Since when the reading is held up; null: it is not. */
  let heldUpSinceMs: number | null = null;
  let heldUpMs = 0;

  async function readToEnd(): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      readBytes += value.byteLength;
      const hold = onChunk(value);
      if (!(hold instanceof Promise)) continue;
      heldUpSinceMs = performance.now();
      await hold;
      heldUpMs += performance.now() - heldUpSinceMs;
      heldUpSinceMs = null;
    }
  }

  const heldUpUntilNow = (): number =>
    heldUpMs + (heldUpSinceMs === null ? 0 : performance.now() - heldUpSinceMs);

  // A pipe that cannot be read any further is at its end.
  const dry = readToEnd().catch(() => {});
  return {
    isDryWithin(durationMs) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const isLeftOver = readBytes + PIPE_BYTES_MAX;
      let timer: NodeJS.Timeout;
      const wait = (waitMs: number): void => {
        const heldUpBeforeMs = heldUpUntilNow();
        timer = setTimeout(() => {
          const extraMs = heldUpUntilNow() - heldUpBeforeMs;
          // More than a pipe holds: somebody goes on writing.
          if (extraMs < 1 || readBytes > isLeftOver) resolve(false);
          else wait(extraMs);
        }, waitMs);
      };
      wait(durationMs);
      dry.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
      return promise;
    },
    abandon: () => void reader.cancel().catch(() => {}),
  };
}
