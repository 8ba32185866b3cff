import { describe, expect, test } from "bun:test";
import { createManualClock, systemClock } from "../../../src/runtime/platform/clock.ts";

describe("a manual clock", () => {
  test("fires what became due, in order of time and then of creation", () => {
    const clock = createManualClock(1_000);
    const fired: string[] = [];
    clock.setTimer(20, () => fired.push("b"));
    clock.setTimer(10, () => fired.push("a"));
    clock.setTimer(20, () => fired.push("c"));
    clock.setTimer(30, () => fired.push("later"));
    clock.advance(20);
    expect(fired).toEqual(["a", "b", "c"]);
    expect([clock.nowMs(), clock.monotonicMs(), clock.pendingTimerCount]).toEqual([1_020, 20, 1]);
  });

  test("fires timers that timers set, at the time that was due", () => {
    const clock = createManualClock();
    const times: number[] = [];
    const again = (): void => {
      times.push(clock.monotonicMs());
      if (times.length < 3) clock.setTimer(10, again);
    };
    clock.setTimer(10, again);
    clock.advance(100);
    expect(times).toEqual([10, 20, 30]);
  });

  test("fires nothing that was cancelled", () => {
    const clock = createManualClock();
    const timer = clock.setTimer(1, () => expect.unreachable());
    timer.cancel();
    timer.cancel();
    clock.advance(10);
  });

  test("moves wall time alone when it jumps", () => {
    const clock = createManualClock(1_000);
    clock.setTimer(10, () => expect.unreachable());
    clock.jumpWall(-86_400_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000 - 86_400_000, 0]);
  });
});

test("the system's clock takes waits longer than the runtime's timers can hold", async () => {
  const timer = systemClock.setTimer(2 ** 40, () => expect.unreachable(), { holdsProcess: false });
  await new Promise<void>((resolve) => systemClock.setTimer(-1, resolve));
  timer.cancel();
  expect(systemClock.monotonicMs()).toBeGreaterThan(0);
});
