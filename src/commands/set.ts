/** `cc set`: changes a job's options while it waits or runs. */
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import type { JobPatch } from "../runtime/protocol/job-spec.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobId } from "./job-arguments.ts";
import { printStatus } from "./job-request.ts";
import type { SET_VERB } from "./tables/steer.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof SET_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  const [word] = context.positionals;
  const patch = patchOf(context.values);
  if (Object.keys(patch).length === 0) {
    throw usageError(
      "nothing_to_set",
      "cc set needs at least one option to change.",
      `cc set ${word} --priority high`,
    );
  }
  await withForeman(context, "act", async (connection) => {
    const jobId = await findJobId(connection, word);
    const status = await connection.request({ type: "update_job", job_id: jobId, patch });
    await printStatus(
      context,
      jobId,
      status,
      `job ${jobId} changed: ${Object.keys(patch).map(optionName).join(", ")}`,
    );
  });
  return 0;
}

function patchOf(values: Context["values"]): JobPatch {
  const patch: JobPatch = {};
  if (values.priority !== undefined) patch.priority = values.priority as number;
  if (values.maxRunning !== undefined) patch.max_running = orNull(values.maxRunning);
  if (values.timeout !== undefined) {
    const timeoutMs = orNull(values.timeout);
    patch.timeout_seconds = timeoutMs === null ? null : timeoutMs / 1000;
  }
  if (values.name !== undefined) patch.name = values.name;
  if (values.note !== undefined) patch.note = values.note;
  if (values.keep !== undefined) patch.keep = values.keep;
  return patch;
}

/** `timeout_seconds` is what people know as timeout. */
const optionName = (key: string): string => key.replace(/_seconds$/, "").replaceAll("_", "-");

const orNull = (value: number | string): number | null =>
  typeof value === "number" ? value : null;
