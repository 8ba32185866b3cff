/**
 * Opens what inputs are read from, a file or standard input, and brings it to text in pieces. It holds
 * one piece at a time, however large the file, and refuses bytes that are no UTF-8 with their line.
 */
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { usageError } from "../../protocol/error.ts";

/** Large enough that the cost of a read does not show. */
const READ_BYTES = 256 * 1024;

export interface TextSource {
  /** The option and the file as the user named them: `--each-line urls.txt`. */
  readonly label: string;
  /** Path from the command line; `-` is standard input. */
  readonly file: string;
  readonly cwd: string;
  stdin(): AsyncIterable<Uint8Array>;
}

/** @throws CcError `no_such_file` or `unreadable_file`; exit 2. */
export async function* readPieces(source: TextSource): AsyncGenerator<Uint8Array> {
  if (source.file === "-") {
    yield* source.stdin();
    return;
  }
  const path = resolve(source.cwd, source.file);
  try {
    for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
      yield piece as Uint8Array;
    }
  } catch (cause) {
    throw unreadable(source.label, cause);
  }
}

/**
 * The text in pieces that end anywhere but inside a character. A byte order mark at its beginning is
 * left out.
 * @throws CcError `not_utf8` with the number of the line.
 */
export async function* readText(source: TextSource): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let linesBefore = 0;
  for await (const piece of readPieces(source)) {
    let text: string;
    try {
      text = decoder.decode(piece, { stream: true });
    } catch {
      throw notUtf8(source.label, linesBefore + lineOfInvalid(piece, NEWLINE), "line");
    }
    linesBefore += countOf(piece, NEWLINE);
    if (text !== "") yield text;
  }
  try {
    decoder.decode();
  } catch {
    throw notUtf8(source.label, linesBefore + 1, "line");
  }
}

export const NEWLINE = 0x0a;

export function notUtf8(label: string, number: number, what: "line" | "entry"): Error {
  return usageError(
    "not_utf8",
    `${label}: ${what} ${number} is not UTF-8 text.`,
    "Convert the file first, for example with iconv -f latin1 -t utf-8.",
  );
}

/** From 1: the first separated stretch of these bytes that is no UTF-8; the last when none is. */
export function lineOfInvalid(bytes: Uint8Array, separator: number): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let from = 0;
  for (let number = 1; ; number++) {
    const found = bytes.indexOf(separator, from);
    if (found < 0) return number;
    try {
      decoder.decode(bytes.subarray(from, found));
    } catch {
      return number;
    }
    from = found + 1;
  }
}

export function countOf(bytes: Uint8Array, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) count++;
  return count;
}

function unreadable(label: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return usageError("no_such_file", `${label}: there is no such file.`);
    case "EISDIR":
      return usageError("unreadable_file", `${label}: that is a folder, expected a file.`);
    case "EACCES":
    case "EPERM":
      return usageError("unreadable_file", `${label}: reading it is not permitted.`);
    default:
      return usageError(
        "unreadable_file",
        `${label}: it cannot be read (${code || String(cause)}).`,
      );
  }
}
