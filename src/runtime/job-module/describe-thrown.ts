/**
 * Turns whatever a job's function threw into what is recorded of the failure. It meets hostile values
 * (getters that throw, errors that cite themselves, gigabytes of text), so it must never throw itself
 * and its output is bounded.
 */
import { inspect } from "node:util";
import { CcError } from "../protocol/error.ts";
import type { Failure } from "../protocol/failure.ts";
import { ERROR_MESSAGE_BYTES_MAX, ERROR_STACK_BYTES_MAX } from "../protocol/limits.ts";
import { describeKind } from "./export-problem.ts";
import type { ClassifyFunction } from "./job-module.ts";
import { type Frame, parseFrames } from "./stack-trace.ts";
import { truncateUtf8 } from "./truncate-utf8.ts";

export interface DescribeOptions {
  /** Where the job's bundle lies; frames are shown relative to its folder. */
  readonly bundlePath: string;
  /** The job's own judgement of its errors. */
  readonly classifyError: ClassifyFunction | undefined;
}

export interface ThrownDescription extends Failure {
  readonly permanent: boolean;
  /** `lib/parse.ts:4:13` of the innermost frame in the author's files; null without one. */
  readonly place: string | null;
}

const FRAMES_MAX = 40;
const CAUSE_FRAMES_MAX = 8;
const CAUSES_MAX = 5;
const AGGREGATED_MAX = 3;

/** A code that may stand beside ours: a short word. */
const AUTHOR_CODE = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
/** Names that say no more than "this is an error"; the runtime's own come from failed imports. */
const PLAIN_NAMES = new Set(["Error", "PermanentError", "ResolveMessage", "BuildMessage"]);
const PERMANENT = Symbol.for("crowdcompute.permanent");

export function describeThrown(thrown: unknown, options: DescribeOptions): ThrownDescription {
  try {
    return describe(thrown, options);
  } catch {
    // Only a proxy whose traps throw gets here; it must not take the executor down.
    const message = "A value was thrown that cannot be looked at.";
    return { code: "error", message, permanent: false, place: null };
  }
}

function describe(thrown: unknown, options: DescribeOptions): ThrownDescription {
  if (thrown instanceof CcError) return describeOwn(thrown);
  const verdict = classify(thrown, options.classifyError);
  const frames = framesOf(thrown, options.bundlePath);
  // A path of this machine's cache means nothing to the author.
  const message = messageOf(thrown).replaceAll(options.bundlePath, "the job file");
  const stack = [
    headOf(thrown, message),
    ...frames.slice(0, FRAMES_MAX).map((frame) => `    ${frame.text}`),
    ...causeLines(thrown, options.bundlePath),
    ...(verdict.note === null ? [] : [verdict.note]),
  ].join("\n");
  return {
    code: verdict.code,
    message: truncateUtf8(message, ERROR_MESSAGE_BYTES_MAX),
    stack: truncateUtf8(stack, ERROR_STACK_BYTES_MAX),
    permanent: verdict.permanent,
    place: frames.find((frame) => frame.place !== null)?.place ?? null,
  };
}

/** An error of ours, such as a value that cannot be carried: the sentence says it all. */
function describeOwn(error: CcError): ThrownDescription {
  const { code, message, retryable } = error;
  return { code, message, permanent: !retryable, place: null };
}

interface Verdict {
  readonly code: string;
  readonly permanent: boolean;
  /** What went wrong with the judgement itself, for the stack. */
  readonly note: string | null;
}

/** A `PermanentError` speaks for itself; what `classifyError` returns overrides it. */
function classify(thrown: unknown, classifyError: ClassifyFunction | undefined): Verdict {
  const isPermanent = readProperty(thrown, PERMANENT) === true;
  const own = isPermanent ? readProperty(thrown, "code") : undefined;
  const base: Verdict = { code: codeOr(own, "error"), permanent: isPermanent, note: null };
  if (!classifyError) return base;
  try {
    return applyVerdict(base, classifyError(thrown));
  } catch (failure) {
    return { ...base, note: `classifyError itself threw: ${oneLine(messageOf(failure))}` };
  }
}

