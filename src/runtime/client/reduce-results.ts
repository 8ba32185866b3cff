/**
 * Folds the results of a job into the one value that its file's `reduce` makes of them, in input order.
 * A job with failed tasks has no reduced value, unless a part of it is wanted.
 */

import type { JobModule } from "../job-module/job-module.ts";
import { createReducer } from "../job-module/reducer.ts";
import { ValueColumnBuilder } from "../protocol/columns.ts";
import { usageError } from "../protocol/error.ts";
import { decodeValue, encodeValue, valueAsJson } from "../protocol/value.ts";
import type { OutputFormat } from "./output/result-writer.ts";
import { bytesOf, rowsOf, STATUS_COMPLETED, utf8ByteText } from "./output/rows.ts";
import { valueLine } from "./output/value-text.ts";
import type { ResultsPage } from "./read-results.ts";

export interface Reduction {
  add(page: ResultsPage): Promise<void>;
  /** As it is printed. */
  print(format: OutputFormat): Uint8Array;
}

/** null when the job file has no `reduce`. */
export function createReduction(module: JobModule): Reduction | null {
  const reducer = createReducer(module);
  if (reducer === null) return null;
  return {
    async add(page) {
      const rows = rowsOf(page);
      for (let row = 0; row < rows.count; row++) {
        if (rows.statusOf(row) !== STATUS_COMPLETED) continue;
        const pending = reducer.add(decodeValue(rows.valueOf(row)), rows.indexOf(row));
        if (pending) await pending;
      }
    },
    print: (format) => printReduced(reducer.total(), format),
  };
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
