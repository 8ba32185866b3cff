import { describe, expect, test } from "bun:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { createFrames } from "../../../src/tui/ink/frames.ts";
import { createPacer } from "../../../src/tui/ink/pacing.ts";
import { linearLines } from "../../../src/tui/ink/screen-reader.ts";

/** A terminal that takes what is written when the test says so. */
function paced() {
  const clock = createManualClock();
  let isBusy = false;
  let waiting: (() => void)[] = [];
  let drawn = 0;
  const pacer = createPacer({
    clock,
    dataPauseMs: 250,
    output: {
      get isBusy() {
        return isBusy;
      },
      whenIdle: (onIdle) => waiting.push(onIdle),
    },
    draw: () => {
      drawn += 1;
    },
  });
  return {
    clock,
    pacer,
    drawn: () => drawn,
    stall() {
      isBusy = true;
    },
    take() {
      isBusy = false;
      const idle = waiting;
      waiting = [];
      for (const onIdle of idle) onIdle();
    },
    waiting: () => waiting.length,
  };
}

describe("the pace of drawing", () => {
  test("is at once for keys, all of one input together", async () => {
    const { pacer, drawn } = paced();
    for (let key = 0; key < 30; key++) pacer.request("key");
    await Promise.resolve();
    expect(drawn()).toBe(1);
    pacer.request("key");
    await Promise.resolve();
    expect(drawn()).toBe(2);
  });

  test("is four times a second for data, however often it comes", async () => {
    const { pacer, drawn, clock } = paced();
    for (let at = 0; at < 200; at++) {
      pacer.request("data");
      await Promise.resolve();
      clock.advance(50);
    }
    expect(drawn()).toBeGreaterThanOrEqual(39);
    expect(drawn()).toBeLessThanOrEqual(41);
  });

  test("waits for a terminal that has not taken the frame before, and then draws what is so then", async () => {
    const { pacer, drawn, stall, take, clock, waiting } = paced();
    pacer.request("key");
    await Promise.resolve();
    stall();
    for (let at = 0; at < 100; at++) {
      pacer.request("data");
      pacer.request("key");
      await Promise.resolve();
      clock.advance(250);
    }
    expect(drawn()).toBe(1);
    expect(waiting()).toBe(1);
    take();
    expect(drawn()).toBe(2);
  });

  test("stands still while somebody else has the terminal, and for ever after the end", async () => {
    const { pacer, drawn, clock } = paced();
    pacer.pause();
    pacer.request("key");
    await Promise.resolve();
    expect(drawn()).toBe(0);
    pacer.resume();
    await Promise.resolve();
    expect(drawn()).toBe(1);
    pacer.request("data");
    pacer.stop();
    clock.advance(1_000);
    expect(drawn()).toBe(1);
    expect(clock.pendingTimerCount).toBe(0);
  });
});

describe("frames", () => {
  test("are told only when something is different", () => {
    const frames = createFrames({ lines: ["a"], columns: 1 });
    let told = 0;
    frames.subscribe(() => {
      told += 1;
    });
    frames.put({ lines: ["a"], columns: 1 });
    expect(told).toBe(0);
    frames.put({ lines: ["b"], columns: 1 });
    frames.renew();
    frames.put({ lines: ["b"], columns: 1 });
    expect(told).toBe(2);
    expect(frames.current().generation).toBe(1);
  });
});

test("a screen reader gets words: no charts, no lines, no colours, no blank rows", () => {
  const rows = [
    "\u001b[1mcc top\u001b[0m > overview      LIVE",
    "─ [1] JOBS 2 ─────",
    "  17 render  ██████▌░░░ 78%  ⣿⣿⣶⣀",
    "     ",
  ];
  expect(linearLines(rows)).toEqual(["cc top > overview  LIVE", "[1] JOBS 2", "17 render  78%"]);
});
