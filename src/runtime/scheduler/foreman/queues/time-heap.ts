/**
 * Entries ordered by an instant, earliest first. Entries are not removed one by one: whoever takes one
 * looks whether it still means anything, and all that mean nothing any more go in one pass.
 */

export interface TimeHeap<Entry> {
  readonly atMs: number[];
  readonly entries: Entry[];
}

export function createTimeHeap<Entry>(): TimeHeap<Entry> {
  return { atMs: [], entries: [] };
}

/** Infinity when there is none. */
export function earliestAtMs<Entry>(heap: TimeHeap<Entry>): number {
  return heap.atMs[0] ?? Number.POSITIVE_INFINITY;
}

export function pushAt<Entry>(heap: TimeHeap<Entry>, instantMs: number, entry: Entry): void {
  const { atMs, entries } = heap;
  let at = atMs.length;
  atMs.push(instantMs);
  entries.push(entry);
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if ((atMs[parent] as number) <= instantMs) break;
    atMs[at] = atMs[parent] as number;
    entries[at] = entries[parent] as Entry;
    at = parent;
  }
  atMs[at] = instantMs;
  entries[at] = entry;
}

/** Removes and returns the earliest entry if it is due; undefined otherwise. */
export function popDue<Entry>(heap: TimeHeap<Entry>, nowMs: number): Entry | undefined {
  const { atMs, entries } = heap;
  if (atMs.length === 0 || (atMs[0] as number) > nowMs) return undefined;
  const due = entries[0];
  const lastMs = atMs.pop() as number;
  const last = entries.pop() as Entry;
  if (atMs.length > 0) sink(heap, lastMs, last);
  return due;
}

/** Removes all other entries; costs a pass over all of them. */
export function keepOnly<Entry>(heap: TimeHeap<Entry>, isKept: (entry: Entry) => boolean): void {
  const { atMs, entries } = heap;
  const before = { atMs: atMs.splice(0), entries: entries.splice(0) };
  for (const [at, entry] of before.entries.entries()) {
    if (isKept(entry)) pushAt(heap, before.atMs[at] as number, entry);
  }
}

function sink<Entry>({ atMs, entries }: TimeHeap<Entry>, lastMs: number, last: Entry): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= atMs.length) break;
    if (child + 1 < atMs.length && (atMs[child + 1] as number) < (atMs[child] as number)) child++;
    if ((atMs[child] as number) >= lastMs) break;
    atMs[at] = atMs[child] as number;
    entries[at] = entries[child] as Entry;
    at = child;
  }
  atMs[at] = lastMs;
  entries[at] = last;
}
