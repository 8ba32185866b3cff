/**
 * What is recorded of a task that did not complete: value kind 5. Layout after the kind byte:
 * u32 little-endian length of a JSON text · the text · for a command its outcome (a kind 4 value).
 */
import { CcError } from "./error.ts";
import { ERROR_MESSAGE_BYTES_MAX, ERROR_STACK_BYTES_MAX } from "./limits.ts";

export const VALUE_FAILURE = 5;

/** Failure codes of our own; authors may add theirs by `classifyError` or `PermanentError`. */
export const FAILURE_CODES = [
  "error",
  "timeout",
  "exited",
  "exit_status",
  "signal",
  "unserializable",
  "result_too_large",
  "input_too_large",
  "out_of_memory",
  "command_not_found",
  "no_such_cwd",
  "worker_storage",
  "poison",
  "all_failing",
  "dependency_failed",
  "submitter_lost",
  "max_fails",
  "cancelled",
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

export interface Failure {
  /** One of FAILURE_CODES or an author's own. */
  readonly code: string;
  /** One sentence; for a failed command its last non-empty stderr line. */
  readonly message: string;
  /** Of a function: the author's frames. */
  readonly stack?: string | undefined;
  /** Console output of the failed attempt of a function: its last KEPT_OUTPUT_BYTES. */
  readonly console?: string | undefined;
  /** Never retried, however many retries are left. */
  readonly permanent?: boolean | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The whole value, kind byte included; message and stack are bounded here. */
export function encodeFailure(failure: Failure, commandOutcome?: Uint8Array): Uint8Array {
  const bounded: Failure = {
    ...failure,
    message: shorten(failure.message, ERROR_MESSAGE_BYTES_MAX),
    ...(failure.stack === undefined
      ? {}
      : { stack: shorten(failure.stack, ERROR_STACK_BYTES_MAX) }),
  };
  const text = encoder.encode(JSON.stringify(bounded));
  const outcomeBytes = commandOutcome?.byteLength ?? 0;
  const bytes = new Uint8Array(5 + text.byteLength + outcomeBytes);
  bytes[0] = VALUE_FAILURE;
  new DataView(bytes.buffer).setUint32(1, text.byteLength, true);
  bytes.set(text, 5);
  if (commandOutcome) bytes.set(commandOutcome, 5 + text.byteLength);
  return bytes;
}

export interface DecodedFailure {
  readonly failure: Failure;
  /** A kind 4 value, when a command failed after it had started. */
  readonly commandOutcome: Uint8Array | null;
}

/** @throws CcError `malformed_value` when the bytes are no failure. */
export function decodeFailure(bytes: Uint8Array): DecodedFailure {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== VALUE_FAILURE || bytes.byteLength < 5) throw malformed();
  const end = 5 + view.getUint32(1, true);
  if (end > bytes.byteLength) throw malformed();
  const failure = readText(decoder.decode(bytes.subarray(5, end)));
  return { failure, commandOutcome: end < bytes.byteLength ? bytes.subarray(end) : null };
}

/** For whoever shows or counts failures: a worker may send anything, and that it failed is certain. */
export function readFailure(bytes: Uint8Array): DecodedFailure {
  try {
    return decodeFailure(bytes);
  } catch {
    const failure = { code: "error", message: "Its failure cannot be read." };
    return { failure, commandOutcome: null };
  }
}

/** Every field is what its type says; those that are not ours go along. */
function readText(text: string): Failure {
  const failure = parseJson(text);
  if (typeof failure !== "object" || failure === null) throw malformed();
  const { code, message, stack, console, permanent, ...others } = failure as Record<
    string,
    unknown
  >;
  if (typeof code !== "string" || typeof message !== "string") throw malformed();
  return {
    ...others,
    code,
    message,
    ...(typeof stack === "string" ? { stack } : {}),
    ...(typeof console === "string" ? { console } : {}),
    ...(typeof permanent === "boolean" ? { permanent } : {}),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed();
  }
}

function shorten(text: string, bytesMax: number): string {
  return text.length <= bytesMax ? text : `${text.slice(0, bytesMax - 1)}…`;
}

function malformed(): CcError {
  return new CcError({
    code: "malformed_value",
    message: "A failure's text is cut short or none.",
  });
}
