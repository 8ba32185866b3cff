/**
 * Value kind 4: what a command left behind. Layout after the kind byte, little-endian:
 * i32 exit code (-1: none) · u8 length and text of the signal · u32 dropped stderr bytes ·
 * u32 stdout length · stdout · stderr (the rest). Never decoded by the foreman.
 */
import { CcError } from "./error.ts";
import { VALUE_COMMAND } from "./value.ts";

export interface CommandOutcome {
  /** null when a signal ended it or it never ran. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`; null when it exited by itself. */
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  /** The last KEPT_OUTPUT_BYTES of it. */
  readonly stderr: Uint8Array;
  readonly stderrDroppedBytes: number;
}

const HEAD_BYTES = 1 + 4 + 1 + 4 + 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The whole value, kind byte included. */
export function encodeCommandOutcome(outcome: CommandOutcome): Uint8Array {
  const signal = encoder.encode(outcome.signal ?? "");
  const { stdout, stderr } = outcome;
  const bytes = new Uint8Array(
    HEAD_BYTES + signal.byteLength + stdout.byteLength + stderr.byteLength,
  );
  const view = new DataView(bytes.buffer);
  bytes[0] = VALUE_COMMAND;
  view.setInt32(1, outcome.exitCode ?? -1, true);
  bytes[5] = signal.byteLength;
  bytes.set(signal, 6);
  const at = 6 + signal.byteLength;
  view.setUint32(at, outcome.stderrDroppedBytes, true);
  view.setUint32(at + 4, stdout.byteLength, true);
  bytes.set(stdout, at + 8);
  bytes.set(stderr, at + 8 + stdout.byteLength);
  return bytes;
}

/** @throws CcError `malformed_value` when the bytes are no command outcome. */
export function decodeCommandOutcome(bytes: Uint8Array): CommandOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const signalBytes = bytes[5] ?? 0;
  const at = 6 + signalBytes;
  if (bytes[0] !== VALUE_COMMAND || bytes.byteLength < HEAD_BYTES + signalBytes) throw malformed();
  const stdoutBytes = view.getUint32(at + 4, true);
  const stdoutFrom = at + 8;
  if (stdoutFrom + stdoutBytes > bytes.byteLength) throw malformed();
  const exitCode = view.getInt32(1, true);
  const signal = decoder.decode(bytes.subarray(6, at));
  return {
    exitCode: exitCode < 0 ? null : exitCode,
    signal: signal === "" ? null : signal,
    stdout: bytes.subarray(stdoutFrom, stdoutFrom + stdoutBytes),
    stderr: bytes.subarray(stdoutFrom + stdoutBytes),
    stderrDroppedBytes: view.getUint32(at, true),
  };
}

function malformed(): CcError {
  return new CcError({
    code: "malformed_value",
    message: "A command's outcome is shorter than its own lengths say.",
  });
}
