/**
 * `cc events`: the durable event log as JSON lines, of everything or of one job, task or worker. It
 * resumes after a number, follows over restarts of the foreman, and never leaves a gap unsaid.
 */
import type { Link } from "../runtime/client/link.ts";
import { readEvents } from "../runtime/client/read-events.ts";
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { type ExitCode, usageError } from "../runtime/protocol/error.ts";
import { EVENT_KINDS, isEventKind } from "../runtime/protocol/event-kinds.ts";
import { JSON_SCHEMA_NAME } from "../runtime/protocol/views.ts";
import type { CommandContext } from "./command-context.ts";
import { lookOrFollow } from "./follow/look-or-follow.ts";
import { inertJson } from "./inert-json.ts";
import { tryFindJobOrTask } from "./job-arguments.ts";
import type { EVENTS_VERB } from "./tables/look.ts";

type Context = CommandContext<typeof EVENTS_VERB>;

interface Subject {
  readonly jobId?: number;
  readonly index?: number;
  readonly workerId?: string;
}

export async function run(context: Context): Promise<ExitCode> {
  checkKinds(context.values.kind);
  await lookOrFollow(context, (link, isFollowing) => print(context, link, isFollowing));
  return 0;
}

function checkKinds(kinds: readonly string[] | undefined): void {
  if (kinds?.length === 0)
    throw usageError("bad_kind", "--kind names no kind of event.", "cc events --help");
  for (const kind of kinds ?? []) {
    if (isEventKind(kind)) continue;
    const near = nearestName(kind, Object.keys(EVENT_KINDS));
    throw usageError(
      "bad_kind",
      `--kind "${kind}" is no kind of event; docs/events.md lists them.`,
      near === null ? undefined : `Did you mean ${near}?`,
    );
  }
}

async function print(context: Context, link: Link, isFollowing: boolean): Promise<void> {
  const { since, kind } = context.values;
  const subject = await link.run((connection) => findSubject(connection, context.positionals[0]));
  const { stdout, stderr } = context.io;
  let isAhead = false;
  let isNone = true;
  const pages = readEvents(link, {
    ...subject,
    after: since ?? 0,
    wait: isFollowing,
    kinds: kind,
    async onForgotten(oldestSeq) {
      // From the beginning means from the beginning of what is kept.
      if (since === undefined) return;
      await stderr.write(`events before ${oldestSeq} are forgotten\n`);
    },
    async onAhead(lastSeq) {
      if (isAhead) return;
      isAhead = true;
      await stderr.write(
        `the newest event is ${lastSeq}: is ${since} from another store, or from before a backup was restored?\n`,
      );
    },
  });
  for await (const { events } of pages) {
    isNone = false;
    const lines = events.map((event) =>
      context.quiet
        ? String(event.seq)
        : inertJson({ schema: JSON_SCHEMA_NAME, ...event }, stdout.isTerminal),
    );
    await stdout.write(`${lines.join("\n")}\n`);
  }
  if (isNone && !isAhead && !context.quiet && !context.json) await stderr.write("no such events\n");
}

async function findSubject(
  connection: Parameters<typeof tryFindJobOrTask>[0],
  word: string | undefined,
): Promise<Subject> {
  if (word === undefined) return {};
  const found = await tryFindJobOrTask(connection, word);
  if (found === null) return { workerId: word };
  const { jobId, index } = found;
  return index === null ? { jobId } : { jobId, index };
}
