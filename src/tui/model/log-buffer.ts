/**
 * The part of a log that is held: consecutive pages around what is looked at, each line with a number that
 * never changes, so that a view that stands still keeps standing still. Bounded: pages at the far end go
 * when others come. It reads nothing; `log-reader.ts` does.
 */
import type { LogLine, LogPage } from "../feed.ts";
import type { ShownLog } from "../navigation/nav-types.ts";
import type { LogState } from "../navigation/view-state.ts";
import { type LogWords, looksLikeError, matchesWords, parseLogWords } from "../text/log-words.ts";

/** Of the text of all lines held. */
export const HELD_CHARACTERS_MAX = 4 * 1024 * 1024;
/** Short lines cost more than their text. */
export const HELD_LINES_MAX = 20_000;

/** What a view does with lines. */
export type LogLook = Pick<LogState, "filter" | "streams" | "search">;

interface HeldPage {
  /** Number of its first line. */
  readonly first: number;
  readonly lines: readonly LogLine[];
  readonly firstCursor: number;
  readonly nextCursor: number;
  readonly characters: number;
  found: Found;
}

/** Numbers of lines of one page, or of all. */
interface Found {
  readonly numbers: readonly number[];
  readonly hits: readonly number[];
  readonly errors: readonly number[];
}

export interface LogBuffer {
  readonly isEmpty: boolean;
  /** The log's start, or its end as far as it is known, is held. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly isFinished: boolean;
  /** The end was held and has been given up. */
  readonly endWasDropped: boolean;
  readonly totalBytes: number;
  readonly droppedBytes: number;
  readonly lineCount: number;
  readonly characters: number;
  /** Number of the first line, and one beyond the last. */
  readonly firstNumber: number;
  readonly endNumber: number;
  /** Where reading goes on. */
  readonly firstCursor: number;
  readonly nextCursor: number;
  /** Grows with every change of what is held or shown. */
  readonly version: number;
  /** Behind what is held. */
  append(page: LogPage): void;
  /** Before what is held. */
  prepend(page: LogPage): void;
  /** Forgets everything; numbers go on growing. */
  clear(): void;
  look(look: LogLook): void;
  /** Gives up whole pages outside the lines from `top` to `bottom` until it is within its bounds. */
  trim(keep: "start" | "end", top: number, bottom: number): void;
  found(): Found;
  line(number: number): LogLine | null;
}

