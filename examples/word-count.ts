/**
 * Counts words: one task per file, and a table of the most frequent words over all of them.
 *
 *   cc submit examples/word-count.ts -- /usr/share/common-licenses/*
 *
 * prints twenty lines such as `   9,876  the`. The workers read the files, so they must see them
 * under the same path.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type JobOptions, PermanentError } from "crowdcompute";

export const options = { name: "word-count", queue: "text.words" } satisfies JobOptions;

const TABLE_ROWS = 20;

/** Workers run in folders of their own, so relative paths are resolved here, where they were typed. */
export function inputs(paths: string[]): string[] {
  if (paths.length === 0)
    throw new Error("no files given; write: cc submit word-count.ts -- FILE…");
  return paths.map((path) => resolve(path));
}

/** Map: the words of one file and how often each occurs. */
export default async function countWords(path: string): Promise<Map<string, number>> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    // A missing file stays missing: there is no sense in a retry, whatever --retries says.
    throw new PermanentError(`cannot read ${path}`, { code: "unreadable_file", cause });
  });
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/\p{Letter}+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

const totals = new Map<string, number>();

/** Reduce: adds one file's counts. The last table it returns is what is printed. */
export function reduce(_table: string, counts: Map<string, number>): string {
  for (const [word, count] of counts) totals.set(word, (totals.get(word) ?? 0) + count);
  return mostFrequent(totals, TABLE_ROWS)
    .map(([word, count]) => `${count.toLocaleString("en-US").padStart(8)}  ${word}`)
    .join("\n");
}
export const initial = "";

/** The `rowCount` largest counts; equal ones in alphabetical order. */
function mostFrequent(counts: Map<string, number>, rowCount: number): [string, number][] {
  return [...counts]
    .sort(([left, leftCount], [right, rightCount]) => {
      if (leftCount !== rightCount) return rightCount - leftCount;
      return left < right ? -1 : 1;
    })
    .slice(0, rowCount);
}
