/**
 * What tasks have printed as pages, read by a cursor in either direction: here is one page, the rest is
 * in the foreman's store. After a lost connection it goes on at its cursor, without a gap and without doubles.
 */
import type { LogStream } from "../protocol/messages/logs.ts";
import type { MessageOf } from "../protocol/messages.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { createLineJoiner, type LogLineBytes, piecesOf } from "./log-lines.ts";

export type LogsPage = MessageOf<"logs">;

/** Whose log, and which part of it. */
export interface LogSubject {
  readonly jobId: number;
  readonly index?: number | undefined;
  /** 0: of each task's newest. */
  readonly attempt?: number | undefined;
  readonly streams?: readonly LogStream[] | undefined;
  /** Only of tasks that have failed. */
  readonly failed?: boolean | undefined;
  readonly sinceMs?: number | undefined;
}

export interface LogPosition {
  readonly direction: "forward" | "backward";
  readonly cursor?: number | undefined;
  readonly bytesMax: number;
  readonly wait: boolean;
}

/** As a monitor shows it; the shape of its border (tui/feed.ts). */
export interface LogPageQuery {
  readonly jobId: number;
  readonly index: number | null;
  readonly attempt: number | null;
  readonly failed: boolean;
  readonly direction: "forward" | "backward";
  readonly cursor: number | null;
  readonly bytesMax: number;
  readonly wait: boolean;
}

export interface LogPageLine {
  readonly index: number;
  readonly attempt: number;
  readonly stream: LogStream;
  readonly atMs: number;
  readonly text: string;
}

export interface LogLinesPage {
  readonly lines: readonly LogPageLine[];
  readonly firstCursor: number;
  readonly nextCursor: number;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly finished: boolean;
  readonly totalBytes: number;
  readonly droppedBytes: number;
}

const PAGE_BYTES = 256 * 1024;
const decoder = new TextDecoder();

export function askLogs(
  connection: Pick<Connection, "request">,
  subject: LogSubject,
  { direction, cursor, bytesMax, wait }: LogPosition,
): Promise<LogsPage> {
  const { jobId, index, attempt, streams, failed, sinceMs } = subject;
  return connection.request({
    type: "read_logs",
    job_id: jobId,
    direction,
    bytes_max: bytesMax,
    wait,
    ...(index === undefined ? {} : { index }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(streams === undefined ? {} : { streams: [...streams] }),
    ...(failed === true ? { failed } : {}),
    ...(sinceMs === undefined ? {} : { since_ms: sinceMs }),
    ...(cursor === undefined ? {} : { cursor }),
  });
}

/** One page as lines; a line that the page's edge cuts is shown as two. */
export async function readLogPage(
  connection: Pick<Connection, "request">,
  query: LogPageQuery,
): Promise<LogLinesPage> {
  const { jobId, index, attempt, failed, direction, cursor, bytesMax, wait } = query;
  const page = await askLogs(
    connection,
    { jobId, index: index ?? undefined, attempt: attempt ?? undefined, failed },
    { direction, cursor: cursor ?? undefined, bytesMax, wait },
  );
  return {
    lines: linesOf(page),
    firstCursor: page.first_cursor,
    nextCursor: page.next_cursor,
    atStart: page.at_start,
    atEnd: page.at_end,
    finished: page.finished,
    totalBytes: page.total_bytes,
    droppedBytes: page.dropped_bytes,
  };
}

function linesOf(page: LogsPage): LogPageLine[] {
  const joiner = createLineJoiner();
  const lines: LogLineBytes[] = [];
  for (const piece of piecesOf(page)) lines.push(...joiner.push(piece));
  lines.push(...joiner.finish());
  return lines.map(({ index, attempt, stream, atMs, bytes }) => ({
    index,
    attempt,
    stream,
    atMs,
    text: decoder.decode(bytes),
  }));
}

/**
 * Pages from the cursor on, the empty ones too: of what is there, or with `follow` until what it was
 * asked of has ended.
 */
export async function* readLogs(
  link: Link,
  subject: LogSubject,
  { follow, from }: { readonly follow: boolean; readonly from?: number | undefined },
): AsyncGenerator<LogsPage> {
  let cursor = from;
  // What is there comes at once; only then is there something to wait for.
  let wait = false;
  for (;;) {
    const position: LogPosition = { direction: "forward", cursor, bytesMax: PAGE_BYTES, wait };
    const page: LogsPage = await link.run((connection) => askLogs(connection, subject, position));
    yield page;
    cursor = page.next_cursor;
    if (page.at_end && (page.finished || !follow)) return;
    wait = page.at_end;
  }
}
