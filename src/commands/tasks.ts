/** `cc tasks`: a job's tasks as a list, or one task with its attempts, input and result. */
import { bodyOf, type Connection } from "../runtime/client/connection.ts";
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { safeLine, safeText } from "../runtime/platform/safe-text.ts";
import { type ValueColumn, valueAt } from "../runtime/protocol/columns.ts";
import { decodeCommandOutcome, isCommandOutcome } from "../runtime/protocol/command-outcome.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { decodeFailure, VALUE_FAILURE } from "../runtime/protocol/failure.ts";
import type { JobId } from "../runtime/protocol/ids.ts";
import { LIST_ROWS_MAX } from "../runtime/protocol/limits.ts";
import { storedStdoutOf } from "../runtime/protocol/stored-stdout.ts";
import { VALUE_UNDEFINED, valueAsJson } from "../runtime/protocol/value.ts";
import {
  type AttemptView,
  type JobView,
  TASK_STATES,
  type TaskDetailView,
  type TaskView,
} from "../runtime/protocol/views.ts";
import { formatBytes, formatDuration } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobOrTask } from "./job-arguments.ts";
import { createPalette, type Palette } from "./palette.ts";
import { factLines, printListing, printObject } from "./print.ts";
import type { TASKS_VERB } from "./tables/look.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof TASKS_VERB>;

const TASKS_SHOWN = 50;
const VALUE_CHARACTERS_SHOWN = 2_000;

interface TasksBody {
  readonly rows: readonly TaskView[];
  readonly next_index: number | null;
  readonly job: JobView;
}

export async function run(context: Context): Promise<ExitCode> {
  const [word] = context.positionals;
  checkStates(context.values.state);
  await withForeman(context, "look", async (connection) => {
    const { jobId, index } = await findJobOrTask(connection, word);
    if (index === null) await list(context, connection, jobId);
    else await show(context, connection, jobId, index);
  });
  return 0;
}

function checkStates(states: readonly string[] | undefined): void {
  for (const state of states ?? []) {
    if ((TASK_STATES as readonly string[]).includes(state)) continue;
    const near = nearestName(state, TASK_STATES);
    throw usageError(
      "bad_state",
      `--state "${state}" is no task state; expected ${TASK_STATES.join(", ")}.`,
      near === null ? undefined : `Did you mean ${near}?`,
    );
  }
}

async function list(context: Context, connection: Connection, jobId: JobId): Promise<void> {
  const { values, json, quiet } = context;
  const limit = values.limit ?? (json || quiet ? 0 : TASKS_SHOWN);
  const rows: TaskView[] = [];
  let from = 0;
  let next: number | null = 0;
  let job: JobView | null = null;
  while (next !== null && (limit === 0 || rows.length < limit)) {
    const snapshot = await connection.look({
      kind: "tasks",
      job_id: jobId,
      from_index: from,
      limit: limit === 0 ? LIST_ROWS_MAX : Math.min(limit - rows.length, LIST_ROWS_MAX),
      inputs: values.inputs === true,
      ...(values.state === undefined ? {} : { states: [...values.state] }),
    });
    const body = bodyOf<TasksBody>(snapshot);
    job = body.job;
    if (json || quiet) await printPart(context, body.rows);
    else rows.push(...body.rows);
    next = body.next_index;
    from = next ?? 0;
  }
  if (!json && !quiet)
    await printTable(context, rows, next === null ? null : leftOver(context, job, rows));
}

/** How many tasks were left out; null when a filter makes that unknown. */
function leftOver(
  context: Context,
  job: JobView | null,
  rows: readonly TaskView[],
): { readonly count: number | null } {
  if (job === null || context.values.state !== undefined) return { count: null };
  return { count: job.tasks.total - rows.length };
}

/** A million tasks go out as they come. */
async function printPart(context: Context, rows: readonly TaskView[]): Promise<void> {
  await printListing(context, { rows, columns: [], id: (task) => task.task_id, empty: "" });
}

async function printTable(
  context: Context,
  rows: readonly TaskView[],
  more: { readonly count: number | null } | null,
): Promise<void> {
  const { inputs } = context.values;
  await printListing(context, {
    rows,
    id: (task) => task.task_id,
    empty: "no such tasks",
    more: more === null ? undefined : { ...more, how: "--limit 0" },
    columns: [
      { title: "TASK", cell: (task) => task.task_id },
      { title: "STATE", cell: (task) => task.state },
      { title: "ATTEMPTS", align: "right", priority: 2, cell: (task) => String(task.attempts) },
      { title: "RUN", align: "right", priority: 1, cell: (task) => runText(task.run_seconds) },
      { title: "WORKER", priority: 3, cell: (task) => task.worker ?? "-" },
      ...(inputs ? [{ title: "INPUT", cell: listedInput }] : []),
      {
        title: "ERROR",
        priority: 1,
        cell: (task) => (task.error === null ? "" : `${task.error.code}: ${task.error.message}`),
      },
    ],
  });
}

/** As the foreman writes the input of a task that was given none. */
const NO_INPUT = '{"$undefined":true}';
const listedInput = ({ input }: TaskView): string =>
  input === undefined || input === NO_INPUT ? "-" : input;

const runText = (seconds: number | null): string =>
  seconds === null ? "-" : formatDuration(seconds * 1000);

