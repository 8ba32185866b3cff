/**
 * How an event is written down: its kind and fields as the table of kinds has them, short and bounded.
 * The foreman's shell records what only it knows through the same function.
 */
import type { EventBody, EventKind } from "../../protocol/event-kinds.ts";
import type { JobId, WorkerId } from "../../protocol/ids.ts";
import type { EventFacts } from "./changes.ts";

/** `[first, last]` pairs that an event names at most. */
const RANGES_MAX = 16;
const CODES_MAX = 8;
/** Words of others in an event: reasons, names. */
const TEXT_LENGTH_MAX = 1_000;

export interface EventAbout<Kind extends EventKind> {
  readonly jobId?: JobId;
  /** Only where exactly one task is meant. */
  readonly index?: number;
  readonly workerId?: WorkerId;
  readonly body: EventBody<Kind>;
}

export function eventFacts<Kind extends EventKind>(
  atMs: number,
  kind: Kind,
  about: EventAbout<Kind>,
): EventFacts {
  return {
    atMs,
    kind,
    jobId: about.jobId ?? null,
    index: about.index ?? null,
    workerId: about.workerId ?? null,
    body: JSON.stringify(about.body, (_key, value: unknown) =>
      typeof value === "string" ? value.slice(0, TEXT_LENGTH_MAX) : value,
    ),
  };
}

export interface NamedTasks {
  readonly count: number;
  readonly tasks: readonly (readonly [number, number])[];
  readonly tasks_left_out?: number;
}

/** The tasks of a batch as an event names them. */
export function nameTasks(indexes: ArrayLike<number>): NamedTasks {
  const count = indexes.length;
  const sorted = isAscending(indexes) ? indexes : Uint32Array.from(indexes).sort();
  const tasks: [number, number][] = [];
  let covered = 0;
  for (; covered < count; covered++) {
    const index = sorted[covered] as number;
    const last = tasks.at(-1);
    if (last && index <= last[1] + 1) last[1] = index;
    else if (tasks.length < RANGES_MAX) tasks.push([index, index]);
    else break;
  }
  return covered === count ? { count, tasks } : { count, tasks, tasks_left_out: count - covered };
}

/** As nearly all are: a copy of a million tasks is saved. */
function isAscending(indexes: ArrayLike<number>): boolean {
  for (let at = 1; at < indexes.length; at++) {
    if ((indexes[at - 1] as number) > (indexes[at] as number)) return false;
  }
  return true;
}

/** The index where an event is about exactly one task. */
export function onlyTask(indexes: ArrayLike<number>): { readonly index?: number } {
  const [index] = Array.from({ length: Math.min(1, indexes.length) }, (_, at) => indexes[at]);
  return indexes.length === 1 && index !== undefined ? { index } : {};
}

/** How many rows failed by each code, the first few codes by name. */
export function countCodes(codes: Iterable<string>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const code of codes) {
    const name = counts.has(code) || counts.size < CODES_MAX ? code : "other";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
