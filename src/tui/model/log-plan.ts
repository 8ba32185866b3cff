/**
 * What to read next of a log, from what is held and what is looked at. Pure: `log-reader.ts` asks after every
 * answer and every key, so a log is read as far as a screen needs and no further.
 */

import { hitFrom } from "../navigation/log-commands.ts";
import { firstAtLeast } from "../navigation/move.ts";
import type { HitKind, ShownLog } from "../navigation/nav-types.ts";
import type { LogState } from "../navigation/view-state.ts";
import { HELD_CHARACTERS_MAX, HELD_LINES_MAX, type LogBuffer } from "./log-buffer.ts";

export interface LogSearch {
  readonly what: HitKind;
  readonly direction: "forward" | "backward";
  readonly from: number;
  /** Characters held when it began: it gives up after so many more. */
  readonly startedAtCharacters: number;
}

export interface LogWish {
  readonly log: Pick<LogState, "follows" | "top" | "filter">;
  /** Lines that the screen shows. */
  readonly rows: number;
  readonly search: LogSearch | null;
}

export type LogRead =
  /** Forget what is held first: it is not where one wants to be. */
  | { readonly kind: "from-start" }
  | { readonly kind: "from-end" }
  | { readonly kind: "backward"; readonly cursor: number }
  | { readonly kind: "forward"; readonly cursor: number; readonly wait: boolean };

/** A search looks through so much before it says that there is nothing. */
const SEARCH_CHARACTERS_MAX = 8 * 1024 * 1024;

/** null: nothing to read now. `log.top` below every number: the start of the log. */
export function planLogRead(buffer: LogBuffer, wish: LogWish): LogRead | null {
  const { log } = wish;
  const wantsStart = !log.follows && log.top === Number.MIN_SAFE_INTEGER;
  if (wantsStart && !buffer.atStart) return { kind: "from-start" };
  if (buffer.isEmpty) return log.follows ? { kind: "from-end" } : { kind: "from-start" };
  if (wish.search !== null) return planSearch(buffer, wish.search);
  return log.follows ? planFollowing(buffer, wish) : planAround(buffer, wish);
}

const back = (buffer: LogBuffer): LogRead => ({ kind: "backward", cursor: buffer.firstCursor });
const on = (buffer: LogBuffer, wait = false): LogRead => ({
  kind: "forward",
  cursor: buffer.nextCursor,
  wait,
});

function planSearch(buffer: LogBuffer, search: LogSearch): LogRead | null {
  if (searchResult(buffer, search) !== undefined) return null;
  return search.direction === "forward" ? on(buffer) : back(buffer);
}

/** undefined: not found yet, and there is more to read; null: it is not there, or too far. */
export function searchResult(buffer: LogBuffer, search: LogSearch): number | null | undefined {
  const shown: ShownLog = { top: 0, ...buffer.found(), atStart: false, atEnd: false };
  const line = hitFrom(shown, search.what, search.from, search.direction);
  if (line !== null) return line;
  const isAll = search.direction === "forward" ? buffer.atEnd : buffer.atStart;
  const read = buffer.characters - search.startedAtCharacters;
  return isAll || read > SEARCH_CHARACTERS_MAX ? null : undefined;
}

const isFull = (buffer: LogBuffer): boolean =>
  buffer.characters >= HELD_CHARACTERS_MAX || buffer.lineCount >= HELD_LINES_MAX;

function planFollowing(buffer: LogBuffer, { rows }: LogWish): LogRead | null {
  // Its end was given up while somebody read further up: start again there.
  const hasEnd = buffer.atEnd || buffer.isFinished;
  if (!hasEnd) return buffer.endWasDropped ? { kind: "from-end" } : on(buffer);
  // A filter that lets little through: more of what is above, until the screen is full.
  if (buffer.found().numbers.length < rows && !buffer.atStart && !isFull(buffer)) {
    return back(buffer);
  }
  return buffer.isFinished ? null : on(buffer, true);
}

function planAround(buffer: LogBuffer, { log, rows }: LogWish): LogRead | null {
  const { numbers } = buffer.found();
  const at = firstAtLeast(numbers, log.top);
  const above = at;
  const below = numbers.length - at;
  if (below < 2 * rows && !buffer.atEnd && canReadOn(buffer, above, rows)) return on(buffer);
  if (above < rows && !buffer.atStart && canReadBack(buffer, below, rows)) return back(buffer);
  // What is new is counted, as long as there is room for it.
  return buffer.atEnd && !buffer.isFinished && !isFull(buffer) ? on(buffer, true) : null;
}

/** Reading on gives up what is far above, and the other way round; a screen to either side stays. */
const canReadOn = (buffer: LogBuffer, above: number, rows: number): boolean =>
  !isFull(buffer) || above > 2 * rows;
const canReadBack = (buffer: LogBuffer, below: number, rows: number): boolean =>
  !isFull(buffer) || below > 3 * rows;
