/**
 * What a command left behind. Layouts after the kind byte, little-endian: i32 exit code (-1: none) ·
 * u8 length and text of the signal · u32 dropped stderr bytes · then, of kind 4, u32 stdout length ·
 * stdout · stderr (the rest); of kind 6, whose stdout lies outside, u64 stdout length · u64 assignment ·
 * 32 bytes of its SHA-256 · stderr (the rest). Never decoded by the foreman.
 */
import { CcError } from "./error.ts";
import { VALUE_COMMAND, VALUE_STORED_COMMAND } from "./value.ts";

export interface CommandOutcome {
  /** null when a signal ended it or it never ran. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`; null when it exited by itself. */
  readonly signal: string | null;
  /** Empty where it lies outside. */
  readonly stdout: Uint8Array;
  /** Where its stdout is, when it is larger than a value. */
  readonly storedStdout?: StoredOutput | undefined;
  /** The last KEPT_OUTPUT_BYTES of it. */
  readonly stderr: Uint8Array;
  readonly stderrDroppedBytes: number;
}

/** A stdout that the foreman keeps beside its store; see messages/outputs.ts. */
export interface StoredOutput {
  readonly byteCount: number;
  /** Of the attempt that printed it: names it together with the task. */
  readonly assignment: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const HEAD_BYTES = 1 + 4 + 1 + 4 + 4;
const SHA256_BYTES = 32;
/** Of kind 6, after the signal. */
const STORED_BYTES = 4 + 8 + 8 + SHA256_BYTES;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Whether a value is a command's outcome, of either kind. */
export const isCommandOutcome = (bytes: Uint8Array): boolean =>
  bytes[0] === VALUE_COMMAND || bytes[0] === VALUE_STORED_COMMAND;

/** The whole value, kind byte included. */
export function encodeCommandOutcome(outcome: CommandOutcome): Uint8Array {
  const signal = encoder.encode(outcome.signal ?? "");
  const { storedStdout, stderr } = outcome;
  const stdoutBytes = storedStdout === undefined ? 4 + outcome.stdout.byteLength : STORED_BYTES - 4;
  const bytes = new Uint8Array(10 + signal.byteLength + stdoutBytes + stderr.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[0] = storedStdout === undefined ? VALUE_COMMAND : VALUE_STORED_COMMAND;
  view.setInt32(1, outcome.exitCode ?? -1, true);
  bytes[5] = signal.byteLength;
  bytes.set(signal, 6);
  const at = 6 + signal.byteLength;
  view.setUint32(at, outcome.stderrDroppedBytes, true);
  if (storedStdout === undefined) {
    view.setUint32(at + 4, outcome.stdout.byteLength, true);
    bytes.set(outcome.stdout, at + 8);
  } else putStored(bytes, view, at + 4, storedStdout);
  bytes.set(stderr, at + 4 + stdoutBytes);
  return bytes;
}

function putStored(bytes: Uint8Array, view: DataView, at: number, stored: StoredOutput): void {
  view.setBigUint64(at, BigInt(stored.byteCount), true);
  view.setBigUint64(at + 8, BigInt(stored.assignment), true);
  for (let i = 0; i < SHA256_BYTES; i++) {
    bytes[at + 16 + i] = Number.parseInt(stored.sha256.slice(2 * i, 2 * i + 2), 16);
  }
}

/** @throws CcError `malformed_value` when the bytes are no command outcome. */
export function decodeCommandOutcome(bytes: Uint8Array): CommandOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = 6 + (bytes[5] ?? 0);
  const isStored = bytes[0] === VALUE_STORED_COMMAND;
  const headBytes = isStored ? at + STORED_BYTES : at + HEAD_BYTES - 6;
  if (!isCommandOutcome(bytes) || bytes.byteLength < headBytes) throw malformed();
  const exitCode = view.getInt32(1, true);
  const signal = decoder.decode(bytes.subarray(6, at));
  const end = {
    exitCode: exitCode < 0 ? null : exitCode,
    signal: signal === "" ? null : signal,
    stderrDroppedBytes: view.getUint32(at, true),
  };
  if (isStored) {
    const storedStdout = storedAt(bytes, view, at + 4);
    return { ...end, stdout: EMPTY, storedStdout, stderr: bytes.subarray(headBytes) };
  }
  const stderrFrom = at + 8 + view.getUint32(at + 4, true);
  if (stderrFrom > bytes.byteLength) throw malformed();
  const stdout = bytes.subarray(at + 8, stderrFrom);
  return { ...end, stdout, stderr: bytes.subarray(stderrFrom) };
}

const EMPTY = new Uint8Array(0);

function storedAt(bytes: Uint8Array, view: DataView, at: number): StoredOutput {
  const byteCount = Number(view.getBigUint64(at, true));
  const assignment = Number(view.getBigUint64(at + 8, true));
  if (!Number.isSafeInteger(byteCount) || !Number.isSafeInteger(assignment)) throw malformed();
  const hash = bytes.subarray(at + 16, at + 16 + SHA256_BYTES);
  const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { byteCount, assignment, sha256 };
}

function malformed(): CcError {
  return new CcError({
    code: "malformed_value",
    message: "A command's outcome is shorter than its own lengths say.",
  });
}
