/** The client's side of the event log: on from its cursor after every break, and never a silent gap. */
import { expect, test } from "bun:test";
import type { Connection } from "../../../src/runtime/client/connection.ts";
import type { Link } from "../../../src/runtime/client/link.ts";
import {
  type EventsPage,
  type EventsRequest,
  readEvents,
} from "../../../src/runtime/client/read-events.ts";

const event = (seq: number) => ({
  seq,
  time: "2026-01-01T00:00:00.000Z",
  kind: "worker_left",
  job_id: null,
  task_id: null,
  worker: "w",
});

const page = (seqs: readonly number[], fields: Partial<EventsPage> = {}): EventsPage => ({
  type: "events",
  request: 1,
  next_after: seqs.at(-1) ?? 0,
  end: true,
  oldest_seq: 1,
  events: seqs.map(event),
  ...fields,
});

/** Answers with these pages, one a request, and notes the cursors it was asked for. */
function scripted(pages: readonly EventsPage[]): { link: Link; cursors: string[] } {
  const cursors: string[] = [];
  const left = [...pages];
  const request = (asked: {
    readonly after: number;
    readonly wait: boolean;
  }): Promise<EventsPage> => {
    cursors.push(`${asked.after}${asked.wait ? " waits" : ""}`);
    const next = left.shift();
    return next ? Promise.resolve(next) : Promise.reject(new Error("the script is over"));
  };
  const connection = { request } as unknown as Connection;
  const link: Link = {
    url: "ws://scripted",
    run: (operation) => operation(connection),
    followJobs: () => Promise.resolve(),
    close: () => {},
  };
  return { link, cursors };
}

async function readAll(
  pages: readonly EventsPage[],
  fields: Partial<EventsRequest> = {},
): Promise<{ seqs: number[]; cursors: string[]; gaps: number[]; ahead: number[] }> {
  const { link, cursors } = scripted(pages);
  const gaps: number[] = [];
  const ahead: number[] = [];
  const seqs: number[] = [];
  const request: EventsRequest = {
    after: 0,
    wait: false,
    async onForgotten(oldestSeq) {
      gaps.push(oldestSeq);
    },
    async onAhead(lastSeq) {
      ahead.push(lastSeq);
    },
    ...fields,
  };
  try {
    for await (const { events } of readEvents(link, request)) {
      seqs.push(...events.map(({ seq }) => seq));
    }
  } catch (thrown) {
    // Whoever follows goes on for ever: the script ends it.
    if (!request.wait) throw thrown;
  }
  return { seqs, cursors, gaps, ahead };
}

test("goes on at the cursor of each answer, to the end", async () => {
  const pages = [page([1, 2], { end: false }), page([], { end: false, next_after: 9 }), page([12])];
  expect(await readAll(pages)).toMatchObject({ seqs: [1, 2, 12], cursors: ["0", "2", "9"] });
});

test("following waits only behind the end", async () => {
  const pages = [page([1], { end: false }), page([2]), page([], { next_after: 7 })];
  const followed = await readAll(pages, { wait: true });
  expect(followed).toMatchObject({ seqs: [1, 2], cursors: ["0", "1", "2 waits", "7 waits"] });
});

test("a cursor beyond the newest number is told of, since it is of another store", async () => {
  const pages = [page([], { last_seq: 7, next_after: 9 })];
  expect((await readAll(pages, { after: 9 })).ahead).toEqual([7]);
  expect((await readAll(pages, { after: 7 })).ahead).toEqual([]);
});

test("events that are forgotten already are named, once, unless it is about a job", async () => {
  const pages = [page([20], { oldest_seq: 20, end: false }), page([21], { oldest_seq: 20 })];
  expect((await readAll(pages, { after: 5 })).gaps).toEqual([20]);
  expect((await readAll(pages, { after: 19 })).gaps).toEqual([]);
  expect((await readAll(pages, { after: 5, jobId: 3 })).gaps).toEqual([]);
});
