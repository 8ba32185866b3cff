/**
 * What one look at a place asks for where nobody scrolls: its lists from their beginning, up to a bound,
 * and the charts until now.
 */
import type { Focus, WindowRequest } from "../feed.ts";
import type { Place } from "../navigation/view-state.ts";

/** A log is read in pages and has a verb of its own. */
export type OncePlace = Exclude<Place, { readonly kind: "log" }>;

/** How many rows of each list; the rest is counted. */
export interface OnceAmounts {
  readonly rows: number;
  readonly events: number;
  readonly gridCells: number;
  /** Of the input, the result and stderr each. */
  readonly textCharacters: number;
}

/** What fits a page or two of text. */
export const TEXT_AMOUNTS: OnceAmounts = {
  rows: 50,
  events: 8,
  gridCells: 400,
  textCharacters: 2_000,
};

/** As many rows as the foreman gives at once. */
export const JSON_AMOUNTS: OnceAmounts = {
  rows: 500,
  events: 200,
  gridCells: 400,
  textCharacters: 65_536,
};

const CHART_SECONDS = 120;
/** Of a million tasks those that somebody looks for: what runs, waits for another try or went wrong. */
export const TASKS_SHOWN = "state:running,delayed,failed";

export function onceFocus(place: OncePlace, amounts: OnceAmounts): Focus {
  const span = { windowSeconds: CHART_SECONDS, backSeconds: 0 };
  const list = listOf(amounts.rows);
  switch (place.kind) {
    case "overview":
      return { kind: "overview", ...span, jobs: list, workers: list, events: amounts.events };
    case "job":
      return {
        kind: "job",
        jobId: place.jobId,
        ...span,
        cells: amounts.gridCells,
        tasks: { ...list, filter: TASKS_SHOWN, sort: "time" },
      };
    case "task":
      return {
        kind: "task",
        jobId: place.jobId,
        index: place.index,
        textCharacters: amounts.textCharacters,
      };
    case "worker":
      return { kind: "worker", workerId: place.workerId, ...span, tasks: list };
  }
}

const listOf = (rows: number): WindowRequest => ({
  sort: "",
  reverse: false,
  filter: "",
  from: 0,
  rows,
});
