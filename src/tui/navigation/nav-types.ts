/**
 * What the navigation hears, what it knows of the picture shown, and what it wants done. The reducer is pure:
 * whatever happens outside is an effect, and comes back as an action.
 */
import type { ActionRequest, FeedError, Focus, FocusBody } from "../feed.ts";
import type { PlanLayout } from "../panes/layout.ts";
import type { KeyName } from "./keys.ts";
import type { Toast, ViewState } from "./view-state.ts";

export type NavAction =
  | { readonly kind: "key"; readonly key: KeyName }
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "resize"; readonly columns: number; readonly rows: number }
  /** Something else is shown than before: selections follow their rows. */
  | { readonly kind: "shown" }
  /** About once a second: what was said is taken away when it has been read. */
  | { readonly kind: "tick" }
  /** The foreman's answers, one a request. */
  | { readonly kind: "acted"; readonly results: readonly ActionResult[] }
  | { readonly kind: "failed_task"; readonly jobId: number; readonly index: number | null }
  | {
      readonly kind: "hit";
      readonly what: HitKind;
      readonly direction: "forward" | "backward";
      readonly line: number | null;
    }
  | { readonly kind: "say"; readonly weight: Toast["weight"]; readonly text: string };

export interface ActionResult {
  readonly request: ActionRequest;
  readonly outcome:
    | { readonly ok: true; readonly sentence: string }
    | { readonly ok: false; readonly error: FeedError };
}

export type HitKind = "search" | "error";

export type NavEffect =
  | { readonly kind: "act"; readonly requests: readonly ActionRequest[] }
  /** Answered with `failed_task`. */
  | { readonly kind: "find_failed"; readonly jobId: number }
  /** Further than what is held of the log; answered with `hit`. */
  | {
      readonly kind: "seek_hit";
      readonly what: HitKind;
      readonly from: number;
      readonly direction: "forward" | "backward";
    }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "page_out" }
  | { readonly kind: "redraw" }
  | { readonly kind: "suspend" }
  | { readonly kind: "quit" };

/** What is shown of a log, as the model holds it. Numbers are line numbers, growing. */
export interface ShownLog {
  /** The top line drawn. */
  readonly top: number;
  /** Of all lines held that the filter and the streams let through. */
  readonly numbers: readonly number[];
  /** Those of them that the search finds. */
  readonly hits: readonly number[];
  /** Those of them that look like errors. */
  readonly errors: readonly number[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

export interface NavContext {
  readonly nowMs: number;
  readonly planLayout: PlanLayout;
  /** The picture shown, and what it answers; it may be of another place or sort than just chosen. */
  readonly shown: FocusBody | null;
  readonly asked: Focus | null;
  readonly log: ShownLog | null;
  /** Rows that the text of this place has at all: a task's, or the lanes of a worker. */
  readonly textRows: (state: ViewState) => number;
  /** Whether the foreman can be asked for something now. */
  readonly isLive: boolean;
}

export interface NavStep {
  readonly state: ViewState;
  readonly effects: readonly NavEffect[];
}

const NO_EFFECTS: readonly NavEffect[] = [];

export const stay = (state: ViewState): NavStep => ({ state, effects: NO_EFFECTS });
