import { expect, test } from "bun:test";
import { createRandom } from "../../../src/runtime/job-module/seeded-random.ts";

const draw = (seed: number, index: number, count: number): number[] => {
  const random = createRandom(seed, index);
  return Array.from({ length: count }, () => random());
};

test("the numbers are those of every release", () => {
  expect(draw(0, 0, 3)).toEqual([0.6100500211836867, 0.3755309400928757, 0.4964330181250294]);
  expect(draw(4294967295, 99_999_999, 3)).toEqual([
    0.671532025157579, 0.40109413322326704, 0.22076441927327428,
  ]);
});

test("numbers lie in [0, 1), evenly, and neighbouring tasks have nothing in common", () => {
  const counts = new Array<number>(16).fill(0);
  const firsts = new Set<number>();
  for (let index = 0; index < 2000; index += 1) {
    const [first = Number.NaN, ...rest] = draw(7, index, 20);
    firsts.add(first);
    for (const value of [first, ...rest]) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      counts[Math.floor(value * 16)] = (counts[Math.floor(value * 16)] ?? 0) + 1;
    }
  }
  expect(firsts.size).toBe(2000);
  for (const count of counts) expect(count).toBeWithin(2300, 2700);
});
