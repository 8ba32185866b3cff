/**
 * Ten thousand random keys without `y` change nothing at the foreman: nothing is ever done that was not asked
 * and agreed to. A foreman of the tests counts what it is asked for; a real one has its event log.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createRandom, type Random } from "../../support/fuzz/random.ts";
import { stepWorld } from "../../support/monitor/steps.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openRealTop, type RealTop } from "./support/real-top.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { clockTicks, keysDone } from "./support/walk.ts";

const KEYS_AT_A_TIME = 1_000;
const TEST_MS = 60_000;
/** Printable characters without `y`, `Y` and `q`, and everything else that a keyboard has but Ctrl-C and Ctrl-Z. */
const KEYS = [
  ...Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter(
    (key) => !/[yYq]/.test(key),
  ),
  ..."ccrrRppddxx++--uumM",
  ...["Enter", "Enter", "Enter", "Esc", "Esc", "Tab", "Shift-Tab", "Backspace"],
  ...["Up", "Down", "Left", "Right", "PgUp", "PgDn", "Home", "End", "Delete", "F1"],
  ...["Ctrl-A", "Ctrl-D", "Ctrl-E", "Ctrl-K", "Ctrl-L", "Ctrl-U", "Ctrl-W"],
];
/** Whole commands, without a `y` in them. */
const COMMANDS = [":cancel 17\r", ":pause 17\r", ":resume 20\r", ":drain w03\r", ":job 16\r"];

let stage: TopStage;
let real: RealTop;
beforeAll(async () => {
  stage = await openTopStage();
  real = await openRealTop();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(async () => {
  await stage?.close();
  await real?.close();
});

/** Out of whatever lies over the screen; only then is a key without meaning answered. */
async function closeOverlays(terminal: TestTerminal): Promise<void> {
  do {
    terminal.keys("Esc");
    // What is typed while a pager has the terminal is lost, as in any program.
    await clockTicks(terminal);
  } while (/Esc (close|as before|no)$/.test(terminal.row(terminal.rows - 1).trimEnd()));
}

async function pressRandomKeys(
  terminal: TestTerminal,
  random: Random,
  count: number,
  onRound: () => void,
): Promise<void> {
  for (let pressed = 0; pressed < count; pressed += KEYS_AT_A_TIME) {
    for (let key = 0; key < KEYS_AT_A_TIME; key++) terminal.keys(random.pick(KEYS));
    terminal.type(random.pick(COMMANDS));
    onRound();
    await closeOverlays(terminal);
    await keysDone(terminal);
  }
}

test(
  "10,000 random keys without y ask a foreman for nothing but to look",
  async () => {
    const terminal = await stage.openLive({ columns: 100, rows: 30, env: { PAGER: "true" } });
    const random = createRandom(4);
    await pressRandomKeys(terminal, random, 10_000, () => {
      stepWorld(stage.foreman.world, random);
      stage.foreman.push();
    });
    expect(stage.foreman.changes).toEqual([]);
    expect(stage.foreman.countOf("subscribe")).toBeGreaterThan(20);
  },
  TEST_MS,
);

test(
  "2,000 of them leave no trace in a real foreman's event log",
  async () => {
    const gate = real.gate("held");
    const job = await real.submit(["--", "sh", "-c", 'read _ < "$1.go"', "sh", gate.path]);
    await real.worker("w03");
    const bad = await real.submit(["--", "false"]);
    await real.cc(["wait", bad]);
    const before = await real.json(["events"]);
    const terminal = await real.openLive();
    await pressRandomKeys(terminal, createRandom(5), 2_000, () => {});
    expect(await real.json(["events"])).toEqual(before);
    expect((await real.json(["jobs", job]))[0]).toMatchObject({ state: "running", priority: 0 });
    await gate.open();
  },
  TEST_MS,
);
