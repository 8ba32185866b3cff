/**
 * What became of the tasks whose results were read: how many of each end, and the failures in groups
 * of the same kind. It keeps a bounded number of groups, however many different errors there are.
 */
import { groupKey, placeOf } from "../protocol/error-groups.ts";
import { readFailure, VALUE_FAILURE } from "../protocol/failure.ts";
import {
  type Rows,
  rowsOf,
  STATUS_CANCELLED,
  STATUS_COMPLETED,
  STATUS_FAILED,
} from "./output/rows.ts";
import type { ResultsPage } from "./read-results.ts";

export interface ErrorGroup {
  readonly code: string;
  /** The first such message. */
  readonly message: string;
  /** The author's frame, when there is one. */
  readonly place: string | null;
  /** The task of that message. */
  readonly index: number;
  count: number;
}

export interface Tally {
  add(page: ResultsPage): void;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Of failures, the largest first. */
  errorGroups(): readonly ErrorGroup[];
}

/** Beyond so many different errors, further kinds are only counted. */
const GROUPS_MAX = 1_000;

/** @param onFirstFailure told of each kind of failure when it is seen first. */
export function createTally(onFirstFailure: (group: ErrorGroup) => void = () => {}): Tally {
  const counts = [0, 0, 0];
  const groups = new Map<string, ErrorGroup>();

  function addFailure(rows: Rows, row: number): void {
    const value = rows.valueOf(row);
    if (value[0] !== VALUE_FAILURE) return;
    const { failure } = readFailure(value);
    const key = groupKey(failure);
    const known = groups.get(key);
    if (known) {
      known.count++;
      return;
    }
    if (groups.size >= GROUPS_MAX) return;
    const { code, message } = failure;
    const group = { code, message, place: placeOf(failure), index: rows.indexOf(row), count: 1 };
    groups.set(key, group);
    onFirstFailure(group);
  }

  return {
    add(page) {
      if (typeof page.status === "number" && page.status !== STATUS_FAILED) {
        counts[page.status] = (counts[page.status] ?? 0) + page.count;
        return;
      }
      const rows = rowsOf(page);
      for (let row = 0; row < rows.count; row++) {
        const status = rows.statusOf(row);
        counts[status] = (counts[status] ?? 0) + 1;
        if (status === STATUS_FAILED) addFailure(rows, row);
      }
    },
    get completed() {
      return counts[STATUS_COMPLETED] ?? 0;
    },
    get failed() {
      return counts[STATUS_FAILED] ?? 0;
    },
    get cancelled() {
      return counts[STATUS_CANCELLED] ?? 0;
    },
    errorGroups: () =>
      [...groups.values()].toSorted((a, b) => b.count - a.count || a.index - b.index),
  };
}
