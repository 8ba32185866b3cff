/** `--format csv` (RFC 4180): a header and a row a task, `value` as `--format value` prints it. */
import { u32At } from "../../protocol/columns.ts";
import type { CommandOutcome } from "../../protocol/command-outcome.ts";
import type { ResultsPage } from "../read-results.ts";
import {
  type ByteText,
  bytesOf,
  byteTextOf,
  EMPTY_BYTES,
  endOf,
  type Rows,
  rowsOf,
  STATUS_NAMES,
  utf8ByteText,
} from "./rows.ts";
import type { Printed } from "./value-format.ts";
import { valueText } from "./value-text.ts";

const COLUMNS = "index,status,value,error_code,error_message,attempts,run_seconds,worker";
const COMMAND_COLUMNS = "exit_code,signal,stdout,stderr";

export function csvHeader(isCommand: boolean): ByteText {
  return isCommand ? `${COLUMNS},${COMMAND_COLUMNS}\r\n` : `${COLUMNS}\r\n`;
}

export function printCsv(page: ResultsPage, isCommand: boolean): Printed {
  const rows = rowsOf(page);
  let text = "";
  for (let row = 0; row < rows.count; row++) text += csvLine(rows, row, isCommand);
  return { stdout: bytesOf(text), stderr: EMPTY_BYTES };
}

/** The line of one row, its line break included. */
export function csvLine(rows: Rows, row: number, isCommand: boolean): ByteText {
  const { page } = rows;
  const value = rows.valueOf(row);
  const { failure, outcome } = endOf(value);
  const stdout = outcome === null ? "" : byteTextOf(outcome.stdout);
  const fields: (ByteText | number)[] = [
    page.index[row] as number,
    STATUS_NAMES[rows.statusOf(row)] ?? "cancelled",
    quoted(outcome === null ? (valueText(value) ?? "") : stdout),
    quoted(utf8ByteText(failure?.code ?? "")),
    quoted(utf8ByteText(failure?.message ?? absenceOf(outcome))),
    u32At(page.attempt, row),
    u32At(page.run_us, row) / 1e6,
    quoted(utf8ByteText(rows.workerOf(row))),
  ];
  if (isCommand) {
    const stderr = outcome === null ? "" : byteTextOf(outcome.stderr);
    fields.push(outcome?.exitCode ?? "", outcome?.signal ?? "", quoted(stdout), quoted(stderr));
  }
  return `${fields.join(",")}\r\n`;
}

/** Why `value` and `stdout` are empty, though the command printed something. */
function absenceOf(outcome: CommandOutcome | null): string {
  const stored = outcome?.storedStdout;
  return stored === undefined
    ? ""
    : `stdout is left out: its ${stored.byteCount} bytes are too many for a row`;
}

function quoted(field: ByteText): ByteText {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
