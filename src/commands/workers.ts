/** `cc workers`: who is connected and what they do, or one worker in detail. */
import { bodyOf, type Connection } from "../runtime/client/connection.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { WhyView, WorkerView } from "../runtime/protocol/views.ts";
import { formatBytes, formatCount, formatDuration } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { createPalette, type Palette } from "./palette.ts";
import { factLines, idText, printListing, printObject } from "./print.ts";
import type { WORKERS_VERB } from "./tables/look.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof WORKERS_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  const [word] = context.positionals;
  await withForeman(context, "look", async (connection) => {
    if (word === undefined) await list(context, connection);
    else await show(context, connection, word);
  });
  return 0;
}

async function list(context: Context, connection: Connection): Promise<void> {
  const snapshot = await connection.look({ kind: "workers" });
  const { rows } = bodyOf<{ readonly rows: readonly WorkerView[] }>(snapshot);
  const limit = context.values.limit ?? 0;
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  await printListing(context, {
    rows: shown,
    id: (worker) => worker.worker_id,
    empty: "no workers: cc worker",
    more: { count: rows.length - shown.length, how: "--limit 0" },
    columns: [
      { title: "WORKER", cell: (worker) => worker.worker_id },
      { title: "STATE", cell: (worker) => worker.state },
      { title: "SLOTS", align: "right", cell: (worker) => `${worker.busy_slots}/${worker.slots}` },
      {
        title: "WAITING",
        align: "right",
        priority: 4,
        cell: (worker) => String(worker.prefetched),
      },
      { title: "CPU", align: "right", priority: 2, cell: (worker) => percent(worker.cpu_percent) },
      {
        title: "MEM",
        align: "right",
        priority: 2,
        cell: (worker) => percent(worker.memory_percent),
      },
      {
        title: "COMPLETED",
        align: "right",
        priority: 3,
        cell: (worker) => formatCount(worker.completed),
      },
      {
        title: "FAILED",
        align: "right",
        priority: 3,
        cell: (worker) => formatCount(worker.failed),
      },
      { title: "HEARTBEAT", align: "right", priority: 5, cell: heartbeat },
      { title: "JOBS", priority: 6, cell: (worker) => worker.jobs.join(",") },
      { title: "NOTE", priority: 1, cell: (worker) => worker.reason ?? "" },
    ],
  });
}

const percent = (value: number | null): string => (value === null ? "-" : `${Math.round(value)}%`);

const heartbeat = (worker: WorkerView): string =>
  worker.heartbeat_age_seconds === null
    ? "-"
    : `${formatDuration(worker.heartbeat_age_seconds * 1000)} ago`;

async function show(context: Context, connection: Connection, workerId: string): Promise<void> {
  const worker = bodyOf<WorkerView>(await connection.look({ kind: "worker", worker_id: workerId }));
  if (context.json) {
    await printObject(context, worker);
    return;
  }
  if (context.quiet) {
    await context.io.stdout.write(`${idText(context, worker.worker_id)}\n`);
    return;
  }
  const why = bodyOf<WhyView>(await connection.look({ kind: "why", worker_id: workerId }));
  const palette = createPalette(context.color.stdout);
  await context.io.stdout.write(factLines(workerFacts(worker, why, palette), palette));
}

function workerFacts(
  worker: WorkerView,
  why: WhyView,
  palette: Palette,
): [string, string | null][] {
  const { offer } = worker;
  return [
    ["worker", palette.strong(safeLine(worker.worker_id))],
    ["state", palette.state(worker.state)],
    ["why", safeLine(why.sentence + (why.hint === null ? "" : `  (${why.hint})`))],
    [
      "slots",
      `${worker.busy_slots} busy of ${worker.slots}, ${worker.prefetched} tasks waiting there`,
    ],
    ["machine", `CPU ${percent(worker.cpu_percent)}, memory ${percent(worker.memory_percent)}`],
    ["tasks", tasksText(worker)],
    ["jobs", worker.jobs.length === 0 ? null : worker.jobs.join(", ")],
    ["queues", safeLine(offer.queues.join(", "))],
    ["roles", offer.roles.length === 0 ? null : safeLine(offer.roles.join(", "))],
    ["labels", pairs(offer.labels)],
    ["resources", pairs(offer.resources)],
    ["memory", formatBytes(offer.memory_bytes)],
    [
      "host",
      safeLine(`${offer.host}, ${offer.platform}, process ${offer.pid}, version ${offer.version}`),
    ],
    ["heartbeat", worker.heartbeat_age_seconds === null ? null : heartbeat(worker)],
    ["connected", worker.connected_at],
  ];
}

function tasksText({ completed, failed, refused }: WorkerView): string {
  const text = `${formatCount(completed)} completed, ${formatCount(failed)} failed`;
  return refused === 0 ? text : `${text}, ${formatCount(refused)} refused as too late`;
}

function pairs(record: Readonly<Record<string, string | number>>): string | null {
  const parts = Object.entries(record).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? null : safeLine(parts.join(" "));
}
