/**
 * What is written to the terminal, byte by byte: whole frames, never a cleared screen, little for little
 * news, next to nothing when there is none, and never more than a slow line takes.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createRandom } from "../../support/fuzz/random.ts";
import { stepWorld } from "../../support/monitor/steps.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { clockTicks, keysDone } from "./support/walk.ts";

const ESC = "\u001b";
const countOf = (text: string, part: string): number => text.split(part).length - 1;

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

function residentMib(terminal: TestTerminal): number {
  const pages = Number(readFileSync(`/proc/${terminal.pid}/statm`, "utf8").split(" ")[1]);
  return (pages * 4096) / 1024 ** 2;
}

describe("the stream of bytes", () => {
  test("has whole frames only and clears no screen after the first one", async () => {
    const terminal = await stage.openLive({ columns: 120, rows: 40 });
    await keysDone(terminal);
    const position = terminal.raw.byteCount;
    const random = createRandom(6);
    for (let round = 0; round < 5; round++) {
      stepWorld(stage.foreman.world, random);
      stage.foreman.push();
      terminal.keys("j", "Tab", "s");
      await keysDone(terminal);
    }
    terminal.keys("q");
    await terminal.end();
    const all = terminal.raw.since(0);
    // One more end than beginnings: leaving makes sure that no update stays open.
    expect(countOf(all, `${ESC}[?2026l`)).toBe(countOf(all, `${ESC}[?2026h`) + 1);
    expect(countOf(all, `${ESC}[?2026h`)).toBeGreaterThan(5);
    const later = terminal.raw.since(position);
    expect([`${ESC}[2J`, `${ESC}[3J`].filter((clear) => later.includes(clear))).toEqual([]);
    // Nothing may scroll the screen: a frame never has more rows than it.
    expect(terminal.emulator.commands).toEqual([]);
  });

  test("is a clock's few bytes a second while nothing changes", async () => {
    const terminal = await stage.openLive({ columns: 120, rows: 40 });
    await clockTicks(terminal, 2);
    const position = terminal.raw.byteCount;
    await clockTicks(terminal, 3);
    const written = terminal.raw.since(position);
    expect(written.length).toBeLessThan(4 * 300);
    // The clock's row and no other is written.
    expect(written.replaceAll(/[^⠀-⣿█▇▆▅▄▃▂▁─]/g, "")).toBe("");
  });

  test("holds within a budget while everything changes as fast as it may", async () => {
    const terminal = await stage.openLive({ columns: 120, rows: 40 });
    await clockTicks(terminal);
    const random = createRandom(8);
    const startedAtMs = performance.now();
    const position = terminal.raw.byteCount;
    const pushing = setInterval(() => {
      stepWorld(stage.foreman.world, random);
      stage.foreman.push();
    }, 20);
    await clockTicks(terminal, 4);
    clearInterval(pushing);
    const seconds = (performance.now() - startedAtMs) / 1000;
    expect((terminal.raw.byteCount - position) / seconds).toBeLessThan(60_000);
  });
});

test("a slow line neither fills memory nor leaves an old picture behind", async () => {
  const terminal = await stage.openLive({ columns: 120, rows: 40 });
  await keysDone(terminal);
  const random = createRandom(9);
  const before = residentMib(terminal);
  terminal.throttle(10_000);
  const position = terminal.raw.byteCount;
  const pushing = setInterval(() => {
    stepWorld(stage.foreman.world, random);
    stage.foreman.push();
  }, 20);
  await terminal.waitFor(() => terminal.raw.byteCount - position > 60_000, 30_000);
  clearInterval(pushing);
  expect(residentMib(terminal) - before).toBeLessThan(40);
  stage.foreman.world.overview = {
    ...stage.foreman.world.overview,
    rate: { now: 4242, average: 1, peak: 2 },
  };
  stage.foreman.push();
  terminal.throttle(null);
  await terminal.waitFor(/4\.24k/, 3_000);
  await keysDone(terminal);
}, 60_000);
