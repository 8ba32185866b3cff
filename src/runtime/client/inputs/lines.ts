/**
 * `--each-line`: every line of a file as a text, or with `--null` everything between NULs. Lines are
 * taken as they are: empty ones count, a carriage return stays, a last line needs no newline. A NUL in
 * a line is refused: no command could take it, and most likely it is the separator.
 */
import { usageError } from "../../protocol/error.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import {
  countOf,
  lineOfInvalid,
  NEWLINE,
  notUtf8,
  readPieces,
  type TextSource,
} from "./text-source.ts";

const NUL = 0;

/** @throws CcError `not_utf8`, `nul_in_line` or `input_too_large` with the line's number; exit 2. */
export async function* readLines(
  source: TextSource,
  { separatedByNul }: { readonly separatedByNul: boolean },
): AsyncGenerator<readonly string[]> {
  const separator = separatedByNul ? NUL : NEWLINE;
  const what = separatedByNul ? "entry" : "line";
  let rest = new Uint8Array(0);
  let count = 0;
  const decode = (bytes: Uint8Array): readonly string[] => {
    if (!separatedByNul) refuseNul(source.label, bytes, count);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: count > 0 }).decode(bytes);
      return text.split(separatedByNul ? "\0" : "\n");
    } catch {
      throw notUtf8(source.label, count + lineOfInvalid(bytes, separator), what);
    }
  };
  for await (const piece of readPieces(source)) {
    const end = piece.lastIndexOf(separator);
    if (end < 0) {
      rest = join(rest, piece);
      if (rest.byteLength > VALUE_BYTES_MAX) throw tooLong(source.label, count + 1, what);
      continue;
    }
    const lines = decode(join(rest, piece.subarray(0, end)));
    count += lines.length;
    yield lines;
    rest = piece.slice(end + 1);
  }
  if (rest.byteLength > 0) yield decode(rest);
}

function refuseNul(label: string, bytes: Uint8Array, linesBefore: number): void {
  const at = bytes.indexOf(NUL);
  if (at < 0) return;
  const number = linesBefore + countOf(bytes.subarray(0, at), NEWLINE) + 1;
  throw usageError(
    "nul_in_line",
    `${label}: line ${number} holds a NUL.`,
    "Write --null where entries end in NUL, as find -print0 prints them.",
  );
}

function join(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(left.byteLength + right.byteLength);
  joined.set(left);
  joined.set(right, left.byteLength);
  return joined;
}

function tooLong(label: string, number: number, what: string): Error {
  return usageError(
    "input_too_large",
    `${label}: ${what} ${number} is longer than ${VALUE_BYTES_MAX / 1024 / 1024} MiB, the most that an input may have.`,
    "Give the task a file name to read instead.",
  );
}
