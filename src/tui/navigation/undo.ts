/** Taking back the last pause or drain, and keeping in mind how. */
import type { ActionRequest } from "../feed.ts";
import { refuse, withToast } from "./change.ts";
import type { ActionResult, NavContext, NavStep } from "./nav-types.ts";
import { NOT_CONNECTED } from "./question.ts";
import { objectOf, pendingText, reverseOf } from "./verbs.ts";
import type { ViewState } from "./view-state.ts";

/** Asks nothing: it was confirmed when it was done, and this makes it as it was. */
export function takeBack(state: ViewState, context: NavContext): NavStep {
  if (state.undo === null) {
    return refuse(state, "nothing to undo: pause and drain can be undone", context.nowMs);
  }
  if (!context.isLive) return refuse(state, NOT_CONNECTED, context.nowMs);
  const { action } = state.undo;
  const requests = "kind" in action ? [action] : action;
  return {
    state: withToast({ ...state, undo: null }, "pending", pendingText(requests), context.nowMs),
    effects: [{ kind: "act", requests }],
  };
}

/** What `u` would take back after these; null where nothing can be, or it was itself an undo. */
export function undoOf(results: readonly ActionResult[]): ViewState["undo"] {
  const done = results.filter(({ outcome }) => outcome.ok).map(({ request }) => request);
  const action = done.flatMap((request) => (isUndo(request) ? [] : (reverseOf(request) ?? [])));
  const [first] = done;
  if (action.length === 0 || first === undefined) return null;
  const verb = first.kind === "drain_worker" ? "drain" : "pause";
  const what = action.length === 1 ? objectOf(first) : `${action.length} of them`;
  return { action, what: `${verb} of ${what}` };
}

function isUndo(request: ActionRequest): boolean {
  switch (request.kind) {
    case "pause_job":
    case "pause_worker":
      return !request.paused;
    case "drain_worker":
      return request.undo;
    case "cancel_job":
    case "cancel_tasks":
    case "retry_failed":
    case "retry_tasks":
    case "set_priority":
      return true;
  }
}
