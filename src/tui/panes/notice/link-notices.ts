/**
 * Why there is nothing to show yet: nobody answers, the answer is no, or it has not come. Each says what was
 * tried and since when, and what one can check and type.
 */
import type { ScreenModel } from "../../model/screen-model.ts";
import type { Place } from "../../navigation/view-state.ts";
import { clockTime, wholeSeconds } from "../../text/fixed.ts";
import type { Notice } from "./notice.ts";

/** null: the place itself can be drawn. */
export function noticeOf(model: ScreenModel): Notice | null {
  const { link, shown, failed, view } = model;
  if (link.kind === "refused") return refusedNotice(model, link.error);
  const place = view.stack.at(-1)?.place;
  if (place === undefined) return null;
  if (failed !== null && failed.code !== "bad_filter") return missingNotice(place, failed);
  if (place.kind === "log" || isShownPlace(place, shown)) return null;
  return link.kind === "live" ? waitingNotice(place) : noForemanNotice(model);
}

/** What came last is of the place that is shown, not of the one before. */
export function isShownPlace(place: Place, shown: ScreenModel["shown"]): boolean {
  switch (place.kind) {
    case "overview":
      return shown?.kind === "overview";
    case "job":
      return shown?.kind === "job" && shown.body.job.job_id === place.jobId;
    case "task":
      return (
        shown?.kind === "task" &&
        shown.body.index === place.index &&
        shown.body.job.job_id === place.jobId
      );
    case "worker":
      return shown?.kind === "worker" && shown.body.worker.worker_id === place.workerId;
    case "log":
      return true;
  }
}

function noForemanNotice({ link, url, linkSinceMs, nowMs, view }: ScreenModel): Notice {
  const attempt = link.kind === "connecting" || link.kind === "lost" ? link.attempt : 1;
  const error = link.kind === "connecting" || link.kind === "lost" ? link.error : null;
  const since =
    linkSinceMs == null
      ? ""
      : ` since ${clockTime(linkSinceMs)} (${wholeSeconds((nowMs - linkSinceMs) / 1000)})`;
  if (attempt <= 1 && error === null)
    return { title: `Connecting to the foreman at ${url}`, style: "strong", lines: [] };
  return {
    title: `No foreman answers at ${url}`,
    style: "warning",
    lines: [
      `Trying again${since}, try ${attempt}.`,
      ...(view.rows < 15 ? ["cc foreman starts one, cc doctor tells what is in the way."] : []),
      "This screen goes on by itself when one answers.",
      ...(error === null ? [] : [`Last: ${error.message}`]),
      "",
      "Is one running there? On its machine:",
      "  cc foreman",
      "Is it another address? Give it, or set CC_FOREMAN:",
      "  cc top --foreman ws://HOST:9000",
      "What is in the way from here to there?",
      "  cc doctor",
      ...(error?.hint == null ? [] : ["", error.hint]),
    ],
  };
}

const VERSION_CODES: readonly string[] = ["version_mismatch", "unsupported_version"];

function refusedNotice({ url }: ScreenModel, error: NonNullable<ScreenModel["failed"]>): Notice {
  const isVersion = VERSION_CODES.includes(error.code);
  return {
    title: isVersion
      ? `This cc and the foreman at ${url} do not understand each other`
      : `The foreman at ${url} refuses`,
    style: "failed",
    lines: [
      error.message,
      "",
      ...(error.hint === null ? [] : [error.hint]),
      ...(isVersion
        ? ["Versions here:", "  cc version"]
        : ["Which key is used, and from where:", "  cc doctor"]),
      "",
      "Trying again would change nothing. q quits.",
    ],
  };
}

function missingNotice(place: Place, error: NonNullable<ScreenModel["failed"]>): Notice {
  return {
    title: error.message,
    style: "warning",
    lines: [
      ...(error.hint === null ? [] : [error.hint, ""]),
      MISSING_WORDS[place.kind],
      "Esc goes back, : opens another by name.",
    ],
  };
}

const MISSING_WORDS: Readonly<Record<Place["kind"], string>> = {
  overview: "The foreman cannot show its overview.",
  job: "It may have been forgotten: finished jobs are kept for a while only (cc gc), or until cc rm.",
  task: "A job's tasks are numbered from 0.",
  worker: "Workers are known by the names that they were started with (cc worker --id).",
  log: "Logs are kept as long as their job.",
};

function waitingNotice(place: Place): Notice {
  const words: Readonly<Record<Place["kind"], string>> = {
    overview: "Waiting for the overview",
    job: place.kind === "job" ? `Waiting for job ${place.jobId}` : "",
    task: place.kind === "task" ? `Waiting for task ${place.jobId}/${place.index}` : "",
    worker: place.kind === "worker" ? `Waiting for worker ${place.workerId}` : "",
    log: "Waiting for the log",
  };
  return { title: `${words[place.kind]} ...`, style: "dim", lines: [] };
}
