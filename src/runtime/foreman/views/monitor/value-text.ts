/**
 * A value as a person reads it on a screen: text that is cut where the screen ends, and a description of
 * what is no text. Of a large value only the beginning is looked at.
 */
import {
  type CommandOutcome,
  decodeCommandOutcome,
  isCommandOutcome,
} from "../../../protocol/command-outcome.ts";
import { type Failure, readFailure, VALUE_FAILURE } from "../../../protocol/failure.ts";
import {
  VALUE_BYTES,
  VALUE_JSON,
  VALUE_TAGGED_JSON,
  VALUE_UNDEFINED,
} from "../../../protocol/value.ts";

/** UTF-8 needs no more for a character. */
const BYTES_PER_CHARACTER_MAX = 4;
const UNITS = ["KiB", "MiB", "GiB"];

export interface ResultText {
  readonly result_text: string | null;
  readonly result_bytes: number | null;
  readonly stderr_text: string | null;
  /** Of a command that was started. */
  readonly exit_code: number | null;
  readonly signal: string | null;
}

const NOTHING: ResultText = {
  result_text: null,
  result_bytes: null,
  stderr_text: null,
  exit_code: null,
  signal: null,
};

export function inputText(
  value: Uint8Array,
  charactersMax: number,
): { readonly input_text: string; readonly input_bytes: number } {
  const bytes = Math.max(0, value.byteLength - 1);
  const text = value[0] === VALUE_UNDEFINED ? "<none>" : textOfValue(value, charactersMax);
  return { input_text: text, input_bytes: bytes };
}

/** What a task left; a failed one may have printed something, too. */
export function resultText(value: Uint8Array | null, charactersMax: number): ResultText {
  if (value === null) return NOTHING;
  if (value[0] === VALUE_FAILURE) return failedText(value, charactersMax);
  if (isCommandOutcome(value)) return outcomeText(value, charactersMax);
  return {
    ...NOTHING,
    result_text: textOfValue(value, charactersMax),
    result_bytes: value.byteLength - 1,
  };
}

function failedText(value: Uint8Array, charactersMax: number): ResultText {
  const { failure, commandOutcome } = readFailure(value);
  if (commandOutcome === null)
    return { ...NOTHING, stderr_text: consoleText(failure, charactersMax) };
  const text = outcomeText(commandOutcome, charactersMax);
  return text.result_bytes === 0 ? { ...text, result_text: null, result_bytes: null } : text;
}

function consoleText({ console }: Failure, charactersMax: number): string | null {
  return console === undefined || console === "" ? null : cut(console, charactersMax);
}

/** A worker may have sent anything. */
function readOutcome(value: Uint8Array): CommandOutcome | null {
  try {
    return decodeCommandOutcome(value);
  } catch {
    return null;
  }
}

function outcomeText(value: Uint8Array, charactersMax: number): ResultText {
  const outcome = readOutcome(value);
  if (outcome === null) {
    const size = sizeText(value.byteLength);
    return { ...NOTHING, result_text: `<unreadable, ${size}>`, result_bytes: value.byteLength };
  }
  const { stdout, storedStdout, stderr, exitCode, signal } = outcome;
  return {
    result_text:
      storedStdout === undefined
        ? textOfBytes(stdout, charactersMax)
        : `<stdout, ${sizeText(storedStdout.byteCount)}>`,
    result_bytes: storedStdout?.byteCount ?? stdout.byteLength,
    stderr_text: stderr.byteLength === 0 ? null : textOfBytes(stderr, charactersMax),
    exit_code: exitCode,
    signal,
  };
}

function textOfValue(value: Uint8Array, charactersMax: number): string {
  const body = value.subarray(1);
  switch (value[0]) {
    case VALUE_UNDEFINED:
      return "<undefined>";
    case VALUE_JSON:
    case VALUE_TAGGED_JSON:
      return textOfBytes(body, charactersMax);
    case VALUE_BYTES:
      return `<binary, ${sizeText(body.byteLength)}>`;
    default:
      return `<a value of another version, ${sizeText(body.byteLength)}>`;
  }
}

function textOfBytes(bytes: Uint8Array, charactersMax: number): string {
  const looked = bytes.subarray(0, charactersMax * BYTES_PER_CHARACTER_MAX);
  try {
    // A cut may fall into a character; what is whole before it is what counts.
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const text = decoder.decode(looked, { stream: looked.byteLength < bytes.byteLength });
    return looked.byteLength < bytes.byteLength
      ? `${cutAt(text, charactersMax - 1)}…`
      : cut(text, charactersMax);
  } catch {
    return `<binary, ${sizeText(bytes.byteLength)}>`;
  }
}

const cut = (text: string, charactersMax: number): string =>
  text.length <= charactersMax ? text : `${cutAt(text, charactersMax - 1)}…`;

/** Never between the two halves of a character. */
function cutAt(text: string, at: number): string {
  const code = text.charCodeAt(at - 1);
  return text.slice(0, Math.max(0, code >= 0xd800 && code < 0xdc00 ? at - 1 : at));
}

/** `812 B`, `12 KiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const step = Math.min(UNITS.length, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** step;
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[step - 1]}`;
}
