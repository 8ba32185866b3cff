/**
 * Follows one job to its end: shows progress, prints each result as it can be read, counts what became
 * of the tasks, and reduces where the job file does. It changes nothing at the foreman.
 */
import type { Link } from "../../runtime/client/link.ts";
import {
  type ByteSink,
  type JobShape,
  needsInputs,
  type OutputOptions,
  openDestination,
  openResultWriter,
} from "../../runtime/client/output/result-writer.ts";
import { storedOutputsOf } from "../../runtime/client/read-output.ts";
import { type ReadRequest, readResults } from "../../runtime/client/read-results.ts";
import type { Reduction } from "../../runtime/client/reduce-results.ts";
import { createTally, type ErrorGroup, type Tally } from "../../runtime/client/tally.ts";
import { CcError } from "../../runtime/protocol/error.ts";
import { formatTaskId } from "../../runtime/protocol/ids.ts";
import type { JobView, ProgressView } from "../../runtime/protocol/views.ts";
import type { CommandIo } from "../command-context.ts";
import { inertJsonStream } from "../inert-json.ts";
import { failureText } from "./final-lines.ts";
import { lookAtDetails } from "./job-code.ts";
import type { Progress } from "./progress.ts";
import { groupsOfViews } from "./say-end.ts";
import { watchProgress } from "./watch-progress.ts";

export interface FollowRequest {
  readonly link: Link;
  readonly jobId: number;
  readonly job: JobShape;
  readonly io: Pick<CommandIo, "stdout" | "stderr">;
  readonly progress: Progress;
  readonly output: OutputOptions;
  /** By settlement instead of by index. */
  readonly unordered: boolean;
  /** Only what this retry queued again. */
  readonly reopenedBy?: number | undefined;
  /** The results make one value, which alone is printed. */
  readonly reduction: Reduction | null;
  /** Print the reduced value though tasks failed. */
  readonly partial: boolean;
}

export interface Followed {
  readonly tally: Tally;
  /** As it is at the end. */
  readonly job: JobView;
}

/** @throws OutputClosed when the reader of the results has gone. */
export async function followJob(request: FollowRequest): Promise<Followed> {
  const { link, jobId, progress } = request;
  const announce = firstFailureAnnouncer(request);
  const watching = watchProgress(link, [jobId], (view) => {
    progress.onView(view);
    announce.onView(view);
  });
  const tally = createTally(announce.onFailure);
  try {
    // A retried job is reduced as a whole, once the tasks of the retry have ended.
    const isReducedApart = request.reduction !== null && request.reopenedBy !== undefined;
    if (request.reduction === null) await printResults(request, tally);
    else if (isReducedApart) await countResults(request, tally);
    if (request.reduction !== null)
      await reduceResults(request, request.reduction, isReducedApart ? null : tally);
    return { tally, job: await lookAtJob(link, jobId) };
  } finally {
    watching.stop();
  }
}

interface Announcer {
  onFailure(group: ErrorGroup): void;
  onView(view: ProgressView): void;
}

/**
 * Says the first failure, once, as soon as it is known: results in order may be held up by an early task
 * that still runs, while the foreman counts failures behind it.
 */
function firstFailureAnnouncer({ link, jobId, progress, reopenedBy }: FollowRequest): Announcer {
  let isSaid = false;
  const say = (group: ErrorGroup): void => {
    if (isSaid) return;
    isSaid = true;
    const task = formatTaskId(jobId, group.index);
    void progress.say(`task ${task} failed: ${failureText(group)}`).catch(() => {});
  };
  let isAsked = false;
  return {
    onFailure: say,
    onView({ jobs }) {
      // A retried job may count failures of tasks that were not queued again.
      if (isSaid || isAsked || reopenedBy !== undefined || (jobs[0]?.tasks.failed ?? 0) === 0)
        return;
      isAsked = true;
      lookAtDetails(link, jobId).then(
        ({ errors }) => groupsOfViews(errors).slice(0, 1).forEach(say),
        // It is an extra: what keeps the foreman from answering is said elsewhere.
        () => {},
      );
    },
  };
}

export async function lookAtJob(link: Link, jobId: number): Promise<JobView> {
  const status = await link.run((connection) =>
    connection.request({ type: "get_job", job_id: jobId }),
  );
  if (typeof status.job !== "object" || status.job === null) {
    throw new CcError({
      code: "no_such_job",
      message: `Job ${jobId} was removed.`,
      exitCode: 2,
    });
  }
  // The foreman writes views.ts shapes here; they are only shown.
  return status.job as JobView;
}

async function printResults(request: FollowRequest, tally: Tally): Promise<void> {
  const { io, progress, output } = request;
  const sharesTerminal = io.stdout.isTerminal && io.stderr.isTerminal;
  const shown = output.format === "jsonl" ? inertJsonStream(io.stdout) : io.stdout;
  const stdout: ByteSink = sharesTerminal
    ? { write: (bytes) => progress.aside(() => shown.write(bytes), endsLine(bytes)) }
    : shown;
  const stderr: ByteSink = {
    write: (bytes) => progress.aside(() => io.stderr.write(bytes), endsLine(bytes)),
  };
  const readStored = storedOutputsOf(request.link, request.jobId);
  const writer = await openResultWriter(output, request.job, { stdout, stderr, readStored });
  try {
    for await (const page of readResults(request.link, readRequest(request))) {
      tally.add(page);
      await writer.write(page);
    }
  } finally {
    await writer.close();
  }
}

const NEWLINE = 0x0a;
const endsLine = (bytes: Uint8Array): boolean => bytes.at(-1) === NEWLINE;

async function countResults(request: FollowRequest, tally: Tally): Promise<void> {
  for await (const page of readResults(request.link, readRequest(request))) tally.add(page);
}

/** @param tally null: the tasks are counted already. */
async function reduceResults(
  request: FollowRequest,
  reduction: Reduction,
  tally: Tally | null,
): Promise<void> {
  const { reopenedBy: _, ...whole } = readRequest({ ...request, unordered: false });
  const own = tally ?? createTally();
  for await (const page of readResults(request.link, whole)) {
    own.add(page);
    await reduction.add(page, storedOutputsOf(request.link, request.jobId));
  }
  if (own.failed + own.cancelled > 0 && !request.partial) return;
  await printReduced(request, reduction);
}

async function printReduced(request: FollowRequest, reduction: Reduction): Promise<void> {
  const { io, progress, output } = request;
  const bytes = reduction.print(output.format);
  const out = await openDestination(output, io.stdout);
  try {
    if (bytes.byteLength > 0) await progress.aside(() => out.write(bytes), endsLine(bytes));
  } finally {
    await out.close();
  }
}

function readRequest(request: FollowRequest): ReadRequest {
  return {
    jobId: request.jobId,
    order: request.unordered ? "settled" : "index",
    wait: true,
    skipHoles: false,
    reopenedBy: request.reopenedBy,
    inputs: request.reduction === null && needsInputs(request.output),
  };
}
