/** Whether a result names a stdout that lies outside it, and which: found by a byte or two, not by decoding. */
import { decodeCommandOutcome, type StoredOutput } from "./command-outcome.ts";
import { decodeFailure, VALUE_FAILURE } from "./failure.ts";
import { VALUE_STORED_COMMAND } from "./value.ts";

/** null: its stdout is with it, there is none, or (a worker may send anything) it cannot be told. */
export function storedStdoutOf(value: Uint8Array): StoredOutput | null {
  if (!isStored(value)) return null;
  try {
    const outcome = value[0] === VALUE_FAILURE ? decodeFailure(value).commandOutcome : value;
    return outcome === null ? null : (decodeCommandOutcome(outcome).storedStdout ?? null);
  } catch {
    return null;
  }
}

/** A kind byte, and of a failure the one behind its text. */
function isStored(value: Uint8Array): boolean {
  if (value[0] !== VALUE_FAILURE || value.byteLength < 5) return value[0] === VALUE_STORED_COMMAND;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return value[5 + view.getUint32(1, true)] === VALUE_STORED_COMMAND;
}
