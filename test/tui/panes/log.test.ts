/** A log's screen: what stands before the text, what is marked, and what is said when there is nothing. */
import { describe, expect, test } from "bun:test";
import type { LogModel } from "../../../src/tui/model/screen-model.ts";
import type { LogState } from "../../../src/tui/navigation/view-state.ts";
import { header } from "../../../src/tui/panes/frame/header.ts";
import { renderLog } from "../../../src/tui/panes/log/log.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import { stripSgr } from "../../../src/tui/text/cells.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { taskMonitorView } from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { logLine, logModel, renderLines } from "../../support/monitor/logs.ts";
import { asShown, bodyOf, EACH_LOOK, expectEveryLook, rowFaults, THEMES } from "../pane-rows.ts";
import { screenOf } from "../screen-of.ts";

const OF_TASK = { kind: "log", jobId: 17, index: 48_211, attempt: 2 } as const;
const OF_JOB = { kind: "log", jobId: 17, index: null, attempt: null } as const;
const SIZE: Size = { width: 80, height: 12 };

interface Drawing {
  readonly log?: LogModel | null;
  readonly state?: Partial<LogState>;
  readonly place?: typeof OF_TASK | typeof OF_JOB;
}

function draw(
  { log = logModel(), state = { follows: false }, place = OF_TASK }: Drawing = {},
  size = SIZE,
  theme: Theme = THEMES.mono,
): string[] {
  return asShown(renderLog(screenOf(place, size, { log, logState: state }), size, theme), theme);
}

const texts = (rows: readonly string[]): string[] => rows.map((row) => stripSgr(row).trimEnd());

const PAUSED: Drawing = {
  log: logModel({ newLines: 312, hits: 1, hitRow: 2, matchingLines: 1_204 }),
  state: { follows: false, filter: "mem", search: "2911" },
};

