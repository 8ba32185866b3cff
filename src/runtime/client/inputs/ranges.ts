/** Inputs that are counted out rather than read: `--array` and the products of `:::` lists. */
import { usageError } from "../../protocol/error.ts";
import { JOB_TASKS_MAX } from "../../protocol/limits.ts";

/** Values made in one turn. */
const BATCH_COUNT = 4096;

/** `1-1000`, `0-100:5`, `-5-5`, `7`. @throws CcError `bad_range`; exit 2. */
export function parseArray(text: string): {
  readonly first: number;
  readonly step: number;
  readonly count: number;
} {
  const match = /^(-?\d+)(?:-(-?\d+)(?::(\d+))?)?$/.exec(text.trim());
  if (!match) throw badRange(text, "is no range");
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  const step = Number(match[3] ?? 1);
  if (![first, last, step].every(Number.isSafeInteger)) throw badRange(text, "is out of range");
  if (step < 1) throw badRange(text, "has a step below 1");
  if (last < first) throw badRange(text, `goes from ${first} down to ${last}`);
  const count = Math.floor((last - first) / step) + 1;
  if (count > JOB_TASKS_MAX) {
    throw badRange(text, `has ${count} numbers, a job at most ${JOB_TASKS_MAX}`);
  }
  return { first, step, count };
}

export async function* countNumbers(text: string): AsyncGenerator<readonly number[]> {
  const { first, step, count } = parseArray(text);
  for (let done = 0; done < count; done += BATCH_COUNT) {
    const batchCount = Math.min(BATCH_COUNT, count - done);
    yield Array.from({ length: batchCount }, (_, i) => first + (done + i) * step);
  }
}

/** Every combination, the last list varying fastest; of one list its words alone. */
export async function* combine(
  lists: readonly (readonly string[])[],
): AsyncGenerator<readonly (string | readonly string[])[]> {
  const [only] = lists;
  if (lists.length === 1 && only) {
    yield only;
    return;
  }
  const count = lists.reduce((product, list) => product * list.length, 1);
  if (count > JOB_TASKS_MAX) {
    throw usageError(
      "too_many_tasks",
      `::: makes ${count} combinations, a job has at most ${JOB_TASKS_MAX}.`,
    );
  }
  for (let done = 0; done < count; done += BATCH_COUNT) {
    const batchCount = Math.min(BATCH_COUNT, count - done);
    yield Array.from({ length: batchCount }, (_, i) => combinationAt(lists, done + i));
  }
}

function combinationAt(lists: readonly (readonly string[])[], number: number): readonly string[] {
  const words = new Array<string>(lists.length);
  let rest = number;
  for (let i = lists.length - 1; i >= 0; i--) {
    const list = lists[i] as readonly string[];
    words[i] = list[rest % list.length] as string;
    rest = Math.floor(rest / list.length);
  }
  return words;
}

function badRange(text: string, what: string): Error {
  return usageError(
    "bad_range",
    `--array: "${text}" ${what}.`,
    "Write for example 1-1000 or 0-100:5; the first number is the smaller one.",
  );
}
