/**
 * Screens of the compiled monitor that were looked at and found right, text and attributes, at the sizes people
 * have. The first row, which tells how fast the foreman answers, is left out. `CC_UPDATE_GOLDENS=1 bun test test/e2e/top/golden.test.ts` writes them anew.
 */
import { afterAll, afterEach, beforeAll, describe, test } from "bun:test";
import { join } from "node:path";
import { expectGolden } from "../../support/terminal/golden.ts";
import { pictureOf } from "../../support/terminal/picture.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openTopStage, SETUP_MS, type TopOptions, type TopStage } from "./support/top-stage.ts";

const FOLDER = join(import.meta.dir, "goldens");

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
  stage.foreman.logs.set("17/48211", [
    { text: "Fra:48211 Mem:2911.20M (Peak 3104.11M) | Time:00:07.11" },
    { text: "WARN tile 44: out of core, spilling", stream: "stderr" },
    { text: "Fra:48211 Mem:3098.42M (Peak 3104.11M) | Time:00:09.10" },
    { text: "Error: killed by the kernel: out of memory", stream: "stderr" },
  ]);
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

interface Screen extends TopOptions {
  readonly name: string;
  /** Keys to get there, each after the picture of the one before. */
  readonly keys?: readonly (readonly [key: string, seen: RegExp])[];
  /** What shows that the picture is whole. */
  readonly seen: RegExp;
}

const SCREENS: readonly Screen[] = [
  { name: "overview-40x8", seen: /render/, columns: 40, rows: 8 },
  { name: "overview-80x24", seen: /job 16 failed/ },
  { name: "overview-120x40", seen: /job 16 failed/, columns: 120, rows: 40 },
  { name: "overview-200x60", seen: /job 16 failed/, columns: 200, rows: 60 },
  { name: "overview-cb", seen: /job 16 failed/, args: ["--theme", "cb"] },
  { name: "overview-no-colour", seen: /job 16 failed/, env: { NO_COLOR: "1" } },
  { name: "overview-ascii", seen: /job 16 failed/, args: ["--ascii"] },
  { name: "job-80x24", seen: /TASKS 204[\s\S]*7813/, args: ["17"] },
  { name: "job-120x40", seen: /TASKS 204[\s\S]*7813/, args: ["17"], columns: 120, rows: 40 },
  { name: "task-80x24", seen: /Fra:48211/, args: ["17/48211"] },
  { name: "worker-80x24", seen: /scene.blend/, args: ["w03"] },
  { name: "worker-120x40", seen: /scene.blend/, args: ["w03"], columns: 120, rows: 40 },
  { name: "log-80x24", seen: /spilling/, args: ["17/48211"], keys: [["l", /spilling/]] },
  { name: "help-80x24", seen: /freeze/, keys: [["?", /freeze/]] },
  { name: "question-80x24", seen: /Cancel job/, keys: [["c", /Cancel job/]] },
  {
    name: "palette-80x24",
    seen: /theme/,
    keys: [
      [":", /Command/],
      ["t", /theme/],
    ],
  },
  {
    name: "filter-80x24",
    seen: /no field/,
    keys: [
      ["/", /filter/],
      ["render", /JOBS 1\/4/],
      [" size:3", /JOBS 0\/4[\s\S]*no field/],
    ],
  },
];

describe("a screen that was found right", () => {
  for (const { name, seen, keys = [], ...options } of SCREENS) {
    test(name, async () => {
      const terminal = stage.open(options);
      await terminal.waitFor(keys.length === 0 ? seen : /LIVE/);
      for (const [key, shown] of keys) await press(terminal, key, shown);
      expectGolden(join(FOLDER, `${name}.txt`), pictureOf(terminal.cells().slice(1)));
    });
  }
});

async function press(terminal: TestTerminal, key: string, shown: RegExp): Promise<void> {
  terminal.type(key);
  await terminal.waitFor(shown);
}
