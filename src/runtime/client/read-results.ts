/**
 * A job's results as pages, in the order asked for, read by a cursor: what waits is in the foreman's
 * store, here are one page and the one behind it. After a lost connection it goes on at its cursor.
 */
import type { MessageOf } from "../protocol/messages.ts";
import type { Link } from "./link.ts";

export type ResultsPage = MessageOf<"results">;

export interface ReadRequest {
  readonly jobId: number;
  readonly order: "index" | "settled";
  /** Go on until the job has no more to give; else what is settled now. */
  readonly wait: boolean;
  /** Go past tasks that are not settled. */
  readonly skipHoles: boolean;
  /** Only what this retry queued again. */
  readonly reopenedBy?: number | undefined;
  /** Bring the tasks' inputs along. */
  readonly inputs: boolean;
}

/** Enough to be cheap a row, little enough that the first rows come soon. */
const PAGE_BYTES = 1024 * 1024;

/** Pages with at least one row each. */
export async function* readResults(link: Link, request: ReadRequest): AsyncGenerator<ResultsPage> {
  let next = askFrom(link, request, 0);
  for (;;) {
    const page = await next;
    if (!page.end) {
      // While this page is printed the next one is on its way.
      next = askFrom(link, request, page.next_after);
      next.catch(() => {});
    }
    if (page.count > 0) yield page;
    if (page.end) return;
  }
}

function askFrom(link: Link, request: ReadRequest, after: number): Promise<ResultsPage> {
  const { jobId, order, wait, skipHoles, reopenedBy, inputs } = request;
  return link.run((connection) =>
    connection.request({
      type: "read_results",
      job_id: jobId,
      order,
      after,
      bytes_max: PAGE_BYTES,
      wait,
      skip_holes: skipHoles,
      ...(reopenedBy === undefined ? {} : { reopened_by: reopenedBy }),
      ...(inputs ? { inputs: true } : {}),
    }),
  );
}
