/**
 * The event log as pages, read by a cursor: here is one page, what comes later waits in the foreman's
 * store. After a lost connection it goes on at its cursor, without a gap and without doubles.
 */
import type { MessageOf } from "../protocol/messages.ts";
import type { Link } from "./link.ts";

export type EventsPage = MessageOf<"events">;

export interface EventsRequest {
  /** Only events with a larger number. */
  readonly after: number;
  /** Go on for ever; else what is recorded now. */
  readonly wait: boolean;
  readonly jobId?: number | undefined;
  readonly index?: number | undefined;
  readonly workerId?: string | undefined;
  readonly kinds?: readonly string[] | undefined;
  /** Events after the cursor have been forgotten; the oldest kept has this number. */
  onForgotten(oldestSeq: number): Promise<void>;
}

const PAGE_BYTES = 256 * 1024;

/** Pages with at least one event each. */
export async function* readEvents(link: Link, request: EventsRequest): AsyncGenerator<EventsPage> {
  let { after } = request;
  for (;;) {
    const page = await askFrom(link, request, after);
    // What belongs to a job is kept as long as the job.
    if (page.oldest_seq > after + 1 && request.jobId === undefined) {
      await request.onForgotten(page.oldest_seq);
    }
    if (page.events.length > 0) yield page;
    after = page.next_after;
    if (page.end && !request.wait) return;
  }
}

function askFrom(link: Link, request: EventsRequest, after: number): Promise<EventsPage> {
  const { jobId, index, workerId, kinds, wait } = request;
  return link.run((connection) =>
    connection.request({
      type: "read_events",
      after,
      bytes_max: PAGE_BYTES,
      wait,
      ...(jobId === undefined ? {} : { job_id: jobId }),
      ...(index === undefined ? {} : { index }),
      ...(workerId === undefined ? {} : { worker_id: workerId }),
      ...(kinds === undefined ? {} : { kinds: [...kinds] }),
    }),
  );
}
