/**
 * All that can happen to the view: `(state, action, context) -> { state, effects }`. Pure: the same keys on
 * the same pictures lead to the same place. What changes something at the foreman is only ever asked here;
 * the effect `act` comes from an answered question (overlays.ts) or from `u` (undo.ts).
 */
import { refuse, screenOf, withToast } from "./change.ts";
import { COMMANDS } from "./commands.ts";
import { bindingOf, bindingsElsewhere, isAllowed, keyLabel } from "./key-table.ts";
import { type KeyName, textOfKey } from "./keys.ts";
import { noFurther, showLine } from "./log-commands.ts";
import { openTaskLog, openWholeLog } from "./look-commands.ts";
import { type NavAction, type NavContext, type NavStep, stay } from "./nav-types.ts";
import { keyInOverlay, pasteText } from "./overlays.ts";
import { keyInPalette } from "./palette.ts";
import { settle } from "./settle.ts";
import { undoOf } from "./undo.ts";
import { objectOf } from "./verbs.ts";
import type { ViewState } from "./view-state.ts";

type ActedAction = Extract<NavAction, { readonly kind: "acted" }>;

export function reduceView(state: ViewState, action: NavAction, context: NavContext): NavStep {
  const step = apply(state, action, context);
  return { ...step, state: settle(step.state, context) };
}

function apply(state: ViewState, action: NavAction, context: NavContext): NavStep {
  switch (action.kind) {
    case "key":
      return pressKey(state, action.key, context);
    case "paste":
      return pasteText(state, action.text, context);
    case "resize":
      return stay({ ...state, columns: action.columns, rows: action.rows });
    case "shown":
      return stay(state);
    case "tick":
      return stay(fadeToast(state, context.nowMs));
    case "acted":
      return stay(showResults(state, action, context.nowMs));
    case "failed_task":
      return stay(openFound(state, action, context.nowMs));
    case "hit":
      return stay(
        action.line === null
          ? withToast(state, "plain", noFurther(action.what, action.direction), context.nowMs)
          : showLine({ ...state, toast: null }, context, action.line),
      );
    case "say":
      return stay(withToast(state, action.weight, action.text, context.nowMs));
  }
}

/** Keys that mean the same whatever lies over the screen. */
const ALWAYS: readonly KeyName[] = ["ctrl-c", "ctrl-z", "ctrl-l"];

function pressKey(state: ViewState, key: KeyName, context: NavContext): NavStep {
  const { overlay } = state;
  if (overlay !== null && !ALWAYS.includes(key)) {
    return overlay.kind === "palette"
      ? keyInPalette(state, overlay, key, context)
      : keyInOverlay(state, overlay, key, context);
  }
  const binding = bindingOf(key, screenOf(state));
  if (binding === null) return refuseKey(state, key, context);
  if (!isAllowed(binding, state.readOnly)) {
    const text = `read-only: ${keyLabel(key)} (${binding.label ?? binding.help}) is off`;
    return refuse(state, text, context.nowMs);
  }
  // What was said about the last key is not about this one.
  const quiet = state.toast?.weight === "plain" ? { ...state, toast: null } : state;
  return COMMANDS[binding.command](quiet, context);
}

function refuseKey(state: ViewState, key: KeyName, context: NavContext): NavStep {
  const [elsewhere] = bindingsElsewhere(key);
  const isShown = elsewhere !== undefined && isAllowed(elsewhere, state.readOnly);
  if (isShown) {
    return refuse(
      state,
      `"${keyLabel(key)}" (${elsewhere.help}): not here (? for keys)`,
      context.nowMs,
    );
  }
  if (textOfKey(key) === null) return stay(state);
  return refuse(state, `no action on "${keyLabel(key)}" here (? for keys)`, context.nowMs);
}

const PLAIN_MS = 4_000;
const RESULT_MS = 8_000;
const BAD_MS = 15_000;

function fadeToast(state: ViewState, nowMs: number): ViewState {
  const { toast } = state;
  if (toast === null || toast.weight === "pending") return state;
  const lifeMs = toast.weight === "plain" ? PLAIN_MS : toast.weight === "good" ? RESULT_MS : BAD_MS;
  return nowMs - toast.atMs < lifeMs ? state : { ...state, toast: null };
}

/** What the foreman has acknowledged, or why it would not. */
function showResults(state: ViewState, { results }: ActedAction, nowMs: number): ViewState {
  const undo = undoOf(results) ?? state.undo;
  const failures = results.flatMap(({ request, outcome }) =>
    outcome.ok ? [] : [{ request, error: outcome.error }],
  );
  const [failure] = failures;
  if (failure !== undefined) {
    const { error } = failure;
    const hint = error.hint === null ? "" : ` (${error.hint})`;
    const text = `${objectOf(failure.request)}: ${error.message}${hint}`;
    const done = results.length - failures.length;
    const prefix = results.length === 1 ? "" : `${done} of ${results.length} done; `;
    return withToast({ ...state, undo }, "bad", prefix + text, nowMs);
  }
  const sentences = results.flatMap(({ outcome }) => (outcome.ok ? [outcome.sentence] : []));
  const tail = undo !== state.undo ? "  (u: undo)" : "";
  return withToast({ ...state, undo }, "good", sentences.join("; ") + tail, nowMs);
}

/** Somebody who has gone elsewhere meanwhile is not carried away. */
function openFound(
  state: ViewState,
  { jobId, index }: Extract<NavAction, { readonly kind: "failed_task" }>,
  nowMs: number,
): ViewState {
  const { place } = screenOf(state);
  const isWaiting = place.kind === "overview" || (place.kind === "job" && place.jobId === jobId);
  const quiet = state.toast?.weight === "pending" ? { ...state, toast: null } : state;
  if (!isWaiting || state.overlay !== null) return quiet;
  if (index !== null) return openTaskLog(quiet, { jobId, index });
  const opened = openWholeLog(quiet, jobId);
  return withToast(opened, "plain", `job ${jobId} has no failed task: the log of all`, nowMs);
}
