/**
 * Runs a function trial in this process: the same context, codec and descriptions of failures as in a
 * worker's executor, with what it prints going straight to stderr.
 */
import { describeThrown } from "../../runtime/job-module/describe-thrown.ts";
import type { JobModule } from "../../runtime/job-module/job-module.ts";
import {
  type ContextShared,
  createContext,
  createSetupContext,
} from "../../runtime/job-module/task-context.ts";
import { ValueColumnBuilder } from "../../runtime/protocol/columns.ts";
import type { Failure } from "../../runtime/protocol/failure.ts";
import { VALUE_BYTES_MAX } from "../../runtime/protocol/limits.ts";
import { encodeValue } from "../../runtime/protocol/value.ts";
import {
  executorEnvironment,
  inheritEnvironment,
  jobEnvironment,
} from "../../runtime/worker/host/task-environment.ts";
import { sendPrintsToStderr, writeToStderr } from "./direct-stderr.ts";
import { guardRun } from "./guard-run.ts";
import { type FunctionTrial, type Trial, type TrialEnd, WORKER_NAME } from "./trial.ts";
import type { TrialFolder } from "./trial-folder.ts";

export async function callFunction(
  trial: Trial,
  work: FunctionTrial,
  folder: TrialFolder,
): Promise<TrialEnd> {
  const leave = enterExecutor(trial, folder);
  const restorePrints = sendPrintsToStderr();
  const run: FunctionRun = { trial, folder, module: null, startedAtMs: performance.now() };
  try {
    const value = await guardRun(() => runTask(run, work));
    const failure = value.byteLength > VALUE_BYTES_MAX ? resultTooLarge(value.byteLength) : null;
    return endOf(run, failure, failure === null ? value : null);
  } catch (thrown) {
    const bundlePath = run.module?.path ?? `${folder.path}/job.mjs`;
    const classifyError = run.module?.classifyError;
    return endOf(run, describeThrown(thrown, { bundlePath, classifyError }), null);
  } finally {
    restorePrints();
    leave();
  }
}

interface FunctionRun {
  readonly trial: Trial;
  readonly folder: TrialFolder;
  module: JobModule | null;
  startedAtMs: number;
}

async function runTask(run: FunctionRun, work: FunctionTrial): Promise<Uint8Array> {
  const { trial } = run;
  run.module = await work.load();
  const beforeSetup = sharedOf(run, undefined);
  const neverAborted = new AbortController().signal;
  const setup = await run.module.setup?.(createSetupContext(beforeSetup, neverAborted));
  const context = createContext(sharedOf(run, setup), trial.index, trial.attempt);
  run.startedAtMs = performance.now();
  const value = await run.module.task(trial.input, context);
  const builder = new ValueColumnBuilder();
  encodeValue(value, builder);
  return builder.take().data;
}

function sharedOf({ trial, folder }: FunctionRun, setup: unknown): ContextShared {
  return {
    job: trial.job,
    metadata: trial.metadata,
    setup,
    seed: trial.seed,
    openFolder: () => folder.createFolder("dir"),
    log: (line) => writeToStderr(`${line}\n`),
  };
}

function endOf(run: FunctionRun, failure: Failure | null, value: Uint8Array | null): TrialEnd {
  const runMs = performance.now() - run.startedAtMs;
  return { runMs, failure, value, command: null, interrupted: false };
}

const resultTooLarge = (byteCount: number): Failure => ({
  code: "result_too_large",
  message: `The result takes ${byteCount} bytes; at most ${VALUE_BYTES_MAX / 2 ** 20} MiB are carried.`,
});

/**
 * The environment and the folder that an executor would have, until the returned function is called: a
 * relative path that no worker could follow must lead nowhere here, too.
 */
function enterExecutor({ env, cpus }: Trial, folder: TrialFolder): () => void {
  const own = { ...process.env };
  const cwd = process.cwd();
  const job = jobEnvironment(inheritEnvironment(own), { env, cpus, workerId: WORKER_NAME });
  const { atStart, afterStart } = executorEnvironment(job, 1);
  replaceEnvironment({ ...atStart, ...afterStart });
  process.chdir(folder.createFolder("work"));
  return () => {
    process.chdir(cwd);
    replaceEnvironment(own);
  };
}

function replaceEnvironment(wanted: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) {
    if (wanted[name] === undefined) delete process.env[name];
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) process.env[name] = value;
  }
}
