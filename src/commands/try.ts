/**
 * `cc try`: one task here, its output straight to the terminal. It asks the foreman for a recorded
 * task's input and code, or takes a job file's first input, and records nothing anywhere.
 */
import { bundleJob, type JobBundle } from "../runtime/bundle/bundle-job.ts";
import type { Connection } from "../runtime/client/connection.ts";
import { assertNever, type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { parseJobOrTask } from "../runtime/protocol/ids.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobOrTask } from "./job-arguments.ts";
import type { TRY_VERB } from "./tables/run.ts";
import { callFunction } from "./try/call-function.ts";
import { sendPrintsToStderr } from "./try/direct-stderr.ts";
import { readFirstInput } from "./try/first-input.ts";
import { printEnd } from "./try/print-end.ts";
import { readRecordedTask } from "./try/recorded-task.ts";
import { spawnCommand } from "./try/spawn-command.ts";
import type { Trial, TrialEnd } from "./try/trial.ts";
import { createTrialFolder, type TrialFolder } from "./try/trial-folder.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof TRY_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  const [word] = context.positionals;
  const folder = createTrialFolder();
  try {
    const trial = isTaskWord(word)
      ? await recorded(context, word, folder)
      : await firstOfFile(context, word);
    return await printEnd(context, trial, await perform(context, trial, folder));
  } finally {
    folder.remove();
  }
}

/** `17/3`, `last/3`; a whole job also looks like one, and is answered as one. */
const isTaskWord = (word: string): boolean =>
  parseJobOrTask(word) !== null || /^last(\/|$)/.test(word);

async function recorded(context: Context, word: string, folder: TrialFolder): Promise<Trial> {
  if (context.rest !== null) {
    throw usageError(
      "unexpected_words",
      `${word} has its recorded input; the words after "--" are for a job file's inputs.`,
      "Leave them out, or name the file: cc try JOB.ts -- ARG…",
    );
  }
  const file = context.values.with;
  const corrected = file === undefined ? null : (await bundle(context, file)).module;
  const { trial, missingVariables } = await withForeman(context, "look", async (connection) => {
    const { jobId, index } = await findTask(connection, word);
    const { env: callerEnv } = context;
    const request = { jobId, index, callerEnv, folder: folder.path, corrected };
    return await readRecordedTask(connection, request);
  });
  for (const name of missingVariables) {
    await context.io.stderr.write(
      `cc: the task's ${name} is secret and not set here; it runs without (${name}=… cc try ${word})\n`,
    );
  }
  return trial;
}

async function findTask(connection: Connection, word: string) {
  const { jobId, index } = await findJobOrTask(connection, word);
  if (index !== null) return { jobId, index };
  throw usageError(
    "bad_task",
    `"${word}" names a whole job, expected one task.`,
    `cc try ${jobId}/0, or cc tasks ${jobId} --state failed for what failed`,
  );
}

async function firstOfFile(context: Context, file: string): Promise<Trial> {
  if (context.values.with !== undefined) {
    throw usageError(
      "with_without_task",
      "--with gives a recorded task other code, and no task is named.",
      `cc try ${context.values.with}, or cc try JOB/INDEX --with ${context.values.with}`,
    );
  }
  const { config, env, cwd, words, io } = context;
  const args = context.rest ?? [];
  const made = await bundle(context, file);
  const stdin = () => io.stdin.stream();
  return await withPrintsOnStderr(() =>
    readFirstInput({ bundle: made, args, config, env, cwd, words, stdin }),
  );
}

async function bundle(context: Context, file: string): Promise<JobBundle> {
  const made = await withPrintsOnStderr(() => bundleJob(file, { cwd: context.cwd }));
  for (const warning of made.warnings) await context.io.stderr.write(`cc: ${warning}\n`);
  return made;
}

async function withPrintsOnStderr<Value>(work: () => Promise<Value>): Promise<Value> {
  const restore = sendPrintsToStderr();
  try {
    return await work();
  } finally {
    restore();
  }
}

function perform(context: Context, trial: Trial, folder: TrialFolder): Promise<TrialEnd> {
  const { work } = trial;
  switch (work.kind) {
    case "function":
      return callFunction(trial, work, folder);
    case "command":
      return spawnCommand(trial, work, folder, {
        keepStdout: context.json,
        terminalSignals: context.io.stdin.isTerminal,
        env: context.env,
      });
    default:
      return assertNever(work, "work of a trial");
  }
}
