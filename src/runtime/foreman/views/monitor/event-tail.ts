/**
 * The newest events as lines, at hand for every overview: read from the store when the foreman starts, and
 * from then on kept as they are committed. It numbers them as the store does, each one after the other.
 */
import type { EventLineView } from "../../../protocol/monitor-views.ts";
import type { EventFacts } from "../../../scheduler/foreman/changes.ts";
import type { EventRowFacts, Store } from "../../../store/store.ts";
import { eventLine } from "./event-sentence.ts";

const LINES_KEPT = 200;
/** The events of jobs that were forgotten leave gaps; one looks back so far for enough of them. */
const LOOK_BACK_MAX = 20_000;

export interface EventTail {
  /** To be called once, before anything is committed. */
  start(store: Pick<Store, "readEvents" | "readEventRange">): Promise<void>;
  /** It is committed. */
  add(event: EventFacts): void;
  /** The newest first. */
  newest(count: number): readonly EventLineView[];
}

export function createEventTail(): EventTail {
  /** The newest last; twice as many as are kept before the older half goes. */
  let rows: EventRowFacts[] = [];
  let lastSeq = 0;
  /** A line is made when somebody looks at it first. */
  const lines = new WeakMap<EventRowFacts, EventLineView>();

  function lineOf(row: EventRowFacts): EventLineView {
    const line = lines.get(row) ?? eventLine(row);
    lines.set(row, line);
    return line;
  }

  return {
    async start(store) {
      ({ lastSeq } = await store.readEventRange());
      rows = await lookBack(store, lastSeq);
    },
    add(event) {
      rows.push({ ...event, seq: ++lastSeq });
      if (rows.length >= 2 * LINES_KEPT) rows = rows.slice(-LINES_KEPT);
    },
    newest: (count) =>
      rows
        .slice(Math.max(0, rows.length - Math.min(count, LINES_KEPT)))
        .map(lineOf)
        .reverse(),
  };
}

async function lookBack(
  store: Pick<Store, "readEvents">,
  lastSeq: number,
): Promise<EventRowFacts[]> {
  for (let back = LINES_KEPT; ; back *= 4) {
    const afterSeq = Math.max(0, lastSeq - back);
    const found = await store.readEvents({ jobId: null, workerId: null, afterSeq, limit: back });
    if (found.length >= LINES_KEPT || back >= Math.min(lastSeq, LOOK_BACK_MAX)) {
      return found.slice(-LINES_KEPT);
    }
  }
}
