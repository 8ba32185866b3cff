/**
 * The failures of one job by what they have in common: equal code, place, message (error-groups.ts) and
 * exit code. Bounded whatever fails: beyond so many groups there is one for the rest, and failures that
 * nobody had the time to look into are counted by their code alone. Values come from workers, so nothing
 * in them is trusted, and nothing here throws.
 */
import { decodeCommandOutcome } from "../../protocol/command-outcome.ts";
import { groupKey, placeOf } from "../../protocol/error-groups.ts";
import { type Failure, readFailure, VALUE_FAILURE } from "../../protocol/failure.ts";
import { ERROR_MESSAGE_BYTES_MAX, ERROR_STACK_BYTES_MAX } from "../../protocol/limits.ts";

export const GROUPS_MAX = 100;
const NEWEST_MAX = 8;
export const WORKERS_MAX = 32;
/** Values up to so large are remembered, so that a flood of the same costs a comparison each. */
const ALIKE_BYTES_MAX = 4_096;
const ALIKE_MAX = 4;
const CODE_CHARACTERS_MAX = 64;
const PLACE_CHARACTERS_MAX = 512;
/** What a group takes beside its texts. */
const GROUP_BYTES = 700;

export interface FailureGroup {
  /** Follows from what its failures have in common. */
  readonly groupId: string;
  readonly code: string;
  /** The first such message. */
  readonly message: string;
  readonly place: string | null;
  readonly exitCode: number | null;
  /** false: these were counted by their code alone. */
  readonly isLookedInto: boolean;
  count: number;
  /** The first task that was seen. */
  readonly firstIndex: number;
  /** The newest first. */
  readonly newest: { readonly index: number; readonly atMs: number }[];
  readonly byWorker: Map<string, number>;
  lastAtMs: number;
}

export interface FailureGroups {
  readonly byKey: Map<string, FailureGroup>;
  /** All failures added. */
  count: number;
  lookedInto: number;
  /** About so many bytes of memory. */
  bytes: number;
  readonly alike: { readonly value: Uint8Array; readonly group: FailureGroup }[];
}

export interface FailedTask {
  readonly index: number;
  /** "" when no worker had it. */
  readonly workerId: string;
  readonly atMs: number;
  readonly value: Uint8Array;
}

export const createFailureGroups = (): FailureGroups => ({
  byKey: new Map(),
  count: 0,
  lookedInto: 0,
  bytes: 0,
  alike: [],
});

/** @returns whether the failure had to be decoded. */
export function addFailure(groups: FailureGroups, task: FailedTask, mayDecode: boolean): boolean {
  const known = groups.alike.find(({ value }) => isSame(value, task.value));
  const isDecoded = known === undefined && mayDecode;
  const group = known?.group ?? (isDecoded ? lookInto(groups, task) : byCodeAlone(groups, task));
  groups.count++;
  if (known !== undefined || isDecoded) groups.lookedInto++;
  noteTask(group, task);
  return isDecoded;
}

/** The most first. */
export const groupsByCount = ({ byKey }: FailureGroups): FailureGroup[] =>
  [...byKey.values()].sort((a, b) => b.count - a.count);

function noteTask(group: FailureGroup, { index, workerId, atMs }: FailedTask): void {
  group.count++;
  group.lastAtMs = Math.max(group.lastAtMs, atMs);
  const { newest, byWorker } = group;
  // Read back from the log older ones may come after newer ones.
  let at = newest.length;
  while (at > 0 && (newest[at - 1]?.atMs ?? 0) <= atMs) at--;
  if (at < NEWEST_MAX) newest.splice(at, 0, { index, atMs });
  if (newest.length > NEWEST_MAX) newest.pop();
  const held = byWorker.get(workerId);
  if (workerId === "" || (held === undefined && byWorker.size >= WORKERS_MAX)) return;
  byWorker.set(workerId, (held ?? 0) + 1);
}

