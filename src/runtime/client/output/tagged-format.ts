/** `--tag`: as `--format value`, each line begins with the task's input and a tab. */
import { inputText } from "../../protocol/placeholder.ts";
import { decodeValue } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";
import { type ByteText, bytesOf, byteTextOf, rowsOf, utf8ByteText } from "./rows.ts";
import { type Printed, printValueRow } from "./value-format.ts";

export function printTagged(page: ResultsPage): Printed {
  const rows = rowsOf(page);
  let stdout = "";
  let stderr = "";
  for (let row = 0; row < rows.count; row++) {
    const printed = printValueRow(rows.valueOf(row));
    if (printed.stdout === "" && printed.stderr === "") continue;
    const tag = tagOf(rows.inputOf(row));
    stdout += tagLines(printed.stdout, tag);
    stderr += tagLines(printed.stderr, tag);
  }
  return { stdout: bytesOf(stdout), stderr: bytesOf(stderr) };
}

/** The lines of one task, as they come in pieces. */
export function createTagger(page: ResultsPage): {
  push(piece: Uint8Array): Uint8Array;
  /** What ends a last line without its newline. */
  end(): Uint8Array;
} {
  const tag = `${tagOf(rowsOf(page).inputOf(0))}\t`;
  let isLineOpen = false;
  return {
    push(piece) {
      const text = byteTextOf(piece);
      const begun = isLineOpen ? "" : tag;
      isLineOpen = !text.endsWith("\n");
      const inside = isLineOpen ? text : text.slice(0, -1);
      return bytesOf(`${begun}${inside.replaceAll("\n", `\n${tag}`)}${isLineOpen ? "" : "\n"}`);
    },
    end: () => bytesOf(isLineOpen ? "\n" : ""),
  };
}

/** Several values are joined by a space, and no tag breaks its line. */
function tagOf(input: Uint8Array | null): ByteText {
  if (input === null) return "";
  const value = decodeValue(input);
  const text = Array.isArray(value) ? value.flat().map(inputText).join(" ") : inputText(value);
  return utf8ByteText(text.replace(/[\r\n\t]+/g, " "));
}

/** Every line; a last one without its newline gets one, or the next tag would stand within it. */
function tagLines(text: ByteText, tag: ByteText): ByteText {
  if (text === "") return "";
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return lines.map((line) => `${tag}\t${line}\n`).join("");
}
