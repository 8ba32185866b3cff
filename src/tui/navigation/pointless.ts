/**
 * Which keys would only be answered with a reason why not, and what those that work would do now: so the
 * footer offers what can be done to what is under the cursor. Pressing them is judged by the actions alone.
 */
import { isJobEnded, isTaskSettled } from "../../runtime/protocol/views.ts";
import type { FocusBody } from "../feed.ts";
import type { CommandId } from "./key-table.ts";
import { listOf } from "./panes-of.ts";
import { isOf } from "./settle.ts";
import { jobRowOf, ownRow, shownList, workerRowOf } from "./shown-lists.ts";
import type { ScreenState } from "./view-state.ts";

/** What the footer says of a command: another word, or null for not at all. */
export type Offers = Readonly<Partial<Record<CommandId, string | null>>>;

const NONE: Offers = {};

export function offersFor(screen: ScreenState, shown: FocusBody | null): Offers {
  if (!isOf(shown, screen.place) || hasMarks(screen)) return NONE;
  return {
    ...jobOffers(screen, shown),
    ...workerOffers(screen, shown),
    ...taskOffers(screen, shown),
    ...(isEmpty(screen, shown) ? NOTHING_THERE : {}),
    ...(isEmpty(screen, shown) && screen.place.kind === "overview" ? NOTHING_TO_STEER : {}),
  };
}

/** What is marked may be anything. */
function hasMarks(screen: ScreenState): boolean {
  const list = listOf(screen);
  return list !== null && (screen.lists[list]?.marked.size ?? 0) > 0;
}

/** The list that has the cursor has no row. */
function isEmpty(screen: ScreenState, shown: FocusBody | null): boolean {
  const list = listOf(screen);
  return list !== null && shownList(shown, list)?.matching === 0;
}

const NOTHING_THERE: Offers = {
  open: null,
  mark: null,
  log: null,
  kill: null,
  "retry-task": null,
};

const NOTHING_TO_STEER: Offers = { cancel: null, retry: null, pause: null, drain: null };

const selectedId = (screen: ScreenState, name: "jobs" | "workers" | "tasks"): string | null =>
  listOf(screen) === name ? (screen.lists[name]?.selectedId ?? null) : null;

function jobOffers(screen: ScreenState, shown: FocusBody | null): Offers {
  const { place } = screen;
  const selected = selectedId(screen, "jobs");
  const jobId = place.kind === "job" ? place.jobId : selected === null ? null : Number(selected);
  const job = jobId === null ? null : jobRowOf(shown, jobId);
  if (job === null) return NONE;
  return {
    ...(job.tasks.failed + job.tasks.cancelled === 0 ? { retry: null } : {}),
    ...(isJobEnded(job.state) ? { cancel: null, pause: null } : {}),
    ...(job.state === "paused" ? { pause: "resume" } : {}),
  };
}

function workerOffers(screen: ScreenState, shown: FocusBody | null): Offers {
  const { place } = screen;
  const workerId = place.kind === "worker" ? place.workerId : selectedId(screen, "workers");
  const worker = workerId === null ? null : workerRowOf(shown, workerId);
  switch (worker?.state) {
    case "lost":
    case "gone":
      return { pause: null, drain: null };
    case "draining":
      return { drain: "keep" };
    case "paused":
      return { pause: "resume intake" };
    default:
      return NONE;
  }
}

function taskOffers(screen: ScreenState, shown: FocusBody | null): Offers {
  const selected = selectedId(screen, "tasks");
  const task =
    shown?.kind === "task"
      ? shown.body
      : shown?.kind === "job" && selected !== null
        ? ownRow(shown.body.tasks.rows, selected)
        : null;
  if (task === null) return NONE;
  const canRetry = task.state === "failed" || task.state === "cancelled";
  return {
    ...(isTaskSettled(task.state) ? { kill: null } : {}),
    ...(canRetry ? {} : { "retry-task": null }),
  };
}
