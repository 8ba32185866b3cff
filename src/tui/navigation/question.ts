/**
 * A question before something is done at the foreman. Asking is all that keys can do; only the answer `y`
 * (reducer) makes an effect of it.
 */
import type { ActionRequest } from "../feed.ts";
import { withOverlay } from "./change.ts";
import { type NavStep, stay } from "./nav-types.ts";
import { verbOf } from "./verbs.ts";
import type { ViewState } from "./view-state.ts";

/** More, and the job's number must be typed before `y`. */
export const TASKS_WITHOUT_TYPING_MAX = 1000;
/** Of one key press; the words `low`, `normal`, `high` are two of them apart. */
export const PRIORITY_STEP = 5;
export const PRIORITY_MAX = 100;
export const NOT_CONNECTED = "not connected: nothing can be changed now";
/** Of several things so many are named. */
export const NAMED_MAX = 6;

export interface Question {
  readonly requests: readonly ActionRequest[];
  readonly question: string;
  readonly mustType: string | null;
}

export function ask(state: ViewState, { requests, question, mustType }: Question): NavStep {
  const [first] = requests;
  return stay(
    withOverlay(state, {
      kind: "confirm",
      confirm: {
        action: requests,
        question,
        mustType,
        typed: "",
        verb: requests.length === 1 && first !== undefined ? verbOf(first) : null,
      },
    }),
  );
}

export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
