/**
 * Each kind of event as one sentence for people who look on: what happened, to whom, with its numbers.
 * Fields come from the store, where an older foreman may have written fewer of them: what is missing is
 * left out, never shown as undefined.
 */
import { type EventKind, isEventKind } from "../../../protocol/event-kinds.ts";
import { formatTaskId } from "../../../protocol/ids.ts";
import type { EventLineView } from "../../../protocol/monitor-views.ts";
import { formatDuration, plural } from "../../../scheduler/foreman/explain/wording.ts";
import type { EventRowFacts } from "../../../store/store.ts";
import { sizeText } from "./value-text.ts";

const SENTENCE_CHARACTERS_MAX = 240;

/** What a sentence is made of; fields that are not there read as "" and 0. */
interface Told {
  readonly job: string;
  readonly worker: string;
  /** `task 17/3`, or `job 17: 10 tasks`. */
  readonly tasks: string;
  /** The word for one of them, or for several. */
  choose(one: string, several: string): string;
  text(field: string): string;
  number(field: string): number;
  is(field: string): boolean;
  /** ` (exit_status x9, timeout x1)`; "" without codes. */
  readonly codes: string;
  /** ` on w03`; "" without a worker. */
  readonly place: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const SENTENCES: Readonly<Record<EventKind, (told: Told) => string>> = {
  foreman_started: ({ number }) =>
    `the foreman started: ${plural(number("jobs"), "unfinished job")}`,
  foreman_stopped: () => "the foreman stopped in order",
  foreman_stood_still: ({ number }) =>
    `the foreman stood still for ${seconds(number("seconds"))}; ${plural(number("workers"), "worker")} got a whole lease anew`,
  clock_went_back: ({ number }) =>
    `the clock went back by ${seconds(number("seconds"))}; all waits kept their length`,
  storage_full: ({ text }) =>
    `the foreman's disk is full${reason(text("folder"))}: nothing new starts`,
  storage_recovered: () => "the foreman's disk has room again",
  logs_dropped: ({ text, number }) =>
    `${sizeText(number("bytes"))} of logs could not be kept${reason(text("reason"))}`,
  logs_set_aside: ({ text }) =>
    `the file of all logs was damaged, and new logs began${reason(text("reason"))}`,
  logs_removed: ({ job, number }) =>
    `the log of ${job} went, to keep the quota of all logs (${sizeText(number("bytes"))})`,
  job_submitted: ({ job, text, number, is }) =>
    `${job}${quoted(text("name"))} submitted by ${text("owner")}: ${plural(number("task_count"), "task")}${is("inputs_open") ? " so far" : ""}`,
  inputs_closed: ({ job, number }) =>
    `${job} has all its inputs: ${plural(number("task_count"), "task")}`,
  job_changed: ({ job, body }) => `${job} changed${listed(body["options"])}`,
  job_paused: ({ job }) => `${job} paused`,
  job_resumed: ({ job }) => `${job} goes on`,
  job_cancelled: ({ job, text, number }) =>
    `${job} cancelled with ${plural(number("count"), "task")} left${reason(text("reason"))}`,
  job_ended: jobEnded,
  job_removed: ({ job, text }) => `${job}${quoted(text("name"))} forgotten ${removal(text("why"))}`,
  events_left_out: ({ job, number }) =>
    `${job} has had ${plural(number("recorded"), "event")} about tasks; further ones are only counted`,
  tasks_cancelled: ({ tasks, text }) => `${tasks} cancelled${reason(text("reason"))}`,
  tasks_reopened: ({ tasks }) => `${tasks} queued again`,
  tasks_failed: ({ tasks, codes, place }) => `${tasks} failed${codes}${place}`,
  attempts_failed: ({ tasks, codes, place, number }) =>
    `${tasks} failed${codes}${place}, to be tried again in ${seconds(number("retry_in_seconds"))}`,
  attempts_moved: ({ tasks, codes, place, choose }) =>
    `${tasks} had no room${codes}${place} and ${choose("runs", "run")} elsewhere`,
  attempts_lost: ({ tasks, worker }) => `${tasks} lost with ${worker} and queued again`,
  attempts_aborted: ({ tasks, place }) => `${tasks} ended on purpose${place}`,
  crash_points_returned: ({ tasks, worker, choose }) =>
    `${tasks}: nothing is held against ${choose("it", "them")} any more, ${worker} came back`,
  tasks_run_alone: ({ tasks, choose }) =>
    `${tasks} ${choose("runs", "run")} alone from now on: workers were lost with ${choose("it", "them")}`,
  tasks_poisoned: ({ tasks, number, choose }) =>
    `${tasks} failed as poison: workers were lost with ${choose("it", "them")} (limit ${number("max_crashes")})`,
  tasks_refused: ({ tasks, worker, text }) =>
    `${tasks} handed back by ${worker}${reason(text("reason"))}`,
  stale_attempt: ({ tasks, worker }) =>
    `${tasks}: results came too late from ${worker} and were refused`,
  worker_connected: ({ worker, text, number }) =>
    `${worker} connected from ${text("host")} with ${plural(number("slots"), "slot")}`,
  worker_reconnected: ({ worker, number }) =>
    `${worker} is back: ${plural(number("adopted"), "task")} ${number("adopted") === 1 ? "goes" : "go"} on there${also(number("requeued"), "queued again")}`,
  worker_connection_lost: ({ worker, number }) =>
    `${worker}'s connection is gone; it holds ${plural(number("held"), "task")} and may come back`,
  worker_lost: ({ worker, text, number }) =>
    `${worker} lost${reason(text("reason"))}: ${plural(number("running"), "task")} queued again`,
  worker_left: ({ worker, text }) => `${worker} left${reason(text("reason"))}`,
  worker_refused: ({ worker, text }) => `${worker} was turned away${reason(text("reason"))}`,
  worker_paused: ({ worker, is }) =>
    `${worker} paused${is("now") ? ", what ran there was handed back" : ""}`,
  worker_resumed: ({ worker }) => `${worker} takes tasks again`,
  worker_draining: ({ worker, body, number, is, text }) =>
    `${worker} drains${body["held"] === undefined ? "" : `: ${plural(number("held"), "task")} left`}${is("requested") ? "" : reason(text("reason"))}`,
  worker_drain_undone: ({ worker }) => `${worker} stays after all`,
  worker_unwilling: ({ worker, text }) => `${worker} takes nothing new${reason(text("reason"))}`,
  worker_willing: ({ worker }) => `${worker} takes tasks again by itself`,
  worker_set_aside: ({ worker, text, number }) =>
    `${worker} set aside for ${seconds(number("seconds"))}${reason(text("reason"))}`,
  worker_probed: ({ worker }) => `${worker} is on trial: one task at a time`,
  worker_trusted_again: ({ worker }) => `${worker} is trusted again`,
};

/** A failure or a loss. */
const BAD: ReadonlySet<string> = new Set<EventKind>([
  "storage_full",
  "logs_set_aside",
  "tasks_failed",
  "attempts_lost",
  "tasks_poisoned",
  "worker_connection_lost",
  "worker_lost",
  "worker_refused",
  "worker_set_aside",
]);
/** What goes its way; all else somebody did, or should know. */
const PLAIN: ReadonlySet<string> = new Set<EventKind>([
  "foreman_started",
  "foreman_stopped",
  "logs_removed",
  "job_submitted",
  "inputs_closed",
  "job_removed",
  "crash_points_returned",
  "worker_connected",
  "worker_reconnected",
  "worker_left",
  "worker_willing",
  "worker_probed",
  "worker_trusted_again",
]);

export function eventLine(row: EventRowFacts): EventLineView {
  const { seq, atMs, kind, jobId, index, workerId } = row;
  const body = parseBody(row.body);
  return {
    seq,
    time: new Date(atMs).toISOString(),
    kind,
    job_id: jobId,
    task_id: jobId === null || index === null ? null : formatTaskId(jobId, index),
    worker: workerId,
    weight: weightOf(kind, body),
    sentence: sentenceOf(row, body),
  };
}

function sentenceOf(row: EventRowFacts, body: Readonly<Record<string, unknown>>): string {
  const { kind } = row;
  // A newer foreman may have written to this store.
  const sentence = isEventKind(kind)
    ? SENTENCES[kind](toldOf(row, body))
    : kind.replaceAll("_", " ");
  return sentence.length <= SENTENCE_CHARACTERS_MAX
    ? sentence
    : `${sentence.slice(0, SENTENCE_CHARACTERS_MAX - 1)}…`;
}

function weightOf(kind: string, body: Readonly<Record<string, unknown>>): EventLineView["weight"] {
  if (kind === "job_ended") return body["state"] === "failed" ? "bad" : "plain";
  // What nobody asked for went wrong.
  if (kind === "job_cancelled") return body["code"] === "cancelled" ? "notice" : "bad";
  if (BAD.has(kind)) return "bad";
  return PLAIN.has(kind) ? "plain" : "notice";
}

function toldOf(
  { jobId, index, workerId }: EventRowFacts,
  body: Readonly<Record<string, unknown>>,
): Told {
  const text = (field: string): string => {
    const value = body[field];
    return typeof value === "string" ? value : "";
  };
  const number = (field: string): number => {
    const value = body[field];
    return typeof value === "number" ? value : 0;
  };
  const job = `job ${jobId ?? (number("job_id") || "?")}`;
  return {
    job,
    worker: workerId ?? "a worker",
    tasks:
      jobId !== null && index !== null
        ? `task ${formatTaskId(jobId, index)}`
        : `${job}: ${plural(number("count"), "task")}`,
    choose: (one, several) => (index === null ? several : one),
    text,
    number,
    is: (field) => body[field] === true,
    codes: codesOf(body["codes"]),
    place: workerId === null ? "" : ` on ${workerId}`,
    body,
  };
}

function jobEnded({ job, text, number }: Told): string {
  const completed = number("completed");
  const state = text("state");
  if (state === "completed") return `${job} completed: ${plural(completed, "task")}`;
  const parts = [
    completed > 0 ? `${completed.toLocaleString("en-US")} completed` : "",
    number("failed") > 0 ? `${number("failed").toLocaleString("en-US")} failed` : "",
    number("cancelled") > 0 ? `${number("cancelled").toLocaleString("en-US")} cancelled` : "",
  ].filter((part) => part !== "");
  return `${job} ${state === "" ? "ended" : state}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

function codesOf(codes: unknown): string {
  if (typeof codes !== "object" || codes === null) return "";
  const parts = Object.entries(codes).map(([code, count]) => `${code} x${String(count)}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function removal(why: string): string {
  if (why === "age") return "as it was old";
  return why === "count" ? "as there are newer ones" : "by request";
}

const seconds = (count: number): string => formatDuration(count * 1000);
const reason = (words: string): string => (words === "" ? "" : ` (${words})`);
const quoted = (name: string): string => (name === "" ? "" : ` ${JSON.stringify(name)}`);
const also = (count: number, what: string): string => (count === 0 ? "" : `, ${count} ${what}`);

const listed = (names: unknown): string =>
  Array.isArray(names) && names.length > 0
    ? `: ${names
        .map((name) =>
          String(name)
            .replace(/_seconds$/, "")
            .replaceAll("_", "-"),
        )
        .join(", ")}`
    : "";

function parseBody(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null
      ? (parsed as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
}