export function createLogBuffer(): LogBuffer {
  let pages: HeldPage[] = [];
  let look: LogLook = { filter: "", streams: "both", search: "" };
  let chosen = chooseBy(look);
  let all: Found | null = null;
  let nextFirst = 0;
  let status = {
    atStart: false,
    atEnd: false,
    isFinished: false,
    endWasDropped: false,
    totalBytes: 0,
    droppedBytes: 0,
  };
  let version = 0;
  const sum = (of: (page: HeldPage) => number) =>
    pages.reduce((total, page) => total + of(page), 0);
  const changed = (): void => {
    all = null;
    version += 1;
  };

  function hold(page: LogPage, first: number): HeldPage {
    const characters = page.lines.reduce((total, { text }) => total + text.length, 0);
    const { lines, firstCursor, nextCursor } = page;
    return {
      first,
      lines,
      firstCursor,
      nextCursor,
      characters,
      found: findLines(lines, first, chosen),
    };
  }

  const tell = (page: LogPage, edges: Partial<typeof status>): void => {
    const { totalBytes, droppedBytes } = page;
    status = { ...status, totalBytes, droppedBytes, ...edges };
    changed();
  };

  return {
    get isEmpty() {
      return pages.length === 0;
    },
    get atStart() {
      return status.atStart;
    },
    get atEnd() {
      return status.atEnd;
    },
    get isFinished() {
      return status.isFinished;
    },
    get endWasDropped() {
      return status.endWasDropped;
    },
    get totalBytes() {
      return status.totalBytes;
    },
    get droppedBytes() {
      return status.droppedBytes;
    },
    get lineCount() {
      return sum(({ lines }) => lines.length);
    },
    get characters() {
      return sum(({ characters }) => characters);
    },
    get firstNumber() {
      return pages[0]?.first ?? nextFirst;
    },
    get endNumber() {
      return endOf(pages.at(-1)) ?? nextFirst;
    },
    get firstCursor() {
      return pages[0]?.firstCursor ?? 0;
    },
    get nextCursor() {
      return pages.at(-1)?.nextCursor ?? 0;
    },
    get version() {
      return version;
    },
    append(page) {
      const isFirst = pages.length === 0;
      const first = endOf(pages.at(-1)) ?? nextFirst;
      // An answer without lines still moves the cursor on.
      pages.push(hold(page, first));
      pages = joinSmall(pages, chosen);
      const { atEnd, finished: isFinished } = page;
      tell(page, isFirst ? { atStart: page.atStart, atEnd, isFinished } : { atEnd, isFinished });
    },
    prepend(page) {
      const isFirst = pages.length === 0;
      const end = pages[0]?.first ?? nextFirst + page.lines.length;
      pages.unshift(hold(page, end - page.lines.length));
      const { atStart, atEnd, finished: isFinished } = page;
      tell(page, isFirst ? { atStart, atEnd, isFinished } : { atStart });
    },
    clear() {
      nextFirst = endOf(pages.at(-1)) ?? nextFirst;
      pages = [];
      status = {
        ...status,
        atStart: false,
        atEnd: false,
        isFinished: false,
        endWasDropped: false,
      };
      changed();
    },
    look(wanted) {
      const isSame =
        wanted.filter === look.filter &&
        wanted.streams === look.streams &&
        wanted.search === look.search;
      if (isSame) return;
      look = { filter: wanted.filter, streams: wanted.streams, search: wanted.search };
      chosen = chooseBy(look);
      for (const page of pages) page.found = findLines(page.lines, page.first, chosen);
      changed();
    },
    trim(keep, top, bottom) {
      const isOver = () =>
        sum(({ characters }) => characters) > HELD_CHARACTERS_MAX ||
        sum(({ lines }) => lines.length) > HELD_LINES_MAX;
      while (pages.length > 1 && isOver()) {
        const [head] = pages;
        const tail = pages.at(-1);
        if (keep === "end" && head !== undefined && (endOf(head) ?? 0) <= top) {
          pages.shift();
          status = { ...status, atStart: false };
        } else if (keep === "start" && tail !== undefined && tail.first >= bottom) {
          pages.pop();
          status = { ...status, atEnd: false, isFinished: false, endWasDropped: true };
        } else break;
        changed();
      }
    },
    found() {
      all ??= {
        numbers: pages.flatMap(({ found }) => found.numbers),
        hits: pages.flatMap(({ found }) => found.hits),
        errors: pages.flatMap(({ found }) => found.errors),
      };
      return all;
    },
    line(number) {
      const page = pages.find(
        ({ first, lines }) => number >= first && number < first + lines.length,
      );
      return page?.lines[number - page.first] ?? null;
    },
  };
}

const endOf = (page: HeldPage | undefined): number | null =>
  page === undefined ? null : page.first + page.lines.length;

/** A followed log comes in pages of a line or two: kept as such they would be thousands. */
const SMALL_PAGE_LINES = 200;

function joinSmall(pages: HeldPage[], chosen: Chosen): HeldPage[] {
  const last = pages.at(-1);
  const before = pages.at(-2);
  if (last === undefined || before === undefined) return pages;
  if (before.lines.length + last.lines.length > SMALL_PAGE_LINES) return pages;
  const lines = [...before.lines, ...last.lines];
  const joined: HeldPage = {
    ...before,
    lines,
    nextCursor: last.nextCursor,
    characters: before.characters + last.characters,
    found: findLines(lines, before.first, chosen),
  };
  return [...pages.slice(0, -2), joined];
}

interface Chosen {
  readonly filter: LogWords;
  readonly search: LogWords;
  readonly streams: LogLook["streams"];
}

const chooseBy = ({ filter, search, streams }: LogLook): Chosen => ({
  filter: parseLogWords(filter),
  search: parseLogWords(search),
  streams,
});

function findLines(lines: readonly LogLine[], first: number, chosen: Chosen): Found {
  const numbers: number[] = [];
  const hits: number[] = [];
  const errors: number[] = [];
  let before: LogLine | null = null;
  for (const [at, line] of lines.entries()) {
    const isErrorStart = line.stream === "stderr" && before?.stream !== "stderr";
    before = line;
    if (!isOfStreams(line, chosen.streams) || !matchesWords(line.text, chosen.filter)) continue;
    numbers.push(first + at);
    if (chosen.search.length > 0 && matchesWords(line.text, chosen.search)) hits.push(first + at);
    if (isErrorStart || looksLikeError(line.text)) errors.push(first + at);
  }
  return { numbers, hits, errors };
}

/** What a function logs is its output as much as its stdout; a gap concerns both. */
const isOfStreams = ({ stream }: LogLine, streams: LogLook["streams"]): boolean =>
  streams === "both" || stream === "gap" || (stream === "stderr") === (streams === "stderr");

/** As the navigation sees it. */
export function shownLogOf(buffer: LogBuffer, top: number): ShownLog {
  const { atStart, atEnd } = buffer;
  return { top, ...buffer.found(), atStart, atEnd };
}
