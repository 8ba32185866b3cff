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
function scripted(pages: readonly EventsPage[]): { link: Link; cursors: number[] } {
  const cursors: number[] = [];
  const left = [...pages];
  const request = (asked: { readonly after: number }): Promise<EventsPage> => {
    cursors.push(asked.after);
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
): Promise<{ seqs: number[]; cursors: number[]; gaps: number[] }> {
  const { link, cursors } = scripted(pages);
  const gaps: number[] = [];
  const seqs: number[] = [];
  const request: EventsRequest = {
    after: 0,
    wait: false,
    async onForgotten(oldestSeq) {
      gaps.push(oldestSeq);
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
  return { seqs, cursors, gaps };
}

test("goes on at the cursor of each answer, to the end", async () => {
  const pages = [page([1, 2], { end: false }), page([], { end: false, next_after: 9 }), page([12])];
  expect(await readAll(pages)).toEqual({ seqs: [1, 2, 12], cursors: [0, 2, 9], gaps: [] });
});

test("following goes on behind the end", async () => {
  const followed = await readAll([page([1]), page([], { next_after: 7 })], { wait: true });
  expect(followed).toEqual({ seqs: [1], cursors: [0, 1, 7], gaps: [] });
});

test("events that are forgotten already are named, once, unless it is about a job", async () => {
  const pages = [page([20], { oldest_seq: 20, end: false }), page([21], { oldest_seq: 20 })];
  expect((await readAll(pages, { after: 5 })).gaps).toEqual([20]);
  expect((await readAll(pages, { after: 19 })).gaps).toEqual([]);
  expect((await readAll(pages, { after: 5, jobId: 3 })).gaps).toEqual([]);
});
