/**
 * `--format value`: results as a shell wants them. A function's value is a line, a command's stdout is
 * printed as it is, also a failed one's, and its stderr goes to stderr. A page of plain JSON values is
 * turned into lines in place, without a look at more than one byte a row.
 */

import { isCommandOutcome } from "../../protocol/command-outcome.ts";
import { VALUE_FAILURE } from "../../protocol/failure.ts";
import { VALUE_JSON, VALUE_UNDEFINED } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";
import {
  type ByteText,
  bytesOf,
  byteTextOf,
  EMPTY_BYTES,
  endOf,
  type Rows,
  rowsOf,
} from "./rows.ts";
import { valueLine } from "./value-text.ts";

/** What a page prints. */
export interface Printed {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;

export function printValues(page: ResultsPage): Printed {
  const rows = rowsOf(page);
  return printPlainJson(rows) ?? printRows(rows);
}

/** What one row prints. */
export interface PrintedRow {
  readonly stdout: ByteText;
  readonly stderr: ByteText;
}

const NOTHING: PrintedRow = { stdout: "", stderr: "" };

export function printValueRow(value: Uint8Array): PrintedRow {
  const kind = value[0];
  if (kind !== VALUE_FAILURE && !isCommandOutcome(value)) {
    return { stdout: valueLine(value), stderr: "" };
  }
  const { outcome } = endOf(value);
  if (outcome === null) return NOTHING;
  return { stdout: byteTextOf(outcome.stdout), stderr: byteTextOf(outcome.stderr) };
}

/**
 * Values lie one after the other, a kind byte before each: where all are JSON and none is a string, a
 * newline in place of each kind byte but the first, and one at the end, makes the lines.
 */
function printPlainJson({ page, offsets, count }: Rows): Printed | null {
  const { data } = page.value;
  let undefinedCount = 0;
  for (let row = 0; row < count; row++) {
    const at = offsets[row] as number;
    if (data[at] === VALUE_UNDEFINED) undefinedCount++;
    else if (data[at] !== VALUE_JSON || data[at + 1] === QUOTE) return null;
  }
  if (undefinedCount === count) return { stdout: EMPTY_BYTES, stderr: EMPTY_BYTES };
  if (undefinedCount > 0) return null;
  const stdout = new Uint8Array(data.byteLength);
  stdout.set(data.subarray(1));
  for (let row = 1; row <= count; row++) stdout[(offsets[row] as number) - 1] = NEWLINE;
  return { stdout, stderr: EMPTY_BYTES };
}

function printRows(rows: Rows): Printed {
  const stdout: ByteText[] = [];
  const stderr: ByteText[] = [];
  for (let row = 0; row < rows.count; row++) {
    const printed = printValueRow(rows.valueOf(row));
    if (printed.stdout !== "") stdout.push(printed.stdout);
    if (printed.stderr !== "") stderr.push(printed.stderr);
  }
  return { stdout: bytesOf(stdout.join("")), stderr: bytesOf(stderr.join("")) };
}
