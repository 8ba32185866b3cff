/**
 * The stdouts outside the database that its results name, and which of them are not there as they were
 * left. The one place in the store that looks into results: for a check, never for the foreman's work.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { indexAt, u32At } from "../../protocol/columns.ts";
import { formatTaskId, type JobId } from "../../protocol/ids.ts";
import { storedStdoutOf } from "../../protocol/stored-stdout.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import type { OutputFile } from "../output-files.ts";
import { createLogReader } from "./log-reader.ts";
import { SETTLEMENT_GET_NEXT, type SettlementRow, settlementOfRow } from "./log-rows.ts";

export interface NamedOutput {
  readonly jobId: JobId;
  readonly index: number;
  readonly assignment: number;
  readonly byteCount: number;
}

/** Of results that stand: a retry has reopened the others. Within a read transaction, without a pause. */
export function listNamedOutputs(
  database: SqlDatabase,
  jobs: readonly JobFacts[],
): readonly NamedOutput[] {
  const log = createLogReader(database);
  const next = database.prepare<SettlementRow>(SETTLEMENT_GET_NEXT);
  return jobs.flatMap(({ jobId, inputCount }) => {
    const fold = log.foldAtOnce(jobId, { inputCount, seq: Number.MAX_SAFE_INTEGER });
    const named: NamedOutput[] = [];
    for (let row = next.get(jobId, 0); row; row = next.get(jobId, row.seq + 1)) {
      if (row.kind === "rest_cancelled") continue;
      for (const output of namedIn(jobId, row)) {
        if (fold.seq[output.index] === row.seq) named.push(output);
      }
    }
    return named;
  });
}

function* namedIn(jobId: JobId, settlement: SettlementRow): Generator<NamedOutput> {
  const { count, indexes, values } = settlementOfRow(jobId, settlement);
  let at = 0;
  for (let row = 0; row < count; row++) {
    const from = at;
    at += u32At(values.lengths, row);
    const stored = storedStdoutOf(values.data.subarray(from, at));
    if (stored === null) continue;
    const { assignment, byteCount } = stored;
    yield { jobId, index: indexAt(indexes, row), assignment, byteCount };
  }
}

/**
 * @param files what there was before and after the results were read: a foreman may have removed a job,
 * or recorded a result, in between.
 * @returns a sentence for each that is missing or has another length.
 */
export function findLostOutputs(
  named: readonly NamedOutput[],
  files: readonly OutputFile[],
): readonly string[] {
  const sizes = new Map<string, number[]>();
  for (const file of files) {
    const known = sizes.get(keyOf(file));
    if (known) known.push(file.byteCount);
    else sizes.set(keyOf(file), [file.byteCount]);
  }
  return named.flatMap((output) => {
    const found = sizes.get(keyOf(output)) ?? [];
    if (found.includes(output.byteCount)) return [];
    const task = formatTaskId(output.jobId, output.index);
    const state = found.length === 0 ? "is missing" : `has ${found.at(-1)} bytes`;
    return [`the output of task ${task} (${output.byteCount} bytes) ${state}`];
  });
}

const keyOf = ({
  jobId,
  index,
  assignment,
}: Omit<NamedOutput, "byteCount" | "jobId"> & {
  readonly jobId: number;
}): string => `${jobId}/${index}/${assignment}`;
