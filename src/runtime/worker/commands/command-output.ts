/** A command's two output pipes together: stdout kept whole up to a limit, of stderr the last part. */
import { KEPT_OUTPUT_BYTES, VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { createTailOutput, createWholeOutput } from "./bounded-output.ts";
import { openOutputCapture } from "./output-capture.ts";

export interface KeptOutput {
  readonly stdout: Uint8Array;
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
  /** What was read; closes the pipes. */
  take(): KeptOutput;
}

/** `onTooLarge` is called (perhaps repeatedly) when stdout passes VALUE_BYTES_MAX. */
export function openCommandOutput(onTooLarge: () => void): CommandOutput {
  const whole = createWholeOutput(VALUE_BYTES_MAX);
  const tail = createTailOutput(KEPT_OUTPUT_BYTES);
  const stdout = openOutputCapture((chunk) => {
    if (!whole.push(chunk)) onTooLarge();
  });
  const stderr = openOutputCapture((chunk) => tail.push(chunk));
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
    take() {
      stdout.close();
      stderr.close();
      const { bytes, droppedBytes } = tail.take();
      return { stdout: whole.take(), stderr: bytes, stderrDroppedBytes: droppedBytes };
    },
  };
}