describe("a log's screen", () => {
  test("has the right form at every size and in every look", () => {
    for (const [look, screen, theme] of EACH_LOOK) {
      const room = bodyOf(screen);
      expect([look, ...rowFaults(draw(PAUSED, room, theme), room, theme)]).toEqual([look]);
    }
  });

  test("looks as it was found right", () => {
    expectEveryLook("log", (screen, theme) => draw(PAUSED, bodyOf(screen), theme));
  });

  test("says when, to which stream, and in the last row how far it is", () => {
    const rows = texts(draw({ log: logModel({ newLines: 312 }) }));
    expect(rows[0]).toBe("14:22:01.000  o Fra:48211 Mem:2911.20M (Peak 3104.11M) | Time:00:07.11");
    expect(rows[2]).toStartWith("14:22:02.554  E WARN tile 44");
    expect(rows.at(-1)).toBe(" PAUSED at 14:22:01  +312 new  2.0M  121K dropped");
  });

  test("tells the line's number where everything above is known, else its time", () => {
    const known = { atStart: true, linesAbove: 4_811 };
    const last = (log: LogModel, state: Partial<LogState> = {}) =>
      texts(draw({ log, state: { follows: false, ...state } })).at(-1);
    expect(last(logModel(known))).toStartWith(" PAUSED at line 4,812  ");
    expect(last(logModel({ ...known, atStart: false }))).toStartWith(" PAUSED at 14:22:01  ");
    expect(last(logModel(known), { filter: "mem" })).toStartWith(" PAUSED at 14:22:01  ");
  });

  test("a gap says how much is missing there, and stays when the text is scrolled", () => {
    expect(texts(draw())[3]).toBe("14:22:03.331  ~ … 121K dropped here");
    expect(texts(draw({ state: { follows: false, left: 40 } }))[3]).toContain("121K dropped here");
  });

  test("scrolled to the side keeps the marks where they are", () => {
    const rows = texts(draw({ state: { follows: false, left: 44 } }));
    expect(rows[0]).toBe("14:22:01.000  o e:00:07.11");
    expect(rows.at(-1)).toContain("from column 45");
  });

  test("wrapped shows the end of a long line in further rows", () => {
    const rows = texts(draw({ state: { follows: false, wraps: true } }));
    expect(rows[3]).toBe("                le-44/level-3/part-000017.bin");
  });

  test("following and wrapped the last line is seen whole", () => {
    const lines = [...renderLines(), logLine({ text: "x".repeat(200) })];
    const size = { width: 80, height: 5 };
    const rows = texts(
      draw({ log: logModel({ lines }), state: { follows: true, wraps: true } }, size),
    );
    expect(rows.slice(0, 4).join("").replaceAll(" ", "")).toEndWith("x".repeat(200));
    expect(rows[4]).toBe(" FOLLOWING  wrapped  2.0M  121K dropped");
  });

  test("colours of the program are forgotten and what could steer the terminal is inert", () => {
    expect(texts(draw())[4]).toBe("14:22:04.108  l red     tab 日本語 ?]52;c;ZXZpbA==? end");
  });

  test("marks what was searched for, and what was filtered for more quietly", () => {
    const [first = ""] = draw(PAUSED);
    const sgr = (code: number) => `${String.fromCharCode(27)}[${code}m`;
    expect(first).toContain(`${sgr(7)}2911${sgr(0)}`);
    expect(first).toContain(`${sgr(1)}Mem${sgr(0)}`);
    expect(texts(draw(PAUSED))[2]).toContain(">E WARN");
  });

  test("of several tasks says whose each line is, and of several attempts which", () => {
    const lines = renderLines().map((line, at) => ({
      ...line,
      index: at * 37,
      attempt: 1 + (at % 2),
    }));
    const rows = texts(draw({ log: logModel({ lines }), place: OF_JOB }));
    expect(rows[0]).toStartWith("14:22:01.000    #0 try 1 o Fra");
    expect(rows[4]).toStartWith("14:22:04.108  #148 try 1 l red");
  });

  test.each([
    [null, {}, "loading the log"],
    [{ isLoading: true }, {}, "loading the log"],
    [{ heldLines: 0 }, {}, "nothing has been printed yet"],
    [{ heldLines: 0, isFinished: true }, {}, "nothing was printed"],
    [{ heldLines: 0, isFinished: true }, { streams: "stderr" }, "nothing was printed to stderr"],
    [{}, { filter: "abc" }, "no line has the words of the filter; Esc clears it"],
    [
      {
        error: {
          code: "x",
          message: "No log is kept of job 17.",
          hint: "cc logs 17",
          retryable: false,
        },
      },
      {},
      "No log is kept of job 17.",
    ],
  ] as const)("without lines (%j, %j) says: %s", (model, state, sentence) => {
    const log =
      model === null ? null : logModel({ lines: [], totalBytes: 0, droppedBytes: 0, ...model });
    expect(texts(draw({ log, state: { follows: true, ...state } }))[1]).toBe(`   ${sentence}`);
  });

  test("an error while there are lines is told below them", () => {
    const error = { code: "x", message: "The foreman is busy.", hint: null, retryable: true };
    expect(texts(draw({ log: logModel({ error }) })).at(-1)).toBe(" The foreman is busy.");
  });

  test("a line of a megabyte costs what is shown of it", () => {
    const lines = Array.from({ length: 12 }, () => logLine({ text: "\u0301é日".repeat(400_000) }));
    for (const state of [{ wraps: true }, { left: 30 }, { follows: true, wraps: true }]) {
      const rows = draw({ log: logModel({ lines }), state: { follows: false, ...state } });
      expect(rowFaults(rows, SIZE, THEMES.mono)).toEqual([]);
    }
  });

  test("keeps its form whatever was printed", () => {
    const random = createRandom(7);
    const words = hostileTexts(80);
    for (let round = 0; round < 80; round++) {
      const [, screen, theme] = random.pick(EACH_LOOK);
      const room = bodyOf(screen);
      const lines = Array.from({ length: random.below(room.height + 2) }, () =>
        logLine({
          text: random.pick(words),
          stream: random.pick(["stdout", "stderr", "log", "gap"]),
          index: random.below(1e9),
          attempt: random.below(3),
          atMs: random.pick([0, Number.NaN, 1e15]),
        }),
      );
      const state = {
        follows: random.chance(0.5),
        wraps: random.chance(0.5),
        left: random.pick([0, 1, 7, 100]),
        filter: random.pick(words),
        search: random.pick(words),
      };
      const place = random.pick([OF_TASK, OF_JOB]);
      const rows = draw({ log: logModel({ lines }), state, place }, room, theme);
      expect(rowFaults(rows, room, theme)).toEqual([]);
    }
  });
});

describe("a log's header", () => {
  const first = (streams: LogState["streams"] = "both", attempt: number | null = null): string => {
    const body = taskMonitorView({ state: "failed", attempts: 2, worker: "w03" });
    const place = { ...OF_TASK, attempt };
    const size = { width: 140, height: 22 };
    const looking = {
      shown: { kind: "task", body },
      log: logModel(),
      logState: { streams },
    } as const;
    return texts([header(screenOf(place, size, looking), 140, THEMES.mono)])[0] ?? "";
  };

  test("says how the task stands, which attempt it is of, and where that ran", () => {
    expect(first()).toMatch(/> log .*F failed {2}attempt 2\/2 {2}w03 {2}stdout\+stderr {2}LIVE/);
    expect(first("stderr", 1)).toMatch(/F failed {2}attempt 1\/2 {2}w03 {2}stderr only/);
  });
});
