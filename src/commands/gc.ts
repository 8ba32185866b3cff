/** `cc gc`: has the foreman forget what retention would, or only say what that is. */
import type { Connection } from "../runtime/client/connection.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { GarbageJobView, GarbageView } from "../runtime/protocol/views.ts";
import { formatAge, formatBytes, formatCount, formatPlural } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import { type Listing, printListing, printObject } from "./print.ts";
import type { GC_VERB } from "./tables/steer.ts";
import { withForeman } from "./with-foreman.ts";

type Context = CommandContext<typeof GC_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  const isDry = context.values.dryRun === true;
  const collect = (connection: Connection): Promise<GarbageView> =>
    isDry ? ask(connection, true) : collectAll(connection);
  const child = { retainsUntilAsked: true };
  const found = await withForeman(context, "act", collect, child);
  if (context.json) await printObject(context, found);
  else await print(context, found);
  return 0;
}

async function ask(connection: Connection, isDry: boolean): Promise<GarbageView> {
  const { body } = await connection.request({ type: "collect_garbage", dry_run: isDry });
  // The foreman writes views.ts shapes here; they are only shown.
  return body as GarbageView;
}

/** Some at a time, so that the foreman has other turns in between. */
async function collectAll(connection: Connection): Promise<GarbageView> {
  let all = await ask(connection, false);
  // An answer without jobs would go on for ever: they came into use just now.
  for (let last = all; last.more && last.jobs.length > 0; ) {
    last = await ask(connection, false);
    all = {
      ...last,
      jobs: [...all.jobs, ...last.jobs],
      bundles: [...all.bundles, ...last.bundles],
      bytes: all.bytes + last.bytes,
    };
  }
  return all;
}

async function print(context: Context, found: GarbageView): Promise<void> {
  const nowMs = Date.now();
  const isNothing = found.jobs.length + found.bundles.length === 0;
  await printListing(context, {
    rows: found.jobs,
    id: (job) => String(job.job_id),
    empty: isNothing ? "nothing to forget" : "no job to forget",
    columns: columnsAt(nowMs),
    more: found.more ? { count: null, how: "cc gc forgets those, too" } : undefined,
  });
  if (context.quiet || isNothing) return;
  await context.io.stderr.write(`${sentenceOf(found)}\n`);
}

function sentenceOf({ dry_run, jobs, bundles, bytes, more, freeing }: GarbageView): string {
  const what = [
    ...(jobs.length === 0 ? [] : [formatPlural(jobs.length, "job")]),
    ...(bundles.length === 0 ? [] : [formatPlural(bundles.length, "bundle")]),
  ];
  const size = `${more ? "at least " : ""}${formatBytes(bytes)}`;
  if (dry_run) return `${what.join(" and ")} would be forgotten: ${size}`;
  const rest = freeing ? "; the foreman goes on giving the space back" : "";
  return `${what.join(" and ")} forgotten: ${size}${rest}`;
}

const WHY = { age: "its age", count: "their number" } as const;

const columnsAt = (nowMs: number): Listing<GarbageJobView>["columns"] => [
  { title: "ID", align: "right", cell: (job) => String(job.job_id) },
  { title: "STATE", cell: (job) => job.state },
  { title: "NAME", priority: 0, cell: (job) => job.name },
  { title: "ENDED", cell: (job) => formatAge(Date.parse(job.finished_at), nowMs) },
  { title: "TASKS", align: "right", cell: (job) => formatCount(job.tasks) },
  { title: "SIZE", align: "right", cell: (job) => formatBytes(job.bytes) },
  { title: "FOR", cell: (job) => WHY[job.why] },
];
