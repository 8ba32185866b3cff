/** Says how a trial ended: its value on stdout as `cc submit` prints one, everything else on stderr. */
import { isUtf8 } from "node:buffer";
import { bytesOf } from "../../runtime/client/output/rows.ts";
import { valueLine } from "../../runtime/client/output/value-text.ts";
import { safeLine, safeText } from "../../runtime/platform/safe-text.ts";
import type { ExitCode } from "../../runtime/protocol/error.ts";
import { valueAsJson } from "../../runtime/protocol/value.ts";
import { JSON_SCHEMA_NAME } from "../../runtime/protocol/views.ts";
import { formatDuration } from "../../tui/text/amounts.ts";
import type { CommandContext } from "../command-context.ts";
import { inertJsonText } from "../inert-json.ts";
import { createPalette } from "../palette.ts";
import type { CommandTrialEnd, Trial, TrialEnd } from "./trial.ts";

type Context = Pick<CommandContext, "io" | "json" | "quiet" | "color">;

export async function printEnd(context: Context, trial: Trial, end: TrialEnd): Promise<ExitCode> {
  const { stdout, stderr } = context.io;
  if (context.json) {
    await stdout.write(`${inertJsonText(endAsJson(trial, end), stdout.isTerminal)}\n`);
  } else if (end.value !== null) await stdout.write(bytesOf(valueLine(end.value)));
  if (!context.json && (end.failure !== null || !context.quiet)) {
    await stderr.write(endAsText(context, trial, end));
  }
  if (end.interrupted) return 130;
  return end.failure === null ? 0 : 1;
}

function endAsText({ color }: Context, trial: Trial, end: TrialEnd): string {
  const palette = createPalette(color.stderr);
  const name = trial.taskId ?? safeLine(trial.job.name);
  const duration = formatDuration(end.runMs);
  const { failure } = end;
  if (failure === null) return palette.faint(`${name} completed, ${duration}\n`);
  const head = `${palette.bad(`${name} failed: ${safeLine(failure.code)}`)}, ${duration}\n`;
  return `${head}${safeText(failure.stack ?? failure.message)}\n`;
}

/** One object; the value is JSON already and spliced in as it is. */
function endAsJson(trial: Trial, { failure, value, command, runMs }: TrialEnd): string {
  const fields = [
    `"schema":${JSON.stringify(JSON_SCHEMA_NAME)}`,
    `"task_id":${JSON.stringify(trial.taskId)}`,
    `"status":"${failure === null ? "completed" : "failed"}"`,
  ];
  if (value !== null) fields.push(`"value":${valueAsJson(value)}`);
  if (failure !== null) {
    const { code, message, stack } = failure;
    fields.push(`"error":${JSON.stringify({ code, message, stack })}`);
  }
  fields.push(`"run_seconds":${Math.round(runMs * 1000) / 1e6}`);
  if (command !== null) fields.push(commandFields(command));
  return `{${fields.join(",")}}`;
}

function commandFields({ exitCode, signal, stdout, stdoutByteCount }: CommandTrialEnd): string {
  const end = `"exit_code":${exitCode},"signal":${JSON.stringify(signal)}`;
  if (stdout === null && stdoutByteCount > 0) return `${end},"stdout_bytes":${stdoutByteCount}`;
  const bytes = stdout ?? new Uint8Array(0);
  const output = isUtf8(bytes)
    ? `"stdout":${JSON.stringify(Buffer.from(bytes).toString("utf8"))}`
    : `"stdout_base64":"${Buffer.from(bytes).toString("base64")}"`;
  return `${end},${output}`;
}
