/**
 * `--each-json`: the elements of one array, or one value after the other as in JSON lines. The text is
 * cut into values as it arrives; each is parsed alone, so a file of any size takes a value's memory.
 */
import { usageError } from "../../protocol/error.ts";
import { VALUE_BYTES_MAX } from "../../protocol/limits.ts";
import { untag } from "../../protocol/value.ts";
import { createJsonSplitter, type JsonPiece } from "./json-splitter.ts";
import { readText, type TextSource } from "./text-source.ts";

/** @throws CcError `bad_json` with the line; exit 2. */
export async function* readJsonValues(source: TextSource): AsyncGenerator<readonly unknown[]> {
  const splitter = createJsonSplitter();
  for await (const text of readText(source)) {
    const values = splitter.push(text).map((piece) => parsePiece(source.label, piece));
    if (splitter.pendingCharacters() > VALUE_BYTES_MAX)
      throw tooLarge(source.label, splitter.line());
    if (values.length > 0) yield values;
  }
  const values = splitter.end().map((piece) => parsePiece(source.label, piece));
  if (values.length > 0) yield values;
}

/** `--input JSON`. */
export function parseInputOption(text: string): unknown {
  return parseJson("--input", text, "");
}

function parsePiece(label: string, piece: JsonPiece): unknown {
  if (piece.problem !== null) {
    const shown = JSON.stringify(piece.text.slice(0, 60));
    throw usageError("bad_json", `${label}: line ${piece.line}: ${shown} ${piece.problem}.`);
  }
  return parseJson(label, piece.text, `line ${piece.line}: `);
}

function parseJson(label: string, text: string, place: string): unknown {
  try {
    return untag(JSON.parse(text));
  } catch (cause) {
    const start = text.trim().slice(0, 60);
    throw usageError(
      "bad_json",
      `${label}: ${place}${start === "" ? "a value is missing" : `${JSON.stringify(start)} is not JSON`} (${(cause as Error).message}).`,
      label === "--input" ? `A text needs its quotes: --input '"text"'` : undefined,
    );
  }
}

function tooLarge(label: string, line: number): Error {
  return usageError(
    "input_too_large",
    `${label}: line ${line}: a value is larger than ${VALUE_BYTES_MAX / 1024 / 1024} MiB, the most that an input may have.`,
  );
}
