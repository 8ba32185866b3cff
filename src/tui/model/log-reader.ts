/**
 * Reads one log page by page, one request at a time, as far as its view needs (log-plan.ts). It waits for
 * what is new only at the end, and after a fault until the view changes or the foreman is back.
 */
import type { FeedError, LogPage, LogQuery, MonitorFeed } from "../feed.ts";
import { firstAtLeast } from "../navigation/move.ts";
import type { HitKind, ShownLog } from "../navigation/nav-types.ts";
import type { LogState, Place } from "../navigation/view-state.ts";
import { createLogBuffer, type LogBuffer, shownLogOf } from "./log-buffer.ts";
import { type LogRead, type LogSearch, planLogRead, searchResult } from "./log-plan.ts";
import type { LogModel } from "./screen-model.ts";

export type LogPlace = Extract<Place, { readonly kind: "log" }>;

export interface LogReaderParts {
  readonly place: LogPlace;
  readonly feed: Pick<MonitorFeed, "readLog">;
  /** Something else is held or known than before. */
  onChange(): void;
  onHit(what: HitKind, direction: "forward" | "backward", line: number | null): void;
}

export interface LogReader {
  readonly place: LogPlace;
  /** How the log is looked at now; reads what that needs. */
  show(log: LogState, rows: number): void;
  /** Looks beyond what is held; answered by `onHit`. */
  seek(what: HitKind, direction: "forward" | "backward", from: number): void;
  /** After a fault: try again. */
  resume(): void;
  shown(): ShownLog;
  model(): LogModel;
  close(): void;
}

/** Small enough to be there at once, also over a slow line. */
const FIRST_PAGE_BYTES = 64 * 1024;
const PAGE_BYTES = 256 * 1024;

export function createLogReader(parts: LogReaderParts): LogReader {
  const buffer = createLogBuffer();
  let view: LogState | null = null;
  let rows = 1;
  let search: LogSearch | null = null;
  let underWay: LogRead | null = null;
  let fault: FeedError | null = null;
  let pausedAt: number | null = null;
  let isClosed = false;

  function next(): void {
    if (isClosed || view === null || underWay !== null || fault !== null) return;
    settleSearch();
    const read = planLogRead(buffer, { log: view, rows, search });
    if (read === null) return;
    underWay = read;
    const mine = read;
    parts.feed.readLog(queryOf(parts.place, read, buffer.isEmpty)).then(
      (page) => finish(mine, () => take(mine, page)),
      (error: FeedError) =>
        finish(mine, () => {
          fault = error;
        }),
    );
  }

  /** An answer to a question that has been dropped meanwhile changes nothing. */
  function finish(read: LogRead, change: () => void): void {
    if (isClosed || underWay !== read) return;
    underWay = null;
    change();
    parts.onChange();
    next();
  }

  function take(read: LogRead, page: LogPage): void {
    const isBack = read.kind === "from-end" || read.kind === "backward";
    if (read.kind === "from-end" || read.kind === "from-start") buffer.clear();
    if (isBack) buffer.prepend(page);
    else buffer.append(page);
    if (view === null || search !== null) return;
    const top = topOf(view);
    if (view.follows) buffer.trim("end", top, buffer.endNumber);
    else buffer.trim(isBack ? "start" : "end", lineFrom(top, -2 * rows), lineFrom(top, 4 * rows));
  }

  const lineFrom = (top: number, distance: number): number => {
    const { numbers } = buffer.found();
    const at = firstAtLeast(numbers, top) + distance;
    return at < 0 ? buffer.firstNumber : (numbers[at] ?? buffer.endNumber);
  };

  function topOf(log: LogState): number {
    const { numbers } = buffer.found();
    if (log.follows) return numbers[Math.max(0, numbers.length - rows)] ?? buffer.firstNumber;
    const at = firstAtLeast(numbers, log.top);
    return numbers[at] ?? numbers[Math.max(0, numbers.length - rows)] ?? buffer.firstNumber;
  }

  function settleSearch(): void {
    const result = search === null ? undefined : searchResult(buffer, search);
    if (search === null || result === undefined) return;
    const { what, direction } = search;
    search = null;
    parts.onHit(what, direction, result);
  }

  return {
    place: parts.place,
    show(log, rowCount) {
      const wasFollowing = view?.follows ?? true;
      if (wasFollowing && !log.follows) pausedAt = buffer.endNumber;
      if (log.follows) pausedAt = null;
      view = log;
      rows = Math.max(1, rowCount);
      buffer.look(log);
      // A question that waits at the end would hold up what is wanted now.
      if (underWay !== null && isInTheWay(underWay, buffer, { log, rows, search })) underWay = null;
      next();
    },
    seek(what, direction, from) {
      search = { what, direction, from, startedAtCharacters: buffer.characters };
      if (underWay?.kind === "forward" && underWay.wait) underWay = null;
      next();
    },
    resume() {
      fault = null;
      next();
    },
    shown: () => shownLogOf(buffer, view === null ? 0 : topOf(view)),
    model: () =>
      modelOf(buffer, {
        view,
        rows,
        pausedAt,
        top: view === null ? 0 : topOf(view),
        isLoading: isLoading(underWay),
        fault,
      }),
    close() {
      isClosed = true;
    },
  };
}

const isLoading = (read: LogRead | null): boolean =>
  read !== null && !(read.kind === "forward" && read.wait);

function isInTheWay(
  underWay: LogRead,
  buffer: LogBuffer,
  wish: Parameters<typeof planLogRead>[1],
): boolean {
  if (underWay.kind !== "forward" || !underWay.wait) return false;
  const wanted = planLogRead(buffer, wish);
  return wanted !== null && !(wanted.kind === "forward" && wanted.wait);
}

function queryOf(place: LogPlace, read: LogRead, isFirst: boolean): LogQuery {
  const { jobId, index } = place;
  const isBack = read.kind === "from-end" || read.kind === "backward";
  return {
    jobId,
    index,
    attempt: place.attempt ?? NEWEST,
    failed: false,
    direction: isBack ? "backward" : "forward",
    cursor: "cursor" in read ? read.cursor : null,
    bytesMax: isFirst ? FIRST_PAGE_BYTES : PAGE_BYTES,
    wait: read.kind === "forward" && read.wait,
  };
}

/** As `LogQuery.attempt` says it. */
const NEWEST = 0;

interface Looked {
  readonly view: LogState | null;
  readonly rows: number;
  readonly top: number;
  readonly pausedAt: number | null;
  readonly isLoading: boolean;
  readonly fault: FeedError | null;
}

function modelOf(buffer: LogBuffer, looked: Looked): LogModel {
  const { numbers, hits } = buffer.found();
  const at = firstAtLeast(numbers, looked.top);
  const onScreen = numbers.slice(at, at + looked.rows);
  const hitRow = onScreen.indexOf(looked.view?.hitAt ?? Number.NaN);
  return {
    lines: onScreen.flatMap((number) => buffer.line(number) ?? []),
    firstLine: looked.top,
    linesAbove: at,
    atStart: buffer.atStart,
    atEnd: buffer.atEnd,
    totalBytes: buffer.totalBytes,
    droppedBytes: buffer.droppedBytes,
    newLines:
      looked.pausedAt === null ? 0 : numbers.length - firstAtLeast(numbers, looked.pausedAt),
    hits: hits.length,
    hitRow: hitRow < 0 ? null : hitRow,
    heldLines: buffer.lineCount,
    matchingLines: numbers.length,
    isLoading: looked.isLoading,
    isFinished: buffer.isFinished,
    error: looked.fault,
  };
}
