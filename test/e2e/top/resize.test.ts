/** Any size at any time: the picture is whole, has its head and its foot, and no row of it is wrapped. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createRandom } from "../../support/fuzz/random.ts";
import { differingCells } from "../../support/terminal/picture.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { clockTicks, settled } from "./support/walk.ts";

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

test("a storm of a hundred resizes ends in one whole picture", async () => {
  const terminal = await stage.openLive();
  const random = createRandom(3);
  for (let resize = 0; resize < 100; resize++) {
    terminal.resize(30 + random.below(270), 5 + random.below(75));
    // Some come together, some after the picture of the one before.
    if (random.chance(0.2)) await keysDoneOrTiny();
  }
  terminal.resize(80, 24);
  await terminal.waitFor((screen) => /^cc top/.test(screen) && /\?/.test(terminal.row(23)));
  await settled(terminal);
  const before = terminal.cells();
  const position = terminal.raw.byteCount;
  terminal.keys("Ctrl-L");
  await terminal.waitFor(() => terminal.raw.byteCount - position > 800);
  expect(differingCells(before, terminal.cells())).toEqual([]);

  /** On the smallest screens no notice fits. */
  async function keysDoneOrTiny(): Promise<void> {
    const count = terminal.raw.byteCount;
    await terminal.waitFor(() => terminal.raw.byteCount > count);
  }
});

describe("the first picture has its head and its foot", () => {
  for (const [columns, rows] of [
    [60, 15],
    [80, 24],
    [120, 40],
    [200, 60],
    [300, 80],
  ] as const) {
    test(`at ${columns}x${rows}`, async () => {
      const terminal = await stage.openLive({ columns, rows });
      await clockTicks(terminal);
      expect(terminal.row(0)).toMatch(/^cc top.*LIVE.*\d\d:\d\d:\d\d$/);
      expect(terminal.row(rows - 1)).toMatch(/\?/);
      expect(terminal.scrollback()).toEqual([]);
    });
  }

  test("and a screen that is too small says what it needs", async () => {
    const terminal = stage.open({ columns: 30, rows: 7 });
    await terminal.waitFor(/needs 40x8, is 30x7/);
    expect(terminal.screen().trim().split("\n")).toHaveLength(1);
    terminal.resize(80, 24);
    await terminal.waitFor(/LIVE/);
    terminal.resize(39, 24);
    await terminal.waitFor(/needs 40x8, is 39x24/);
    terminal.keys("q");
    expect(await terminal.end()).toEqual({ exitCode: 0, signal: null });
  });
});
