/**
 * Folds the results of a job into the one value that its file's `reduce` makes of them, in input order.
 * A job with failed tasks has no reduced value, unless a part of it is wanted.
 */

import { isUtf8 } from "node:buffer";
import type { JobModule } from "../job-module/job-module.ts";
import { createReducer } from "../job-module/reducer.ts";
import { ValueColumnBuilder } from "../protocol/columns.ts";
import {
  type CommandOutcome,
  decodeCommandOutcome,
  isCommandOutcome,
} from "../protocol/command-outcome.ts";
import { usageError } from "../protocol/error.ts";
import { decodeValue, encodeValue, valueAsJson } from "../protocol/value.ts";
import type { OutputFormat } from "./output/result-writer.ts";
import { bytesOf, type Rows, rowsOf, STATUS_COMPLETED, utf8ByteText } from "./output/rows.ts";
import { valueLine } from "./output/value-text.ts";
import { type ReadStored, readWholeOutput } from "./read-output.ts";
import type { ResultsPage } from "./read-results.ts";

export interface Reduction {
  /** A command's value is its stdout: @throws CcError `output_too_large` (2) where that is too long. */
  add(page: ResultsPage, readStored: ReadStored): Promise<void>;
  /** As it is printed. */
  print(format: OutputFormat): Uint8Array;
}

/** null when the job file has no `reduce`. */
export function createReduction(module: JobModule): Reduction | null {
  const reducer = createReducer(module);
  if (reducer === null) return null;
  return {
    async add(page, readStored) {
      const rows = rowsOf(page);
      for (let row = 0; row < rows.count; row++) {
        if (rows.statusOf(row) !== STATUS_COMPLETED) continue;
        const bytes = rows.valueOf(row);
        const value = isCommandOutcome(bytes)
          ? await stdoutOf(decodeCommandOutcome(bytes), rows, row, readStored)
          : decodeValue(bytes);
        const pending = reducer.add(value, rows.indexOf(row));
        if (pending) await pending;
      }
    },
    print: (format) => printReduced(reducer.total(), format),
  };
}

/** A text where it is one, as the `value` of a row under `--format jsonl`. */
async function stdoutOf(
  { stdout, storedStdout }: CommandOutcome,
  rows: Rows,
  row: number,
  readStored: ReadStored,
): Promise<string | Uint8Array> {
  const bytes =
    storedStdout === undefined
      ? stdout
      : await readWholeOutput(readStored, rows.page.job_id, rows.indexOf(row), storedStdout);
  return isUtf8(bytes) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : bytes;
}

function printReduced(total: unknown, format: OutputFormat): Uint8Array {
  const builder = new ValueColumnBuilder();
  encodeValue(total, builder);
  const value = builder.take().data;
  if (format === "jsonl") return bytesOf(utf8ByteText(`{"value":${valueAsJson(value)}}\n`));
  return bytesOf(valueLine(value));
}

/** One value is no table. @throws CcError with exit 2. */
export function checkReducedFormat(format: OutputFormat): void {
  if (format === "csv") {
    throw usageError(
      "csv_of_one_value",
      "A reduced value is one value, and --format csv a table.",
      "Use --format value or jsonl.",
    );
  }
}
