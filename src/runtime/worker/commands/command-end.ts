/**
 * Judges how a command ended and puts it into the value that is recorded. Pure. What is reported is
 * at most RECORDED_BYTES_MAX long, which has room for a stdout of the largest size, carried whole or not
 * at all, and for the kept stderr; a larger stdout lies outside.
 */
import { encodeCommandOutcome } from "../../protocol/command-outcome.ts";
import { CcError } from "../../protocol/error.ts";
import { encodeFailure, type Failure } from "../../protocol/failure.ts";
import { RECORDED_BYTES_MAX } from "../../protocol/limits.ts";
import type { OutputRefusal } from "../outputs/output-upload.ts";
import { describeExit, describeSignal } from "./command-failure.ts";
import type { KeptOutput } from "./command-output.ts";

export type CommandEnd =
  /** `value` is of kind 4. */
  | { readonly kind: "completed"; readonly runUs: number; readonly value: Uint8Array }
  /** `value` is of kind 5, with the outcome when it had started. */
  | {
      readonly kind: "failed";
      readonly runUs: number;
      readonly failure: Failure;
      readonly value: Uint8Array;
    }
  /** `cancel` was called; nothing is to be recorded. */
  | { readonly kind: "cancelled"; readonly runUs: number }
  /** This machine could not start it; it never ran. */
  | { readonly kind: "refused"; readonly error: CcError };

/** `output_refused`: its stdout is too large, or the task is not ours any more. */
export type StopCause = "cancelled" | "timeout" | "output_refused" | "out_of_memory";

export interface CommandFinish extends KeptOutput {
  readonly runUs: number;
  /** Why it was stopped; null when it ended by itself. */
  readonly stopCause: StopCause | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The kernel has ended a process for want of memory. */
  readonly wasOutOfMemory: boolean;
  /** What was wrong with the disk of its own folder when it ended; null: nothing, or it has none. */
  readonly storageTrouble: string | null;
}

export interface CommandLimits {
  readonly timeoutMs: number;
  readonly memoryBytesMax: number | null;
}

const EMPTY = new Uint8Array(0);
const RESULT_TOO_LARGE = "result_too_large";

export function describeEnd(finish: CommandFinish, limits: CommandLimits): CommandEnd {
  const { runUs, stopCause, refusal } = finish;
  if (stopCause === "cancelled" || finish.wasAbandoned) return { kind: "cancelled", runUs };
  if (refusal !== null && refusal.code !== RESULT_TOO_LARGE) return handedBack(refusal);
  const failure = findFailure(finish, limits);
  if (failure !== null) return endFailed(failure, finish);
  return { kind: "completed", runUs, value: encodeFitting(finish, RECORDED_BYTES_MAX) };
}

/** What it printed cannot be kept, through no fault of its own; it had started, so it runs anew. */
const handedBack = ({ message }: OutputRefusal): CommandEnd => ({
  kind: "refused",
  error: new CcError({ code: "aborted", message }),
});

function endFailed(failure: Failure, finish: CommandFinish): CommandEnd {
  const outcome = encodeFitting(finish, RECORDED_BYTES_MAX - encodeFailure(failure).byteLength);
  return { kind: "failed", runUs: finish.runUs, failure, value: encodeFailure(failure, outcome) };
}

function findFailure(finish: CommandFinish, limits: CommandLimits): Failure | null {
  const { stopCause, exitCode, signal, stderr, refusal } = finish;
  if (stopCause === "timeout") return timedOut(limits.timeoutMs);
  if (refusal !== null) return { code: RESULT_TOO_LARGE, message: refusal.message };
  if (stopCause === "out_of_memory") return outOfMemory(limits.memoryBytesMax);
  if (signal === "SIGKILL" && finish.wasOutOfMemory) return outOfMemory(null);
  if (signal !== null) return describeSignal(signal, stderr);
  if (exitCode === 0) return null;
  const failure = describeExit(exitCode ?? -1, stderr);
  const { storageTrouble } = finish;
  if (storageTrouble === null) return failure;
  // It cannot be told whether that is why, but elsewhere it may do better.
  return { code: "worker_storage", message: `${failure.message} (${storageTrouble})` };
}

/** The outcome in at most `bytesMax`, which is far larger than a head and the kept stderr. */
function encodeFitting(finish: CommandFinish, bytesMax: number): Uint8Array {
  const { stdout, stderr, stderrDroppedBytes } = finish;
  const headBytes = encodeOutcome({ ...finish, stdout: EMPTY, stderr: EMPTY }).byteLength;
  const room = bytesMax - headBytes - stdout.byteLength;
  if (room < 0) return encodeOutcome({ ...finish, stdout: EMPTY });
  const cutBytes = Math.max(0, stderr.byteLength - room);
  return encodeOutcome({
    ...finish,
    stderr: stderr.subarray(cutBytes),
    stderrDroppedBytes: stderrDroppedBytes + cutBytes,
  });
}

/** The dropped count travels as u32; a command that printed more has dropped "at least" that. */
function encodeOutcome(finish: CommandFinish): Uint8Array {
  const stderrDroppedBytes = Math.min(finish.stderrDroppedBytes, 0xffffffff);
  return encodeCommandOutcome({ ...finish, stderrDroppedBytes });
}

const timedOut = (timeoutMs: number): Failure => ({
  code: "timeout",
  message: `The command ran longer than its time-out of ${timeoutMs / 1000} s.`,
});

const outOfMemory = (memoryBytesMax: number | null): Failure => ({
  code: "out_of_memory",
  message:
    memoryBytesMax === null
      ? "The kernel ended the command because the machine ran out of memory."
      : `The command used more memory than the ${Math.round(memoryBytesMax / 2 ** 20)} MiB it asked for.`,
});
