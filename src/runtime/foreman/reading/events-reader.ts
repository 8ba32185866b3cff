/**
 * Answers `read_events`: a cursor over the event log, of everything, a job, a task or a worker. Nothing
 * is kept for a reader between two of its requests. It never skips what matches.
 */
import type { Clock } from "../../platform/clock.ts";
import { asJobId, asWorkerId, formatTaskId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { EventView } from "../../protocol/views.ts";
import type { EventRowFacts, Store } from "../../store/store.ts";
import { toTime } from "../views/job-views.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
/** Rows read from the store at a time, so that no read holds up the foreman. */
const ROWS_PER_READ = 500;
/** Rows looked at for one answer; a search that finds little goes on with the next request. */
const ROWS_PER_ANSWER = 20_000;
/** Keys and numbers around an event's body. */
const EVENT_OVERHEAD_BYTES = 160;

export type ReadEvents = MessageOf<"read_events">;
export type Events = MessageOf<"events">;

/** @param request its `after` may lie before what is kept: `oldest_seq` then tells. */
export async function readEventsPage(
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, "defer"> },
  request: ReadEvents,
): Promise<Events> {
  const { oldestSeq, lastSeq } = await store.readEventRange();
  const bytesMax = Math.min(request.bytes_max, ANSWER_BYTES_MAX);
  const events: EventView[] = [];
  const answer = (after: number, end: boolean): Events => ({
    type: "events",
    request: request.request,
    next_after: after,
    end,
    oldest_seq: oldestSeq,
    last_seq: lastSeq,
    events,
  });
  let after = request.after;
  let bytes = 0;
  for (let looked = 0; looked < ROWS_PER_ANSWER; ) {
    // A long search must not hold up heartbeats.
    if (looked > 0) await new Promise<void>(clock.defer);
    const rows = await readRows(store, request, after);
    for (const row of rows) {
      if (bytes >= bytesMax && events.length > 0) return answer(after, false);
      after = row.seq;
      if (request.kinds !== undefined && !request.kinds.includes(row.kind)) continue;
      const view = viewEvent(row);
      if (request.index !== undefined && !concernsTask(row, view, request.index)) continue;
      events.push(view);
      bytes += row.body.length + EVENT_OVERHEAD_BYTES;
    }
    // Whatever was recorded when we began has been looked at.
    if (rows.length < ROWS_PER_READ) return answer(Math.max(after, lastSeq), true);
    looked += rows.length;
  }
  return answer(after, false);
}

function readRows(
  store: Store,
  { job_id, worker_id }: ReadEvents,
  afterSeq: number,
): Promise<readonly EventRowFacts[]> {
  return store.readEvents({
    jobId: job_id === undefined ? null : asJobId(job_id),
    workerId: worker_id === undefined ? null : asWorkerId(worker_id),
    afterSeq,
    limit: ROWS_PER_READ,
  });
}

/** The event as everybody outside sees it. */
function viewEvent(row: EventRowFacts): EventView {
  const { seq, atMs, kind, jobId, index, workerId } = row;
  return {
    seq,
    time: toTime(atMs),
    kind,
    job_id: jobId,
    task_id: jobId === null || index === null ? null : formatTaskId(jobId, index),
    worker: workerId,
    ...parseBody(row.body),
  };
}

function parseBody(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch {
    // Ours since it was written; what a damaged page made of it is shown rather than hidden.
    return { body };
  }
}

/** Events about a whole job concern each of its tasks. */
function concernsTask(row: EventRowFacts, view: EventView, index: number): boolean {
  if (row.index !== null) return row.index === index;
  const { tasks } = view;
  if (!Array.isArray(tasks)) return true;
  const ranges = tasks as readonly (readonly [number, number])[];
  if (ranges.some(([first, last]) => first <= index && index <= last)) return true;
  // Beyond the pairs that are named it may be among the others.
  return view["tasks_left_out"] !== undefined && index > (ranges.at(-1)?.[1] ?? 0);
}
