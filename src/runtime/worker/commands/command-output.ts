/** A command's two output pipes together: stdout kept whole, here or outside, of stderr the last part. */
import { KEPT_OUTPUT_BYTES } from "../../protocol/limits.ts";
import { LOG_STREAM_STDERR, LOG_STREAM_STDOUT } from "../../protocol/messages/logs.ts";
import type { LogBuffer } from "../logs/log-buffer.ts";
import { createTailOutput } from "./bounded-output.ts";
import {
  type CommandStdoutOptions,
  createCommandStdout,
  type KeptStdout,
} from "./command-stdout.ts";
import { openOutputCapture } from "./output-capture.ts";

export interface KeptOutput extends KeptStdout {
  readonly stderr: Uint8Array;
  readonly stderrDroppedBytes: number;
}

export interface CommandOutput {
  /** For `Bun.spawn`. */
  readonly stdoutEnd: number | "pipe";
  readonly stderrEnd: number | "pipe";
  spawned(child: {
    readonly stdout: ReadableStream<Uint8Array> | undefined;
    readonly stderr: ReadableStream<Uint8Array> | undefined;
  }): void;
  /** Reads as it comes from now on. */
  follow(): void;
  /** Whether both pipes are at their end, or come there within the time. */
  isDryWithin(durationMs: number): Promise<boolean>;
  /** Closes the pipes; resolves with what was read, once all of it has its place. */
  finish(): Promise<KeptOutput>;
  /** Closes the pipes of a command that has not started. */
  close(): void;
  /** Nobody wants it any more: what is on its way outside is given up. */
  abandon(): void;
}

export function openCommandOutput(
  options: CommandStdoutOptions & { readonly log: LogBuffer | null },
): CommandOutput {
  const kept = createCommandStdout(options);
  const tail = createTailOutput(KEPT_OUTPUT_BYTES);
  const { log } = options;
  const stdout = openOutputCapture((chunk) => {
    log?.push(LOG_STREAM_STDOUT, chunk);
    // The answer holds the command up while its output has nowhere to go.
    return kept.push(chunk);
  });
  const stderr = openOutputCapture((chunk) => {
    log?.push(LOG_STREAM_STDERR, chunk);
    tail.push(chunk);
  });

  function close(): void {
    stdout.close();
    stderr.close();
  }

  return {
    stdoutEnd: stdout.childEnd,
    stderrEnd: stderr.childEnd,
    spawned(child) {
      stdout.spawned(child.stdout);
      stderr.spawned(child.stderr);
    },
    follow() {
      stdout.follow();
      stderr.follow();
    },
    async isDryWithin(durationMs) {
      const stderrDry = stderr.isDryWithin(durationMs);
      return (await stdout.isDryWithin(durationMs)) && (await stderrDry);
    },
    async finish() {
      close();
      log?.flush();
      const { bytes, droppedBytes } = tail.take();
      return { ...(await kept.finish()), stderr: bytes, stderrDroppedBytes: droppedBytes };
    },
    close,
    abandon: kept.abandon,
  };
}
