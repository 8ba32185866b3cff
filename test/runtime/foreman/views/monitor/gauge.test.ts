/** Figures over time that are looked at now and then. */
import { describe, expect, test } from "bun:test";
import { createGauge } from "../../../../../src/runtime/foreman/views/monitor/gauge.ts";

const SHAPES = [
  { stepMs: 1_000, stepCount: 10 },
  { stepMs: 5_000, stepCount: 10 },
];
const newGauge = () => createGauge(SHAPES, 3_000);

describe("a gauge", () => {
  test("knows nothing before the first look, and what it was between two looks", () => {
    const gauge = newGauge();
    gauge.look(2_000, 4);
    gauge.look(4_500, 8);
    expect(gauge.recent(5_000, 1_000, 5)).toEqual([null, null, 4, 4, 8]);
  });

  test("shows the mean of what was seen within a step", () => {
    const gauge = newGauge();
    for (const [atMs, value] of [
      [0, 1],
      [300, 2],
      [900, 6],
    ] as const) {
      gauge.look(atMs, value);
    }
    expect(gauge.recent(1_000, 1_000, 1)).toEqual([3]);
    expect(gauge.recent(5_000, 5_000, 1)).toEqual([3]);
  });

  test("does not know any more what nobody has looked at for long", () => {
    const gauge = newGauge();
    gauge.look(1_000, 7);
    expect(gauge.latest(4_000)).toBe(7);
    expect(gauge.latest(4_001)).toBeNull();
    expect(gauge.recent(7_000, 1_000, 6)).toEqual([7, 7, 7, 7, null, null]);
    gauge.look(7_000, 9);
    expect(gauge.recent(8_000, 1_000, 7)).toEqual([7, null, null, null, null, null, 9]);
  });

  test("forgets what is older than it has room for", () => {
    const gauge = newGauge();
    for (let second = 0; second < 25; second++) gauge.look(second * 1_000, second);
    const known = gauge.recent(25_000, 1_000, 25).filter((value) => value !== null);
    expect(known).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  });

  test("is charted at the finest resolution that reaches so far back", () => {
    const gauge = newGauge();
    for (let second = 0; second < 40; second++) gauge.look(second * 1_000, second);
    const near = gauge.view({ nowMs: 39_500, windowMs: 3_000, backMs: 0 });
    expect(near).toEqual({
      step_seconds: 1,
      until: new Date(40_000).toISOString(),
      values: [37, 38, 39],
    });
    const far = gauge.view({ nowMs: 39_500, windowMs: 20_000, backMs: 10_000 });
    expect(far.step_seconds).toBe(5);
    expect(far.values).toEqual([12, 17, 22, 27]);
  });
});
