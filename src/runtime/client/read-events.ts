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
  /** The cursor is beyond the newest number, which is this one. */
  onAhead(lastSeq: number): Promise<void>;
}

const PAGE_BYTES = 256 * 1024;

/** Pages with at least one event each. */
export async function* readEvents(link: Link, request: EventsRequest): AsyncGenerator<EventsPage> {
  let { after } = request;
  // What is there comes at once; only then is there something to wait for.
  let isAtEnd = false;
  for (;;) {
    const page = await askFrom(link, request, { after, wait: isAtEnd });
    if (page.last_seq !== undefined && page.last_seq < after) await request.onAhead(page.last_seq);
    // What belongs to a job is kept as long as the job.
    if (page.oldest_seq > after + 1 && request.jobId === undefined) {
      await request.onForgotten(page.oldest_seq);
    }
    if (page.events.length > 0) yield page;
    after = page.next_after;
    isAtEnd = page.end;
    if (isAtEnd && !request.wait) return;
  }
}

function askFrom(
  link: Link,
  request: EventsRequest,
  { after, wait }: { readonly after: number; readonly wait: boolean },
): Promise<EventsPage> {
  const { jobId, index, workerId, kinds } = request;
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
