/**
 * Names, messages, events and logs that would steer a terminal are only text: nothing reaches the clipboard,
 * the title or a link, no colour leaks, and every row stays where it is, in every place of the monitor.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  attempt,
  errorGroup,
  eventLine,
  jobRow,
  taskRow,
  workerRow,
} from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { textOf } from "../../support/terminal/picture.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { keysDone } from "./support/walk.ts";

const TEXTS = hostileTexts(40, 11).filter((text) => text !== "");
const [EVIL = ""] = TEXTS.filter((text) => text.includes("]52;"));

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
  const { world, logs } = stage.foreman;
  world.jobs = TEXTS.map((name, at) => jobRow({ job_id: at + 1, name, owner: name, queue: name }));
  world.workers = TEXTS.map((text, at) =>
    workerRow({ worker_id: `${text}-${at}`, host: text, reason: text }),
  );
  world.events = TEXTS.map((sentence, at) => eventLine({ seq: at + 1, sentence }));
  const error = { code: EVIL, message: EVIL };
  world.tasks.set(
    17,
    TEXTS.map((text, index) => taskRow({ index, state: "failed", worker: text, error })),
  );
  world.errors.set(
    17,
    TEXTS.map((message, at) =>
      errorGroup({
        group_id: `g${at}`,
        code: message,
        message,
        place: message,
        workers: [message],
      }),
    ),
  );
  world.taskDetails.set("17/0", {
    history: [attempt({ code: EVIL, message: EVIL, stack: TEXTS.join("\n"), worker: EVIL })],
    input_text: TEXTS.join(" "),
    result_text: TEXTS.join(" "),
    stderr_text: TEXTS.join("\n"),
  });
  logs.set(
    "17/0",
    TEXTS.map((text) => ({ text })),
  );
}, SETUP_MS);
afterAll(() => stage?.close());

/** The right edge is drawn where it should be: what stands there last is the clock, in column 1 to the end. */
function expectInert(terminal: TestTerminal): void {
  expect(terminal.emulator.commands).toEqual([]);
  const rows = terminal.cells().map(textOf);
  expect(rows).toHaveLength(terminal.rows);
  expect(terminal.row(0)).toMatch(/^(cc top|\.\.) > .*\d\d:\d\d:\d\d$/);
  expect(terminal.row(0).length).toBe(terminal.columns);
  expect(terminal.row(terminal.rows - 1)).toMatch(/\? all keys|Esc/);
  expect(terminal.scrollback()).toEqual([]);
  const raw = terminal.raw.since(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(raw).not.toMatch(/[\u0080-\u009f\u202a-\u202e\u2066-\u2069\u0007]/);
}

for (const [columns, rows] of [
  [80, 24],
  [160, 50],
] as const) {
  test(`in every place at ${columns}x${rows}`, async () => {
    for (const args of [[], ["17"], ["17/0"], [`${TEXTS[0]}-0`]]) {
      const terminal = await stage.openLive({ args, columns, rows });
      await keysDone(terminal);
      expectInert(terminal);
      for (let page = 0; page < 3; page++) {
        terminal.keys("PgDn");
        await keysDone(terminal);
        expectInert(terminal);
      }
      await stage.closeTerminals();
    }
  });

  test(`in a log at ${columns}x${rows}`, async () => {
    const terminal = await stage.openLive({ args: ["17/0"], columns, rows });
    terminal.keys("l");
    await terminal.waitFor(/log/);
    for (const key of ["g", "w", "t", "PgDn", "Right"]) {
      terminal.keys(key);
      await keysDone(terminal);
      expectInert(terminal);
    }
    await stage.closeTerminals();
  });

  test(`in questions, the palette and a filter at ${columns}x${rows}`, async () => {
    const terminal = await stage.openLive({ columns, rows });
    terminal.keys("c");
    await terminal.waitFor(/Cancel job/);
    expectInert(terminal);
    terminal.keys("n");
    terminal.type("/");
    terminal.paste(EVIL);
    await terminal.waitFor(/red/);
    expectInert(terminal);
    await stage.closeTerminals();
  });
}
