/**
 * The newest events as lines, at hand for every overview. They are read from the store when somebody
 * looks and something was recorded since; nobody waits for that but who looks.
 */
import type { EventLineView } from "../../../protocol/monitor-views.ts";
import type { Store } from "../../../store/store.ts";
import { eventLine } from "./event-sentence.ts";

const LINES_KEPT = 200;
/** The events of jobs that were forgotten leave gaps; one looks back so far for enough of them. */
const LOOK_BACK_MAX = 20_000;

export interface EventTail {
  /** Something was recorded and is committed. */
  touch(): void;
  /** The newest first. */
  newest(count: number): Promise<readonly EventLineView[]>;
}

export function createEventTail(store: Pick<Store, "readEvents" | "readEventRange">): EventTail {
  /** The newest last. */
  let lines: EventLineView[] = [];
  let readUntil: number | null = null;
  let isBehind = true;

  async function catchUp(): Promise<void> {
    isBehind = false;
    const { lastSeq } = await store.readEventRange();
    if (readUntil === null) lines = await lookBack(lastSeq);
    else lines = [...lines, ...(await read(Math.max(readUntil, lastSeq - LINES_KEPT)))];
    lines = lines.slice(-LINES_KEPT);
    readUntil = Math.max(lines.at(-1)?.seq ?? 0, lastSeq);
  }

  async function lookBack(lastSeq: number): Promise<EventLineView[]> {
    for (let back = LINES_KEPT; ; back *= 4) {
      const found = await read(Math.max(0, lastSeq - back), back);
      if (found.length >= LINES_KEPT || back >= Math.min(lastSeq, LOOK_BACK_MAX)) return found;
    }
  }

  async function read(afterSeq: number, limit = 2 * LINES_KEPT): Promise<EventLineView[]> {
    const rows = await store.readEvents({ jobId: null, workerId: null, afterSeq, limit });
    return rows.slice(-LINES_KEPT).map(eventLine);
  }

  return {
    touch() {
      isBehind = true;
    },
    async newest(count) {
      if (isBehind && count > 0) await catchUp();
      return lines.slice(Math.max(0, lines.length - count)).reverse();
    },
  };
}
