/**
 * Which source a job's inputs come from: at most one of the options, else the job file's own, else a
 * single task without input. It reads nothing yet.
 */

import type { JobModule } from "../../job-module/job-module.ts";
import { readInputBatches } from "../../job-module/read-inputs.ts";
import { usageError } from "../../protocol/error.ts";
import { readCsvRows } from "./csv-rows.ts";
import { parseInputOption, readJsonValues } from "./json-values.ts";
import { readLines } from "./lines.ts";
import { combine, countNumbers, parseArray } from "./ranges.ts";
import type { TextSource } from "./text-source.ts";

export interface InputOptions {
  readonly array?: string | undefined;
  readonly eachLine?: string | undefined;
  /** Entries of `eachLine` end in NUL. */
  readonly null?: boolean | undefined;
  readonly eachJson?: string | undefined;
  readonly eachCsv?: string | undefined;
  readonly input?: string | undefined;
}

export interface InputRequest {
  readonly options: InputOptions;
  /** The words of each `:::` list. */
  readonly products: readonly (readonly string[])[];
  /** The job file, with the words for its `inputs`; null for a command. */
  readonly job: { readonly module: JobModule; readonly args: readonly string[] } | null;
  readonly cwd: string;
  stdin(): AsyncIterable<Uint8Array>;
}

export interface InputSource {
  /** As messages name it: `--each-line urls.txt`, `:::`, `inputs`. */
  readonly label: string;
  /** Lists of a product; 0 where an input is one value. */
  readonly productSources: number;
  /** Nothing was given: one task without input. */
  readonly isNone: boolean;
  /** The values in their order; to be asked for once. */
  readonly batches: AsyncIterable<readonly unknown[]>;
}

/** @throws CcError with exit 2: two sources, a bad range, an empty `:::` list. */
export function chooseInputs(request: InputRequest): InputSource {
  const given = givenSources(request);
  const [chosen, second] = given;
  if (second && chosen) throw twoSources(chosen.label, second.label);
  if (request.options.null && request.options.eachLine === undefined) {
    throw usageError("null_without_lines", "--null says how --each-line splits; give both.");
  }
  if (!chosen) return ownInputs(request);
  if (request.job && request.job.args.length > 0) {
    throw usageError(
      "two_sources",
      `The words after "--" go to the job file's inputs, which ${chosen.label} replaces.`,
      "Leave out one of the two.",
    );
  }
  return chosen;
}

function givenSources(request: InputRequest): readonly InputSource[] {
  const { options, products } = request;
  const { array, eachLine, eachJson, eachCsv, input } = options;
  const sources: InputSource[] = [];
  const add = (label: string, batches: AsyncIterable<readonly unknown[]>, productSources = 0) =>
    sources.push({ label, batches, productSources, isNone: false });
  const text = (flag: string, file: string): TextSource => ({
    label: `${flag} ${file}`,
    file,
    cwd: request.cwd,
    stdin: request.stdin,
  });
  if (array !== undefined) {
    parseArray(array);
    add("--array", countNumbers(array));
  }
  if (eachLine !== undefined) {
    const source = text("--each-line", eachLine);
    add(source.label, readLines(source, { separatedByNul: options.null === true }));
  }
  if (eachJson !== undefined) {
    const source = text("--each-json", eachJson);
    add(source.label, readJsonValues(source));
  }
  if (eachCsv !== undefined) {
    const source = text("--each-csv", eachCsv);
    add(source.label, readCsvRows(source));
  }
  if (input !== undefined) add("--input", once(parseInputOption(input)));
  if (products.length > 0) {
    if (products.some((list) => list.length === 0)) {
      throw usageError("inputs_empty", "A ::: list has no words.", "Write ::: A B C.");
    }
    add(":::", combine(products), products.length > 1 ? products.length : 0);
  }
  return sources;
}

function ownInputs({ job }: InputRequest): InputSource {
  if (job?.module.hasInputs) {
    const batches = readInputBatches(job.module, job.args);
    return { label: "inputs", productSources: 0, isNone: false, batches };
  }
  if (job && job.args.length > 0) {
    throw usageError(
      "no_inputs",
      `The words after "--" go to the job file's inputs, which it does not export.`,
      "Write export function* inputs(args) { … }, or give the inputs with ::: or --each-line.",
    );
  }
  return { label: "no input", productSources: 0, isNone: true, batches: once(undefined) };
}

async function* once(value: unknown): AsyncGenerator<readonly unknown[]> {
  yield [value];
}

function twoSources(first: string, second: string): Error {
  return usageError(
    "two_sources",
    `Inputs come from one source, but both ${first} and ${second} were given.`,
    "Leave out one of the two.",
  );
}