async function show(
  context: Context,
  connection: Connection,
  jobId: JobId,
  index: number,
): Promise<void> {
  const snapshot = await connection.look({ kind: "task", job_id: jobId, index });
  const task = bodyOf<TaskDetailView>(snapshot);
  if (context.json) {
    const input = snapshot.value ? JSON.parse(valueAsJson(valueAt(snapshot.value, 0))) : undefined;
    await printObject(context, { ...task, input });
    return;
  }
  if (context.quiet) {
    await context.io.stdout.write(`${task.task_id}\n`);
    return;
  }
  const palette = createPalette(context.color.stdout);
  const beginning = await beginningOf(connection, task, snapshot.value ?? null);
  await context.io.stdout.write(taskText(task, snapshot.value ?? null, palette, beginning));
}

/** Of a stdout that lies outside, as much as is shown; null: there is no such. */
async function beginningOf(
  connection: Connection,
  { job, index }: TaskDetailView,
  values: ValueColumn | null,
): Promise<Uint8Array | null> {
  const result = resultIn(values);
  const stored = result === null ? null : storedStdoutOf(result);
  if (stored === null) return null;
  const { data } = await connection.request({
    type: "read_output",
    job_id: job.job_id,
    index,
    assignment: stored.assignment,
    first_byte: 0,
    bytes_max: 4 * VALUE_CHARACTERS_SHOWN,
  });
  return data;
}

/** The result of a task that has one. */
function resultIn(values: ValueColumn | null): Uint8Array | null {
  if (values === null) return null;
  if (typeof values.lengths !== "number" && values.lengths.length < 2) return null;
  const bytes = valueAt(values, 1);
  return bytes.byteLength === 0 ? null : bytes;
}

function taskText(
  task: TaskDetailView,
  values: ValueColumn | null,
  palette: Palette,
  beginning: Uint8Array | null,
): string {
  const facts = factLines(
    [
      ["task", `${palette.strong(task.task_id)}  of ${safeLine(task.job.name)}`],
      ["state", palette.state(task.state)],
      [
        "why",
        task.why === null
          ? null
          : safeLine(`${task.why.sentence}${task.why.hint ? `  (${task.why.hint})` : ""}`),
      ],
      ["not before", task.not_before],
      ["worker", task.worker === null ? null : safeLine(task.worker)],
      ["run time", task.run_seconds === null ? null : runText(task.run_seconds)],
      ["input", inputText(values)],
    ],
    palette,
  );
  const history = task.history.map((attempt) => attemptText(attempt, palette)).join("");
  return (
    facts +
    (history === "" ? "" : `${palette.faint("attempts")}\n${history}`) +
    outcomeText(values, palette, beginning)
  );
}

/** A task of a command without inputs was given nothing, and shows nothing. */
function inputText(values: ValueColumn | null): string | null {
  const bytes = values === null ? null : valueAt(values, 0);
  if (bytes === null || bytes[0] === VALUE_UNDEFINED) return null;
  return shortened(safeLine(valueAsJson(bytes)));
}

function attemptText(attempt: AttemptView, palette: Palette): string {
  const where = attempt.worker === "" ? "" : ` on ${attempt.worker}`;
  const error = attempt.code === null ? "" : `  ${attempt.code}: ${attempt.message ?? ""}`;
  // A task that was cancelled before it began has no attempt, only an end.
  const number = attempt.attempt === 0 ? "-" : attempt.attempt;
  const run = attempt.run_seconds === null ? "" : `  ${runText(attempt.run_seconds)}`;
  const line = `  ${number}  ${palette.state(attempt.outcome)}${safeLine(where)}${run}${palette.bad(safeLine(error))}\n`;
  const stack = attempt.stack === null ? "" : indent(safeText(attempt.stack), "       ");
  return line + palette.faint(stack);
}

function outcomeText(
  values: ValueColumn | null,
  palette: Palette,
  beginning: Uint8Array | null,
): string {
  const bytes = resultIn(values);
  if (bytes === null) return "";
  const title = (text: string): string => `${palette.faint(text)}\n`;
  if (isCommandOutcome(bytes)) return commandText(bytes, title, beginning);
  if (bytes[0] !== VALUE_FAILURE)
    return title("result") + indent(shortened(safeText(valueAsJson(bytes))), "  ");
  const { failure, commandOutcome } = decodeFailure(bytes);
  const console = failure.console
    ? title("console (the end)") + indent(safeText(failure.console), "  ")
    : "";
  return console + (commandOutcome === null ? "" : commandText(commandOutcome, title, beginning));
}

function commandText(
  bytes: Uint8Array,
  title: (text: string) => string,
  beginning: Uint8Array | null,
): string {
  const outcome = decodeCommandOutcome(bytes);
  const { exitCode, signal, storedStdout, stderr, stderrDroppedBytes } = outcome;
  const stdout = beginning ?? outcome.stdout;
  const size = storedStdout === undefined ? "" : ` (${formatBytes(storedStdout.byteCount)} in all)`;
  const end = signal === null ? `exit ${exitCode}` : `signal ${signal}`;
  const text = (output: Uint8Array): string =>
    indent(shortened(safeText(new TextDecoder().decode(output))), "  ");
  const dropped = stderrDroppedBytes === 0 ? "" : ` (first ${stderrDroppedBytes} bytes dropped)`;
  return (
    title(`ended with ${end}`) +
    (stdout.byteLength === 0 ? "" : title(`stdout${size}`) + text(stdout)) +
    (stderr.byteLength === 0 ? "" : title(`stderr${dropped}`) + text(stderr))
  );
}

const indent = (text: string, by: string): string =>
  text.trimEnd() === ""
    ? ""
    : `${text
        .trimEnd()
        .split("\n")
        .map((line) => by + line)
        .join("\n")}\n`;

const shortened = (text: string): string =>
  text.length <= VALUE_CHARACTERS_SHOWN
    ? text
    : // A cut may leave half a character.
      `${text.slice(0, VALUE_CHARACTERS_SHOWN).toWellFormed()}…`;
