/** The small parts: queue patterns, heaps, the generator, wording, input sizes. */
import { expect, test } from "bun:test";
import {
  formatDuration,
  percentText,
  plural,
} from "../../../../src/runtime/scheduler/foreman/explain/wording.ts";
import {
  arrivedAtMs,
  chunkOf,
  createInputSizes,
  meanInputBytes,
  noteInputs,
} from "../../../../src/runtime/scheduler/foreman/jobs/inputs.ts";
import { matchesQueue } from "../../../../src/runtime/scheduler/foreman/placement/queue-pattern.ts";
import {
  createIndexHeap,
  popIndex,
  pushIndex,
} from "../../../../src/runtime/scheduler/foreman/queues/index-heap.ts";
import {
  addTasks,
  createTaskTable,
  trimTasks,
  troubleOf,
} from "../../../../src/runtime/scheduler/foreman/queues/task-table.ts";
import {
  createTimeHeap,
  popDue,
  pushAt,
} from "../../../../src/runtime/scheduler/foreman/queues/time-heap.ts";
import { createRandom, nextRandom } from "../../../../src/runtime/scheduler/foreman/random.ts";

test("queue patterns match any characters with a star and exclude with an exclamation mark", () => {
  for (const [patterns, queue, expected] of [
    [["*"], "math.add", true],
    [["math.*"], "math.add", true],
    [["math.*"], "math.add.fast", true],
    [["math.*"], "mathematics", false],
    [["*.add"], "math.add", true],
    [["m*h.a*d"], "math.add", true],
    [["math.*", "!math.slow"], "math.slow", false],
    [["!math.slow"], "math.add", true],
    [["!math.*"], "math.add", false],
    [["math"], "math.add", false],
    [[], "math.add", false],
  ] as const) {
    expect([patterns, queue, matchesQueue(patterns, queue)]).toEqual([patterns, queue, expected]);
  }
});

test("a pattern of many stars stays quick", () => {
  const began = performance.now();
  expect(matchesQueue([`${"*a".repeat(100)}b`], "a".repeat(200))).toBe(false);
  expect(performance.now() - began).toBeLessThan(50);
});

test("the heaps give the lowest first", () => {
  const random = createRandom(1);
  const values = Array.from({ length: 500 }, () => Math.floor(nextRandom(random) * 1_000));
  const sorted = [...values].sort((a, b) => a - b);
  const indexes = createIndexHeap();
  const times = createTimeHeap<number>();
  for (const value of values) {
    pushIndex(indexes, value);
    pushAt(times, value, value);
  }
  expect(values.map(() => popIndex(indexes))).toEqual(sorted);
  expect(values.map(() => popDue(times, 1_000))).toEqual(sorted);
  pushAt(times, 5, 5);
  expect(popDue(times, 4)).toBeUndefined();
});

test("the generator repeats itself from the same seed and spreads over its range", () => {
  const sample = (seed: number): number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 1_000 }, () => nextRandom(random));
  };
  expect(sample(3)).toEqual(sample(3));
  expect(sample(3)).not.toEqual(sample(4));
  const mean = sample(3).reduce((sum, value) => sum + value, 0) / 1_000;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
});

test("a table of a million tasks takes seven bytes a task", () => {
  const table = createTaskTable(0);
  for (let i = 0; i < 62; i++) addTasks(table, 16_384);
  trimTasks(table);
  const bytes = table.state.byteLength + table.attempt.byteLength + table.seq.byteLength;
  expect(bytes).toBe(7 * 62 * 16_384);
  expect(table.trouble).toBeNull();
  troubleOf(table).failures[5] = 3;
  addTasks(table, 1);
  expect(table.trouble?.failures[5]).toBe(3);
});

test("inputs are known by the chunks in which they came", () => {
  const sizes = createInputSizes();
  const values = { lengths: 3, data: new Uint8Array(6) };
  noteInputs(sizes, { firstIndex: 0, count: 2, values }, 50);
  const lengths = Uint32Array.of(1, 9);
  const further = { lengths, data: new Uint8Array(10) };
  noteInputs(sizes, { firstIndex: 2, count: 2, values: further }, 70);
  expect([1, 2].map((index) => arrivedAtMs(sizes, index))).toEqual([50, 70]);
  expect([0, 1, 2, 3].map((index) => chunkOf(sizes, index))).toEqual([0, 0, 1, 1]);
  expect(sizes.largest).toEqual([3, 9]);
  expect(meanInputBytes(sizes, 4)).toBe(4);
});

test("numbers in sentences", () => {
  expect([plural(1, "task"), plural(9_999, "task")]).toEqual(["1 task", "9,999 tasks"]);
  expect([-5, 850, 12_000, 180_000, 7_200_000].map(formatDuration)).toEqual([
    "0 ms",
    "850 ms",
    "12 s",
    "3 min",
    "2 h",
  ]);
  expect([percentText(0, 0), percentText(2, 3)]).toEqual(["0 %", "66 %"]);
});
