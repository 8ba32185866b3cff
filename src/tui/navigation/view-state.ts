/**
 * Where the user is: screens on a stack (the breadcrumb), what is selected, filtered, marked and sorted in
 * each list, and what lies over the screen. Plain data; only the reducer makes a new one, and nothing in
 * it comes from the foreman but ids.
 */
import type { ActionRequest } from "../feed.ts";
import type { Graph, ThemeName } from "../theme/theme.ts";

export type Place =
  | { readonly kind: "overview" }
  | { readonly kind: "job"; readonly jobId: number }
  | { readonly kind: "task"; readonly jobId: number; readonly index: number }
  | { readonly kind: "worker"; readonly workerId: string }
  /** `index` null: of all tasks of the job. `attempt` null: the newest. */
  | {
      readonly kind: "log";
      readonly jobId: number;
      readonly index: number | null;
      readonly attempt: number | null;
    };

/** `errors` of a job (groups) or a worker (recent failures), `tasks` of a job or a worker. */
export type ListName = "jobs" | "workers" | "tasks" | "errors" | "events";

export interface ListState {
  /**
   * By id, so that a row keeps its selection wherever it moves; null: nothing to select, or the row at
   * `selectedAt` has not come yet.
   */
  readonly selectedId: string | null;
  /** Position of the selected row among all that match: where the cursor is drawn. */
  readonly selectedAt: number;
  /** The cursor is on the first row, whichever that is, until somebody moves: what is first is what counts. */
  readonly staysFirst?: boolean;
  /** First row shown. */
  readonly top: number;
  readonly filter: string;
  /** A column's name; "" for the list's own order. */
  readonly sort: string;
  readonly reverse: boolean;
  readonly marked: ReadonlySet<string>;
  /** Everything that matches is to be marked as soon as all of it is here. */
  readonly marksAll?: boolean;
}

export interface LogState {
  /** Shows the end and what comes; else the view stands still. */
  readonly follows: boolean;
  /** First row shown, counted in lines since the log was opened; may be negative (read backwards). */
  readonly top: number;
  /** Columns scrolled to the right. */
  readonly left: number;
  readonly wraps: boolean;
  readonly showsTime: boolean;
  readonly streams: "both" | "stdout" | "stderr";
  /** Words that a line must have, as `log-words.ts` reads them; hides the other lines. */
  readonly filter: string;
  /** Looked for with `n` and `N`; hides nothing. */
  readonly search: string;
  /** Number of the line that the last search or `e` went to. */
  readonly hitAt?: number | null;
}

export interface ScreenState {
  readonly place: Place;
  /** Which of the place's panes has the cursor; an index into `panesOf(place)`. */
  readonly pane: number;
  readonly isZoomed: boolean;
  readonly lists: Readonly<Partial<Record<ListName, ListState>>>;
  readonly log: LogState | null;
  /** Of detail text (input, result, errors of a task): first row shown. */
  readonly textTop: number;
}

export type ChartWindow = "2m" | "10m" | "1h";

export interface ConfirmState {
  readonly action: ActionRequest | readonly ActionRequest[];
  /** Names the object and what will happen. */
  readonly question: string;
  /** What must be typed before `y` counts; null: `y` alone. */
  readonly mustType: string | null;
  readonly typed: string;
  /** The same on the command line; null where it would be many. */
  readonly verb?: string | null;
}

export type Overlay =
  | { readonly kind: "help"; readonly query: string; readonly top: number }
  | {
      readonly kind: "palette";
      readonly text: string;
      readonly cursor: number;
      readonly choice: number;
    }
  /** Filter of a list or a log; `before` is restored by Esc. */
  | {
      readonly kind: "filter";
      readonly text: string;
      readonly cursor: number;
      readonly before: string;
    }
  | {
      readonly kind: "search";
      readonly text: string;
      readonly cursor: number;
      readonly before: string;
    }
  | { readonly kind: "confirm"; readonly confirm: ConfirmState };

/** One line about what was just done or cannot be done. `pending` stays until it is answered. */
export interface Toast {
  readonly weight: "plain" | "good" | "bad" | "pending";
  readonly text: string;
  readonly atMs: number;
}

export interface ViewState {
  readonly columns: number;
  readonly rows: number;
  /** Never empty; the last one is shown. */
  readonly stack: readonly ScreenState[];
  readonly overlay: Overlay | null;
  readonly toast: Toast | null;
  /** Since when the picture stands still; data still arrives. */
  readonly frozenAtMs: number | null;
  readonly chartWindow: ChartWindow;
  /** How far back in time the charts end. */
  readonly backSeconds: number;
  readonly theme: ThemeName;
  readonly graph: Graph;
  readonly ascii: boolean;
  readonly readOnly: boolean;
  /** What `u` takes back: the reverse of the last pause or drain that was acknowledged. */
  readonly undo: {
    readonly action: ActionRequest | readonly ActionRequest[];
    readonly what: string;
  } | null;
  /** First column shown of tables that have more than fit. */
  readonly columnsFrom: number;
}
