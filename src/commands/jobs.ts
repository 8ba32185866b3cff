/** `cc jobs`: a list of jobs, unfinished ones first, or one job in detail. */
import { quoteWord } from "../runtime/client/build-spec.ts";
import { bodyOf, type Connection } from "../runtime/client/connection.ts";
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import type { JobSpec } from "../runtime/protocol/job-spec.ts";
import { LIST_ROWS_MAX } from "../runtime/protocol/limits.ts";
import { JOB_STATES, type JobDetailView, type JobView } from "../runtime/protocol/views.ts";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatExactCount,
  formatRate,
} from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { findJobId } from "./job-arguments.ts";
import { createPalette, type Palette } from "./palette.ts";
import { factLines, printListing, printObject } from "./print.ts";
import type { JOBS_VERB } from "./tables/look.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof JOBS_VERB>;

/** Ended jobs shown unless --limit says otherwise. */
const ENDED_SHOWN = 20;

interface JobsBody {
  readonly rows: readonly JobView[];
  readonly more: number;
  readonly next_before: number | null;
}

export async function run(context: Context): Promise<ExitCode> {
  const [word] = context.positionals;
  const states = checkStates(context.values.state);
  await withForeman(context, "look", async (connection) => {
    if (word === undefined) await list(context, connection, states);
    else await show(context, connection, word);
  });
  return 0;
}

function checkStates(states: readonly string[] | undefined): string[] | undefined {
  for (const state of states ?? []) {
    if ((JOB_STATES as readonly string[]).includes(state)) continue;
    const near = nearestName(state, JOB_STATES);
    throw usageError(
      "bad_state",
      `--state "${state}" is no job state; expected ${JOB_STATES.join(", ")}.`,
      near === null ? undefined : `Did you mean ${near}?`,
    );
  }
  return states === undefined ? undefined : [...states];
}

async function list(
  context: Context,
  connection: Connection,
  states: string[] | undefined,
): Promise<void> {
  const { values, json } = context;
  const limit = values.limit ?? (json ? 0 : ENDED_SHOWN);
  const rows: JobView[] = [];
  let before: number | undefined;
  let more = 0;
  do {
    const snapshot = await connection.look({
      kind: "jobs",
      limit: limit === 0 ? LIST_ROWS_MAX : limit,
      ...(states === undefined ? {} : { states }),
      ...(values.name === undefined ? {} : { name_glob: values.name }),
      ...(values.mine === true ? { mine: true } : {}),
      ...(before === undefined ? {} : { before }),
    });
    const body = bodyOf<JobsBody>(snapshot);
    rows.push(...body.rows);
    more = body.more;
    before = body.next_before ?? undefined;
  } while (limit === 0 && before !== undefined);
  // By default every unfinished job is shown and only ended ones are counted.
  const shown = values.limit ? rows.slice(0, values.limit) : rows;
  const nowMs = Date.now();
  await printListing(context, {
    rows: shown,
    id: (job) => String(job.job_id),
    empty: values.state || values.name ? "no such jobs" : "no jobs yet: cc submit JOB.ts",
    more: { count: more + rows.length - shown.length, how: "--limit 0" },
    wide: values.wide,
    columns: [
      { title: "ID", align: "right", cell: (job) => String(job.job_id) },
      { title: "NAME", priority: 0, cell: (job) => job.name },
      { title: "STATE", cell: stateOf },
      { title: "DONE", align: "right", cell: (job) => `${percentDone(job)}%` },
      { title: "TASKS", align: "right", cell: (job) => formatCount(job.tasks.total) },
      { title: "RUNNING", align: "right", priority: 2, cell: (job) => orDash(job.tasks.running) },
      { title: "FAILED", align: "right", priority: 1, cell: (job) => orDash(job.tasks.failed) },
      { title: "RATE", align: "right", priority: 4, cell: rateOf },
      { title: "ETA", align: "right", priority: 3, cell: etaOf },
      { title: "QUEUE", priority: 6, cell: (job) => job.queue },
      { title: "PRIO", align: "right", priority: 7, cell: (job) => orDash(job.priority) },
      { title: "OWNER", priority: 8, cell: (job) => job.owner },
      {
        title: "SUBMITTED",
        priority: 5,
        cell: (job) => formatAge(Date.parse(job.created_at), nowMs),
      },
    ],
  });
}

const stateOf = (job: JobView): string => job.state;
const orDash = (count: number): string => (count === 0 ? "-" : formatCount(count));
const rateOf = (job: JobView): string =>
  job.tasks_per_second === null ? "-" : formatRate(job.tasks_per_second);
const etaOf = (job: JobView): string =>
  job.eta_seconds === null ? "-" : formatDuration(job.eta_seconds * 1000);

function percentDone(job: JobView): number {
  const { total, completed, failed, cancelled } = job.tasks;
  if (total === 0) return job.finished_at === null ? 0 : 100;
  return Math.floor((100 * (completed + failed + cancelled)) / total);
}

async function show(context: Context, connection: Connection, word: string): Promise<void> {
  const jobId = await findJobId(connection, word);
  const job = bodyOf<JobDetailView>(await connection.look({ kind: "job", job_id: jobId }));
  if (context.json) {
    await printObject(context, job);
    return;
  }
  if (context.quiet) {
    await context.io.stdout.write(`${job.job_id}\n`);
    return;
  }
  const palette = createPalette(context.color.stdout);
  await context.io.stdout.write(
    factLines(jobFacts(job, palette), palette) + errorLines(job, palette),
  );
}

