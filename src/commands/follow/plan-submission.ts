/**
 * Understands a `cc submit` line as a whole before anything is sent: what runs, over which inputs, with
 * which options, printed how. Whatever is wrong at once is refused here.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { JobBundle } from "../../runtime/bundle/bundle-job.ts";
import { commandWork, type JobOptions } from "../../runtime/client/build-spec.ts";
import { chooseInputs, type InputSource } from "../../runtime/client/inputs/choose-inputs.ts";
import { checkDestination } from "../../runtime/client/output/check-destination.ts";
import {
  checkOutputOptions,
  type OutputOptions,
} from "../../runtime/client/output/result-writer.ts";
import { checkReducedFormat } from "../../runtime/client/reduce-results.ts";
import { type CcError, usageError } from "../../runtime/protocol/error.ts";
import type { InputShape, WorkSpec } from "../../runtime/protocol/job-spec.ts";
import type { CommandContext } from "../command-context.ts";
import { settleJobOptions } from "../job-options.ts";
import type { SUBMIT_VERB } from "../tables/run.ts";
import { refuseMangledWords } from "./mangled-words.ts";
import { outputOptionsOf } from "./open-session.ts";

export type SubmitContext = CommandContext<typeof SUBMIT_VERB>;

export interface SubmissionPlan {
  readonly work: WorkSpec;
  /** A function's code and module; null for a command. */
  readonly bundle: JobBundle | null;
  readonly options: JobOptions;
  readonly source: InputSource;
  readonly shape: InputShape;
  readonly output: OutputOptions;
}

/** @throws CcError with exit 2. */
export async function planSubmission(context: SubmitContext): Promise<SubmissionPlan> {
  const { values, positionals, rest } = context;
  refuseMangledWords(context.words);
  const output = outputOptionsOf(values, context);
  checkOutputOptions(output);
  checkFollowOptions(context);
  const [file] = positionals;
  if (file === undefined && rest === null) throw nothingToRun();
  const bundle = file === undefined ? null : await bundleOf(context, file);
  const options = optionsOf(context, file, bundle);
  const work = workOf(context, options, bundle);
  const source = chooseInputs({
    options: values,
    products: context.products,
    job: bundle === null ? null : { module: bundle.module, args: rest ?? [] },
    cwd: context.cwd,
    stdin: () => context.io.stdin.stream(),
  });
  if (bundle?.exportsPresent.reduce) checkReducedFormat(output.format);
  if (!values.dryRun) await checkDestination(output);
  return { work, bundle, options, source, shape: shapeOf(source, options), output };
}

function checkFollowOptions({ values }: SubmitContext): void {
  if (!values.detach) return;
  if (values.attached) {
    throw usageError(
      "attached_and_detached",
      "--attached ends the job with this command, --detach leaves it behind; give one.",
    );
  }
  if (values.output !== undefined) {
    throw usageError(
      "output_and_detached",
      "With --detach no results are read, so --output has nothing to hold.",
      "Write them later: cc results JOB --output FILE",
    );
  }
}

async function bundleOf(context: SubmitContext, file: string): Promise<JobBundle> {
  refuseCommandOptions(context, file);
  if (!/\.[cm]?[jt]sx?$/.test(file) && !existsSync(resolve(context.cwd, file))) {
    throw usageError(
      "job_file_not_found",
      `There is no job file ${file}.`,
      `A command stands after "--": cc submit -- ${file}`,
    );
  }
  // The bundler is heavy; commands never need it.
  const { bundleJob } = await import("../../runtime/bundle/bundle-job.ts");
  return await bundleJob(file, { cwd: context.cwd });
}

/** Typed flags that only a command understands; the same in a configuration file is no mistake. */
function refuseCommandOptions({ origins }: SubmitContext, file: string): void {
  const keys = ["stdin", "placeholder", "shell", "scratch", "cwd"] as const;
  const typed = keys.find((key) => origins[key].kind === "flag");
  if (typed === undefined) return;
  throw usageError(
    "command_option",
    `${origins[typed].detail} is for commands, and ${file} is a job file.`,
    "Leave it out, or submit a command: cc submit -- CMD ARG…",
  );
}

function optionsOf(
  context: SubmitContext,
  file: string | undefined,
  bundle: JobBundle | null,
): JobOptions {
  return settleJobOptions({
    values: context.values,
    config: context.config,
    jobFile:
      bundle && file !== undefined
        ? { name: bundle.module.places["options"] ?? file, options: bundle.options }
        : null,
  });
}

function workOf(
  { values, rest, cwd }: SubmitContext,
  options: JobOptions,
  bundle: JobBundle | null,
): WorkSpec {
  if (bundle) {
    return { kind: "function", bundle_sha256: bundle.sha256, entry_file: bundle.entryFile };
  }
  return commandWork({
    words: rest ?? [],
    options,
    placeholder: values.placeholder,
    stdin: values.stdin,
    cwd,
  });
}

function shapeOf(source: InputSource, options: JobOptions): InputShape {
  return {
    product_sources: source.productSources,
    chunk: source.isNone ? 0 : (options.chunk ?? 0),
    none: source.isNone,
  };
}

function nothingToRun(): CcError {
  return usageError(
    "nothing_to_run",
    "cc submit needs a job file or a command.",
    "cc submit JOB.ts, or cc submit -- CMD ARG…",
  );
}
