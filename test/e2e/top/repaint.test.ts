/**
 * What is drawn piece by piece is what would be drawn anew: after random changes, keys and resizes the
 * screen's cells are kept, Ctrl-L paints everything afresh, and no cell may differ. Finds every fault of
 * incremental drawing, of widths and of ghosts. `npm test -- test/e2e/top/repaint --long` takes 1,000 steps a size.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LONG } from "../../faults/support/long.ts";
import { createRandom, type Random } from "../../support/fuzz/random.ts";
import { stepWorld } from "../../support/monitor/steps.ts";
import type { Cell } from "../../support/terminal/emulator.ts";
import { differingCells, textOf } from "../../support/terminal/picture.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { clockTicks, settled } from "./support/walk.ts";

const STEPS = LONG ? 1_000 : 40;
/** Between two comparisons, which take a second or two. */
const STEPS_A_ROUND = LONG ? 20 : 10;
const SIZES = [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
  [300, 80],
] as const;
/** Everything but leaving, suspending, agreeing and waiting for a program. */
const KEYS = [
  ..."jkgGjkjk123sSmMzfawote<>[]Tlh/&:?crRxpd+-LWn",
  ...["Down", "Up", "PgDn", "PgUp", "Left", "Right", "Tab", "Shift-Tab", "Home", "End"],
  ...["Enter", "Enter", "Enter", "Esc", "Esc", "Ctrl-D", "Ctrl-U", "Backspace"],
];

let stages: readonly TopStage[] = [];
beforeAll(async () => {
  stages = await Promise.all(SIZES.map(() => openTopStage()));
}, SETUP_MS);
afterAll(async () => {
  await Promise.all(stages.map((stage) => stage.close()));
});

describe.concurrent(`after ${STEPS} random steps a repaint changes no cell`, () => {
  SIZES.forEach(([columns, rows], at) => {
    test(`at ${columns}x${rows}`, async () => {
      const stage = stages[at] as TopStage;
      const terminal = await stage.openLive({ columns, rows });
      const random = createRandom(columns);
      for (let step = 0; step < STEPS; step += STEPS_A_ROUND) {
        for (let of = 0; of < STEPS_A_ROUND; of++) takeStep(stage, terminal, random);
        terminal.resize(columns, rows);
        await expectSameAfterRepaint(terminal, `steps ${step} to ${step + STEPS_A_ROUND}`);
      }
    });
  });
});

function takeStep({ foreman }: TopStage, terminal: TestTerminal, random: Random): void {
  stepWorld(foreman.world, random);
  foreman.push();
  const count = random.below(4);
  for (let key = 0; key < count; key++) terminal.keys(random.pick(KEYS));
  if (random.chance(0.15)) terminal.resize(60 + random.below(200), 15 + random.below(60));
}

async function expectSameAfterRepaint(terminal: TestTerminal, when: string): Promise<void> {
  // Whatever lies over the screen goes. An Esc together with the next key would be another key.
  terminal.keys("Esc");
  await clockTicks(terminal);
  await settled(terminal);
  await clockTicks(terminal);
  const before = terminal.cells();
  const position = terminal.raw.byteCount;
  terminal.keys("Ctrl-L");
  const wholeScreen = terminal.rows * 10;
  await terminal.waitFor(() => terminal.raw.byteCount - position > wholeScreen);
  const after = terminal.cells();
  // The head's right half tells the time, how fast the foreman answers and how much comes: it may go on.
  expect({ when, differing: differingCells(before.slice(1), after.slice(1)) }).toEqual({
    when,
    differing: [],
  });
  expect({ when, head: breadcrumb(after) }).toEqual({ when, head: breadcrumb(before) });
}

const breadcrumb = ([head = []]: readonly (readonly Cell[])[]): string =>
  textOf(head).split(/ {2,}/)[0] ?? "";