function applyVerdict(base: Verdict, answer: unknown): Verdict {
  if (answer === undefined || answer === null) return base;
  const code = readProperty(answer, "code");
  const permanent = readProperty(answer, "permanent");
  const isUsable =
    typeof answer === "object" &&
    !(answer instanceof Promise) &&
    (code === undefined || codeOr(code, "") !== "") &&
    (permanent === undefined || typeof permanent === "boolean");
  if (!isUsable) {
    const note = `classifyError returned ${describeKind(answer)}, expected { code?, permanent? }`;
    return { ...base, note };
  }
  return {
    code: codeOr(code, base.code),
    permanent: typeof permanent === "boolean" ? permanent : base.permanent,
    note: null,
  };
}

function codeOr(code: unknown, otherwise: string): string {
  return typeof code === "string" && AUTHOR_CODE.test(code) ? code : otherwise;
}

/** One text a person can read; the name only where it says more than "Error". */
function messageOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown === "" ? "an empty string was thrown" : thrown;
  if (!isErrorLike(thrown)) return `${show(thrown)} was thrown, which is not an Error`;
  const name = nameOf(thrown);
  const text = textOf(readProperty(thrown, "message"));
  const message = PLAIN_NAMES.has(name) ? text : joinName(name, text);
  const inner = aggregatedOf(thrown);
  const shown = inner.slice(0, AGGREGATED_MAX).map((error) => oneLine(messageOf(error)));
  const rest = inner.length - shown.length;
  if (shown.length === 0) return message === "" ? `${name} without a message` : message;
  return `${message}: ${shown.join("; ")}${rest > 0 ? ` (and ${rest} more)` : ""}`;
}

const joinName = (name: string, text: string): string => (text === "" ? name : `${name}: ${text}`);

/** The first line of the stack: always with the error's name. */
function headOf(thrown: unknown, message: string): string {
  if (!isErrorLike(thrown)) return message;
  const name = nameOf(thrown);
  return message.startsWith(name) ? message : joinName(name, message);
}

function framesOf(thrown: unknown, bundlePath: string): readonly Frame[] {
  const stack = isErrorLike(thrown) ? readProperty(thrown, "stack") : undefined;
  if (typeof stack !== "string") return [];
  const text = textOf(readProperty(thrown, "message"));
  // The message stands before the frames and may itself hold lines that look like some.
  const start = text === "" ? -1 : stack.indexOf(text);
  const frames = start === -1 ? stack : stack.slice(start + text.length);
  return parseFrames(frames.slice(0, 16 * ERROR_STACK_BYTES_MAX), bundlePath);
}

/** The chain of causes and what an AggregateError holds, shortened; a cycle ends it. */
function causeLines(thrown: unknown, bundlePath: string): readonly string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>([thrown]);
  const queue = innerErrors(thrown);
  for (const error of queue) {
    if (seen.has(error)) continue;
    if (seen.size > CAUSES_MAX) {
      lines.push("caused by: …");
      break;
    }
    seen.add(error);
    lines.push(`caused by: ${oneLine(headOf(error, messageOf(error)))}`);
    const frames = framesOf(error, bundlePath).slice(0, CAUSE_FRAMES_MAX);
    lines.push(...frames.map((frame) => `    ${frame.text}`));
    queue.push(...innerErrors(error));
  }
  return lines;
}

function innerErrors(thrown: unknown): unknown[] {
  if (!isErrorLike(thrown)) return [];
  const cause = readProperty(thrown, "cause");
  return [
    ...(cause === undefined || cause === null ? [] : [cause]),
    ...aggregatedOf(thrown).slice(0, AGGREGATED_MAX),
  ];
}

function aggregatedOf(thrown: unknown): readonly unknown[] {
  const errors = readProperty(thrown, "errors");
  return thrown instanceof AggregateError && Array.isArray(errors) ? errors : [];
}

/** Errors of another realm or a look-alike count: what matters is that there is a message. */
function isErrorLike(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  return thrown instanceof Error || typeof readProperty(thrown, "message") === "string";
}

function nameOf(error: unknown): string {
  const name = readProperty(error, "name");
  return typeof name === "string" && name !== "" ? name.slice(0, 100) : "Error";
}

function textOf(message: unknown): string {
  return typeof message === "string" ? message : message === undefined ? "" : show(message);
}

function show(value: unknown): string {
  try {
    const text = inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY });
    return truncateUtf8(text, 200);
  } catch {
    // A value whose own inspection throws: its kind is all that can be said.
    return typeof value;
  }
}

const oneLine = (text: string): string => truncateUtf8(text.split("\n", 1)[0] ?? "", 300);

/** A property of a value that may be a proxy or have a getter that throws. */
function readProperty(value: unknown, key: string | symbol): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}
