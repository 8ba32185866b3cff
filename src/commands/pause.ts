/** `cc pause` and `cc resume`: a job starts no more tasks, or a worker takes no more. */
import type { Connection } from "../runtime/client/connection.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { tryFindJobOrTask } from "./job-arguments.ts";
import { printStatus } from "./job-request.ts";
import { idText, printObject } from "./print.ts";
import type { PAUSE_VERB, RESUME_VERB } from "./tables/steer.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof PAUSE_VERB> | CommandContext<typeof RESUME_VERB>;

export async function run(context: CommandContext<typeof PAUSE_VERB>): Promise<ExitCode> {
  return setPaused(context, { paused: true, now: context.values.now === true });
}

export async function setPaused(
  context: Context,
  wanted: { readonly paused: boolean; readonly now: boolean },
): Promise<ExitCode> {
  await withForeman(context, "act", async (connection) => {
    for (const word of context.positionals) {
      const found = await tryFindJobOrTask(connection, word);
      if (found === null) await setWorker(context, connection, word, wanted);
      else if (found.index !== null) throw pausesNoTask(word);
      else if (wanted.now) throw nowIsForWorkers(word);
      else await setJob(context, connection, found.jobId, wanted.paused);
    }
  });
  return 0;
}

async function setJob(
  context: Context,
  connection: Connection,
  jobId: number,
  paused: boolean,
): Promise<void> {
  const status = await connection.request({ type: "update_job", job_id: jobId, patch: { paused } });
  const sentence = paused
    ? `job ${jobId} is paused; its running tasks finish (cc resume ${jobId})`
    : `job ${jobId} goes on`;
  await printStatus(context, jobId, status, sentence);
}

async function setWorker(
  context: Context,
  connection: Connection,
  workerId: string,
  wanted: { readonly paused: boolean; readonly now: boolean },
): Promise<void> {
  const answer = await connection.request({
    type: "update_worker",
    worker_id: workerId,
    ...wanted,
  });
  const { paused } = wanted;
  const sentence = paused
    ? `worker ${workerId} takes no more tasks (cc resume ${workerId})`
    : `worker ${workerId} takes tasks again`;
  if (context.json) await printObject(context, { worker_id: workerId, paused });
  else if (context.quiet) await context.io.stdout.write(`${idText(context, workerId)}\n`);
  else await context.io.stderr.write(`${safeLine(answer.note ?? sentence)}\n`);
}

const pausesNoTask = (word: string): Error =>
  usageError("bad_job", `"${word}" names a task; jobs and workers can be paused, tasks cannot.`);

const nowIsForWorkers = (word: string): Error =>
  usageError(
    "bad_option",
    `--now gives back what a worker runs; "${word}" is a job, whose running tasks finish.`,
    `cc pause ${word}, or cc cancel ${word}`,
  );