function lookInto(groups: FailureGroups, task: FailedTask): FailureGroup {
  const read = readValue(task.value);
  const key = `${groupKey(read.failure)}\n${read.exitCode ?? ""}`;
  const group = findGroup(groups, key, () => ({
    code: read.failure.code,
    message: read.failure.message,
    place: placeOf(read.failure)?.slice(0, PLACE_CHARACTERS_MAX) ?? null,
    exitCode: read.exitCode,
    isLookedInto: true,
    task,
  }));
  if (task.value.byteLength <= ALIKE_BYTES_MAX) {
    groups.alike.unshift({ value: new Uint8Array(task.value), group });
    const dropped = groups.alike.length > ALIKE_MAX ? groups.alike.pop() : undefined;
    groups.bytes += task.value.byteLength - (dropped?.value.byteLength ?? 0);
  }
  return group;
}

function byCodeAlone(groups: FailureGroups, task: FailedTask): FailureGroup {
  const code = codeAtFront(task.value) ?? "error";
  return findGroup(groups, `\u0000${code}`, () => ({
    code,
    message: "Failures that came too fast to be looked into.",
    place: null,
    exitCode: null,
    isLookedInto: false,
    task,
  }));
}

type NewGroup = Pick<FailureGroup, "code" | "message" | "place" | "exitCode" | "isLookedInto"> & {
  readonly task: FailedTask;
};

function findGroup(groups: FailureGroups, key: string, describe: () => NewGroup): FailureGroup {
  const known = groups.byKey.get(key);
  if (known) return known;
  if (groups.byKey.size >= GROUPS_MAX) return otherGroup(groups, describe().task);
  return makeGroup(groups, key, describe());
}

/** Of all that has no group of its own. */
function otherGroup(groups: FailureGroups, task: FailedTask): FailureGroup {
  const key = "\u0000\u0000";
  const made: NewGroup = {
    code: "other",
    message: `Failures of further kinds, beyond the first ${GROUPS_MAX}.`,
    place: null,
    exitCode: null,
    isLookedInto: true,
    task,
  };
  return groups.byKey.get(key) ?? makeGroup(groups, key, made);
}

function makeGroup(groups: FailureGroups, key: string, made: NewGroup): FailureGroup {
  const { task, ...told } = made;
  const group: FailureGroup = {
    ...told,
    groupId: idOf(key),
    count: 0,
    firstIndex: task.index,
    newest: [],
    byWorker: new Map(),
    lastAtMs: 0,
  };
  groups.byKey.set(key, group);
  groups.bytes += GROUP_BYTES + 2 * (key.length + told.message.length);
  return group;
}

/** FNV-1a, twice with different beginnings: the same key has the same name after a restart. */
function idOf(key: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let at = 0; at < key.length; at++) {
    low = Math.imul(low ^ key.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ key.charCodeAt(at), 0x85ebca6b);
  }
  return [low, high].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

interface ReadFailure {
  readonly failure: Failure;
  readonly exitCode: number | null;
}

function readValue(value: Uint8Array): ReadFailure {
  const { failure, commandOutcome } = readFailure(value);
  const { code, message, stack = "" } = failure;
  return {
    failure: {
      code: code.slice(0, CODE_CHARACTERS_MAX) || "error",
      message: message.slice(0, ERROR_MESSAGE_BYTES_MAX),
      stack: stack.slice(0, ERROR_STACK_BYTES_MAX),
    },
    exitCode: commandOutcome === null ? null : exitCodeOf(commandOutcome),
  };
}

/** A worker may send anything. */
function exitCodeOf(commandOutcome: Uint8Array): number | null {
  try {
    return decodeCommandOutcome(commandOutcome).exitCode;
  } catch {
    return null;
  }
}

const FRONT = new TextEncoder().encode('{"code":"');
const QUOTE = 34;
const BACKSLASH = 92;

/** The code as our own workers write it, first of all, without decoding the rest. */
function codeAtFront(value: Uint8Array): string | null {
  const begins = 5 + FRONT.byteLength;
  if (value[0] !== VALUE_FAILURE) return null;
  for (let at = 0; at < FRONT.byteLength; at++) if (value[5 + at] !== FRONT[at]) return null;
  let code = "";
  for (let at = begins; at < begins + CODE_CHARACTERS_MAX; at++) {
    const byte = value[at];
    if (byte === QUOTE) return code === "" ? null : code;
    if (byte === undefined || byte === BACKSLASH || byte < 32 || byte > 126) return null;
    code += String.fromCharCode(byte);
  }
  return null;
}

/** A flood's values often differ in one digit somewhere: byte by byte here would be far slower. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