function jobFacts(job: JobDetailView, palette: Palette): [string, string | null][] {
  const { spec } = job;
  const finishedMs = job.finished_at === null ? null : Date.parse(job.finished_at);
  const createdMs = Date.parse(job.created_at);
  const took = finishedMs === null ? "" : `, took ${formatDuration(finishedMs - createdMs)}`;
  return [
    ["job", `${palette.strong(String(job.job_id))}  ${safeLine(job.name)}`],
    ["state", palette.state(job.state) + (job.inputs_open ? " (inputs still arriving)" : "")],
    ["why", job.why === null ? null : whyText(job.why)],
    ["tasks", countsText(job)],
    ["rate", job.tasks_per_second === null ? null : `${rateOf(job)}, ETA ${etaOf(job)}`],
    ["run time", runTimeText(job)],
    [
      "submitted",
      `${job.created_at} by ${safeLine(job.owner)} on ${safeLine(spec.submitted_from.host)}`,
    ],
    ["finished", job.finished_at === null ? null : `${job.finished_at}${took}`],
    ["runs", workText(spec)],
    ["folder", safeLine(spec.submitted_from.folder)],
    ["command", safeLine(spec.submitted_from.command_line)],
    ["note", job.note === null ? null : safeLine(job.note)],
    ["options", optionsText(spec)],
    ["metadata", pairsText(spec.metadata)],
    ["env", pairsText(mapValues(spec.env, (entry) => entry.value))],
    ["kept", job.keep ? "beyond every retention" : null],
  ];
}

const whyText = (why: NonNullable<JobDetailView["why"]>): string =>
  safeLine(why.sentence + (why.hint === null ? "" : `  (${why.hint})`));

function countsText(job: JobView): string {
  const { total, ...states } = job.tasks;
  const parts = Object.entries(states).filter(([, count]) => count > 0);
  const detail = parts.map(([state, count]) => `${formatExactCount(count)} ${state}`).join(", ");
  return `${formatExactCount(total)}${detail === "" ? "" : `: ${detail}`}`;
}

function runTimeText(job: JobDetailView): string | null {
  const { total, mean } = job.run_seconds;
  if (mean === null) return null;
  return `${formatDuration(total * 1000)} in all, ${formatDuration(mean * 1000)} a task`;
}

function workText(spec: JobSpec): string {
  const { work } = spec;
  if (work.kind === "function") {
    return `${safeLine(work.entry_file)}  (code ${work.bundle_sha256.slice(0, 12)})`;
  }
  return `${safeLine(work.argv.map(quoteWord).join(" "))}  in ${work.scratch ? "a fresh folder" : safeLine(work.cwd)}`;
}

/** Only what differs from the defaults: the rest is noise. */
function optionsText(spec: JobSpec): string | null {
  const parts = [
    spec.queue === "default" ? "" : `queue ${spec.queue}`,
    spec.role === null ? "" : `role ${spec.role}`,
    spec.priority === 0 ? "" : `priority ${spec.priority}`,
    spec.retries === 0 ? "" : `retries ${spec.retries} (backoff ${spec.backoff_seconds} s)`,
    spec.timeout_seconds === null ? "" : `timeout ${formatDuration(spec.timeout_seconds * 1000)}`,
    spec.max_running === null ? "" : `max-running ${spec.max_running}`,
    spec.cpus === 1 ? "" : `cpus ${spec.cpus}`,
    spec.memory_bytes === null ? "" : `mem ${formatBytes(spec.memory_bytes)}`,
    spec.delay_seconds === 0 ? "" : `delay ${formatDuration(spec.delay_seconds * 1000)}`,
    spec.after.length === 0 ? "" : `after ${spec.after.join(", ")}`,
    ...Object.entries(spec.resources).map(([name, amount]) => `${name}=${amount}`),
    ...Object.entries(spec.worker_labels).map(([name, value]) => `label ${name}=${value}`),
  ].filter((part) => part !== "");
  return parts.length === 0 ? null : safeLine(parts.join(", "));
}

function pairsText(pairs: Readonly<Record<string, string>>): string | null {
  const parts = Object.entries(pairs).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? null : safeLine(parts.join(" "));
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function errorLines(job: JobDetailView, palette: Palette): string {
  if (job.errors.length === 0) return "";
  const lines = job.errors.map((group) => {
    const place = group.place === null ? "" : ` at ${group.place}`;
    const where = group.workers.length === 0 ? "" : ` on ${group.workers.join(", ")}`;
    return `  ${formatExactCount(group.count)} x ${palette.bad(safeLine(group.code))} ${safeLine(group.message)}${safeLine(place)}  ${palette.faint(safeLine(`such as ${group.task_id}${where}`))}\n`;
  });
  const { failed } = job.tasks;
  const share =
    job.failures_grouped < failed
      ? ` (the first ${formatExactCount(job.failures_grouped)} of ${formatExactCount(failed)} failures)`
      : "";
  return `${palette.faint(`errors${share}`)}\n${lines.join("")}`;
}
