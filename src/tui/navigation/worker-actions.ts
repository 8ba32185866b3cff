/**
 * Questions about workers: what would be done, or the reason why it cannot be. Nothing here does
 * anything; only the answer `y` turns a question into an effect.
 */
import type { WorkerRowView } from "../../runtime/protocol/monitor-views.ts";
import { formatExactCount } from "../text/amounts.ts";
import { refuse } from "./change.ts";
import type { NavContext, NavStep } from "./nav-types.ts";
import { ask, NAMED_MAX } from "./question.ts";
import { workerRowOf } from "./shown-lists.ts";
import type { ViewState } from "./view-state.ts";

/** `paused` null: whichever it is not. */
export function pauseWorkers(
  state: ViewState,
  context: NavContext,
  { workerIds, paused }: { readonly workerIds: readonly string[]; readonly paused: boolean | null },
): NavStep {
  const workers = workerTargetsOf(workerIds, context);
  const here = workers.filter(({ row }) => row === null || isHere(row));
  const [first] = here;
  const wanted = paused ?? first?.row?.state !== "paused";
  const verb = wanted ? "pause" : "resume";
  if (first === undefined) return refuse(state, noWorker(verb, workers), context.nowMs);
  const change = here.filter(({ row }) => row === null || (row.state === "paused") !== wanted);
  if (change.length === 0) {
    const text = here.length === 1 ? `worker ${first.workerId} is` : "these workers are";
    return refuse(
      state,
      wanted ? `${text} paused already` : `${text} not paused: nothing to resume`,
      context.nowMs,
    );
  }
  const object = `the intake of ${workersText(change)}`;
  return ask(state, {
    requests: change.map(({ workerId }) => ({ kind: "pause_worker", workerId, paused: wanted })),
    question: wanted
      ? `Pause ${object}? Running tasks finish; no further ones start there.`
      : `Resume ${object}? Tasks start there again.`,
    mustType: wanted ? typedForAll(change, context) : null,
  });
}

/** `undo` null: whichever it is not. */
export function drainWorkers(
  state: ViewState,
  context: NavContext,
  { workerIds, undo }: { readonly workerIds: readonly string[]; readonly undo: boolean | null },
): NavStep {
  const workers = workerTargetsOf(workerIds, context);
  const here = workers.filter(({ row }) => row === null || isHere(row));
  const [first] = here;
  const wanted = undo ?? first?.row?.state === "draining";
  const verb = wanted ? "keep" : "drain";
  if (first === undefined) return refuse(state, noWorker(verb, workers), context.nowMs);
  const change = here.filter(({ row }) => row === null || (row.state === "draining") === wanted);
  if (change.length === 0) {
    const text = here.length === 1 ? `worker ${first.workerId} is` : "these workers are";
    return refuse(
      state,
      wanted ? `${text} not draining: nothing to undo` : `${text} draining already`,
      context.nowMs,
    );
  }
  const running = change.reduce((sum, { row }) => sum + (row?.busy_slots ?? 0), 0);
  const isOne = change.length === 1;
  const tail = isOne ? "and the worker ends" : "and the workers end";
  const tasks =
    running === 0 ? "Running tasks finish" : `${formatExactCount(running)} busy slots finish`;
  return ask(state, {
    requests: change.map(({ workerId }) => ({ kind: "drain_worker", workerId, undo: wanted })),
    question: wanted
      ? `Keep ${workersText(change)} after all? ${isOne ? "It takes" : "They take"} tasks again.`
      : `Drain ${workersText(change)}? ${tasks}, the rest goes back to the queue, ${tail}.`,
    mustType: wanted ? null : typedForAll(change, context),
  });
}

interface WorkerTarget {
  readonly workerId: string;
  readonly row: WorkerRowView | null;
}

const workerTargetsOf = (
  workerIds: readonly string[],
  { shown }: NavContext,
): readonly WorkerTarget[] =>
  workerIds.map((workerId) => ({ workerId, row: workerRowOf(shown, workerId) }));

const isHere = ({ state }: WorkerRowView): boolean => state !== "lost" && state !== "gone";

function noWorker(verb: string, workers: readonly WorkerTarget[]): string {
  const [only] = workers;
  if (only === undefined) return `no worker is selected: nothing to ${verb}`;
  if (workers.length > 1) return `none of these workers is here: nothing to ${verb}`;
  return `worker ${only.workerId} is ${only.row?.state ?? "gone"}: nothing to ${verb}`;
}

function workersText(workers: readonly WorkerTarget[]): string {
  const [only] = workers;
  if (workers.length === 1 && only !== undefined) return `worker ${only.workerId}`;
  const named = workers.slice(0, NAMED_MAX).map(({ workerId }) => workerId);
  return `${workers.length} workers (${named.join(", ")}${workers.length > NAMED_MAX ? ", …" : ""})`;
}

/** Nothing would start any more: that is asked for in so many words. */
function typedForAll(change: readonly WorkerTarget[], { shown }: NavContext): string | null {
  if (shown?.kind !== "overview" || change.length < 2) return null;
  const states = shown.body.worker_states;
  const serving = states.up + states["set aside"];
  const stopped = change.filter(
    ({ row }) => row === null || row.state === "up" || row.state === "set aside",
  );
  return stopped.length >= serving ? "all" : null;
}
