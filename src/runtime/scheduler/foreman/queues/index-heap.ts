/**
 * Task indexes with the lowest first, four bytes each. An index may be in it twice or be out of date;
 * whoever takes one looks at the task's state.
 */

export interface IndexHeap {
  count: number;
  entries: Uint32Array;
}

const CAPACITY_MIN = 16;

export function createIndexHeap(): IndexHeap {
  return { count: 0, entries: new Uint32Array(0) };
}

export function pushIndex(heap: IndexHeap, index: number): void {
  if (heap.count === heap.entries.length) {
    const wider = new Uint32Array(Math.max(CAPACITY_MIN, heap.count * 2));
    wider.set(heap.entries);
    heap.entries = wider;
  }
  const { entries } = heap;
  let at = heap.count++;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if ((entries[parent] as number) <= index) break;
    entries[at] = entries[parent] as number;
    at = parent;
  }
  entries[at] = index;
}

/** Removes the lowest index; only called while `count` is above 0. */
export function popIndex(heap: IndexHeap): number {
  const { entries } = heap;
  const lowest = entries[0] as number;
  const last = entries[--heap.count] as number;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.count) break;
    if (child + 1 < heap.count && (entries[child + 1] as number) < (entries[child] as number)) {
      child++;
    }
    if ((entries[child] as number) >= last) break;
    entries[at] = entries[child] as number;
    at = child;
  }
  entries[at] = last;
  if (heap.count === 0) heap.entries = new Uint32Array(0);
  return lowest;
}

export function clearIndexes(heap: IndexHeap): void {
  heap.count = 0;
  heap.entries = new Uint32Array(0);
}
