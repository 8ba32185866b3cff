/** Each widget in exact cells, whatever it is given. */
import { describe, expect, test } from "bun:test";
import { createView } from "../../../src/tui/navigation/initial-view.ts";
import { inert } from "../../../src/tui/text/cells.ts";
import { wrapWords } from "../../../src/tui/text/wrap.ts";
import { createTheme } from "../../../src/tui/theme/themes.ts";
import { bar } from "../../../src/tui/widgets/bar.ts";
import { chart, scaledChart, timeAxis } from "../../../src/tui/widgets/chart.ts";
import { box, centred, dimRows, drawOver, sideBySide } from "../../../src/tui/widgets/compose.ts";
import { laneRow, restOfLanes } from "../../../src/tui/widgets/lanes.ts";
import {
  listStateOf,
  pageRows,
  positionText,
  shownRows,
} from "../../../src/tui/widgets/list-window.ts";
import { ruleTitle } from "../../../src/tui/widgets/rule.ts";
import { levelOf, resample, roundedScale } from "../../../src/tui/widgets/series.ts";
import {
  fitRows,
  fittingPieces,
  paintEnds,
  paintRow,
  paintRowAs,
  piece,
  plain,
  type Span,
  span,
} from "../../../src/tui/widgets/spans.ts";
import { sparkline } from "../../../src/tui/widgets/sparkline.ts";
import { taskGrid } from "../../../src/tui/widgets/task-grid.ts";
import { textField } from "../../../src/tui/widgets/text-field.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { grid, windowOf } from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { rowFaults, THEMES } from "../pane-rows.ts";

const { mono, ascii, ansi16 } = THEMES;
const block = createTheme({ name: "mono", ascii: false, graph: "block", depth: "16" });
const textOf = (spans: Span | readonly Span[]): string =>
  "text" in spans ? spans.text : spans.map(({ text }) => text).join("");
const bare = (row: string) => Bun.stripANSI(row);

describe("a bar", () => {
  test.each([
    [0, "░░░░░░░░░░"],
    [1, "██████████"],
    [0.5, "█████░░░░░"],
    [0.55, "█████▌░░░░"],
    [0.9999, "█████████▉"],
    [0.0001, "▏░░░░░░░░░"],
    [Number.NaN, "░░░░░░░░░░"],
    [7, "██████████"],
    [-1, "░░░░░░░░░░"],
  ])("of %p is %s", (share, expected) => {
    expect(textOf(bar(share, 10, "running", mono))).toBe(expected);
  });

  test("in ASCII is full only when all is done and empty only when nothing is", () => {
    const drawn = [0, 0.001, 0.5, 0.999, 1].map((share) => textOf(bar(share, 5, "running", ascii)));
    expect(drawn).toEqual([".....", "#....", "###..", "####.", "#####"]);
  });
});

describe("a chart", () => {
  test("has the newest at the right, zero as a line and the unknown blank", () => {
    const values = [null, null, 0, 0, 1, 2, 3, 4];
    const drawn = (theme: typeof mono) =>
      chart(values, { width: theme.graph === "braille" ? 4 : 8, height: 2, scale: 4 }, theme).map(
        textOf,
      );
    expect(drawn(mono)).toEqual(["   ⣼", " ⣀⣼⣿"]);
    expect(drawn(block)).toEqual(["      ▄█", "  ▁▁▄███"]);
    expect(drawn(ascii)).toEqual(["      :#", "  __:###"]);
  });

  test("in braille has two columns and four dots a cell", () => {
    expect(chart([1, 2, 3, 4], { width: 2, height: 1, scale: 4 }, mono).map(textOf)).toEqual([
      "⣠⣾",
    ]);
    expect(chart([8, 0], { width: 1, height: 2, scale: 8 }, mono).map(textOf)).toEqual(["⡇", "⣇"]);
    expect(chart([null, 4], { width: 1, height: 1, scale: 4 }, mono).map(textOf)).toEqual(["⢸"]);
  });

  test("has a round scale that holds the largest", () => {
    expect([0, 0.25, 7, 2010, 1840, 1e9, Number.NaN].map(roundedScale)).toEqual([
      1, 0.25, 8, 2500, 2000, 1e9, 1,
    ]);
    const rows = scaledChart([2000], { width: 20, height: 4 }, mono).map(textOf);
    expect(rows.map((row) => row.slice(0, 5))).toEqual(["  2k ", "     ", "  1k ", "   0 "]);
  });

  test("never invents a value, and shows the smallest one", () => {
    expect(resample([1, null, 3, 5], 2)).toEqual([1, 4]);
    expect(resample([1, 2], 4)).toEqual([1, 1, 2, 2]);
    expect(resample([], 3)).toEqual([null, null, null]);
    expect(resample([Number.NaN, 2], 1)).toEqual([2]);
    expect([levelOf(0, 9, 8), levelOf(0.001, 9, 8), levelOf(99, 9, 8), levelOf(1, 0, 8)]).toEqual([
      0, 1, 8, 0,
    ]);
  });

  test("labels its time", () => {
    expect(textOf(timeAxis(20, ["-2m", "-1m", "now"]))).toBe("-2m      -1m     now");
    expect(textOf(timeAxis(8, ["-2m", "-1m", "now"]))).toBe("-2m  now");
    expect(textOf(timeAxis(3, ["-2m", "-1m", "now"]))).toBe("   ");
  });
});

test("a sparkline grows from the right and stretches where that is asked", () => {
  expect(textOf(sparkline([0, 4, 8], 5, mono))).toBe("  ▁▅█");
  expect(textOf(sparkline([0, 8], 4, mono, { stretches: true }))).toBe("▁▁██");
  expect(textOf(sparkline([0, null, 8], 3, ascii))).toBe("_ #");
});

test("a grid has a letter for what went wrong and a level for what is settled", () => {
  const small = { cell_tasks: 9, marks: "..FRXY..", done: "99900059" };
  expect(taskGrid(small, { width: 4, height: 3 }, mono).map(bare)).toEqual([
    "██F▒",
    "XY▅█",
    "    ",
  ]);
  expect(taskGrid(small, { width: 8, height: 1 }, ascii).map(bare)).toEqual(["##FRXY:#"]);
  const rows = taskGrid(grid(), { width: 78, height: 3 }, ansi16);
  expect(rowFaults(rows, { width: 78, height: 3 }, ansi16)).toEqual([]);
});

test("a lane ends now, and slots without a lane of their own share one", () => {
  const lane = { slot: 3, lane: "aab..!" };
  expect(textOf(laneRow(lane, 14))).toBe("  3     aab  !");
  expect(textOf(laneRow(lane, 8))).toBe("  3 b  !");
  const rest = textOf(
    restOfLanes(
      [
        { slot: 4, lane: "aa.." },
        { slot: 5, lane: "a..." },
      ],
      24,
      mono,
    ),
  );
  expect(rest).toStartWith(" 4-5 busy 38% ");
  expect(rest).toEndWith("█▅▁▁");
});

describe("a part of a list", () => {
  const rows = Array.from({ length: 30 }, (_, at) => ({ id: `r${at}` }));
  const whole = windowOf(rows, ({ id }) => id);
  const ids = (top: number, height: number) =>
    shownRows(whole, top, height).rows.map(({ id }) => id);

  test("keeps a row for what is below, unless that is one row only", () => {
    expect(pageRows(6)).toBe(5);
    expect(pageRows(3)).toBe(3);
    expect(ids(0, 6)).toEqual(["r0", "r1", "r2", "r3", "r4"]);
    expect(shownRows(whole, 0, 6).below).toBe(25);
    expect(ids(24, 6)).toEqual(["r24", "r25", "r26", "r27", "r28", "r29"]);
    expect(shownRows(whole, 24, 6).below).toBe(0);
  });

  test("never goes beyond the end, and says where it is", () => {
    const end = shownRows(whole, 99, 6);
    expect(end.rows.at(-1)?.id).toBe("r29");
    expect(positionText(end, 30)).toBe("26-30/30");
    expect(positionText(shownRows(whole, 0, 40), 30)).toBe("");
  });

  test("leaves rows blank that have not come, also where they are called like what objects have", () => {
    const part = {
      ...windowOf([{ id: "a" }], ({ id }) => id),
      matching: 3,
      order: ["constructor"],
    };
    expect(shownRows(part, 0, 3).rows.map(({ row }) => row)).toEqual([null, null, null]);
  });

  test("is looked at as the screen says", () => {
    const view = createView({ columns: 80, rows: 24 });
    expect(listStateOf(view, "jobs").top).toBe(0);
  });
});

test("a title has its notes by importance, and is exact", () => {
  const title = (width: number) =>
    bare(
      ruleTitle(
        {
          number: 1,
          title: "JOBS 4",
          isActive: true,
          notes: [[plain("sort RATE v")], [plain("x")]],
          end: "1-4/9",
        },
        width,
        ansi16,
      ),
    );
  expect(title(50)).toBe("─>[1] JOBS 4 ─ sort RATE v ─ x ─────────── 1-4/9 ─");
  expect(title(30)).toBe("─>[1] JOBS 4 ─ x ───── 1-4/9 ─");
  for (let width = 0; width < 60; width++) expect(Bun.stringWidth(title(width))).toBe(width);
});

describe("a text field", () => {
  const field = (text: string, cursor: number, width: number, theme = mono) =>
    textField({ prompt: "/", text, cursor, end: [plain("9")] }, width, theme);

  test("has its cursor as an inverse cell, also behind the text", () => {
    expect(field("abc", 1, 12, ansi16)).toContain("\u001b[7mb\u001b[0m");
    expect(field("abc", 3, 12, ansi16)).toContain("c\u001b[7m \u001b[0m");
  });

  test("is exact for any text and cursor, and the cursor is always seen", () => {
    for (const text of hostileTexts(80))
      for (const width of [3, 8, 20, 60])
        for (const cursor of [0, Math.floor(text.length / 2), text.length]) {
          const row = field(text, cursor, width, ansi16);
          expect(rowFaults([row], { width, height: 1 }, ansi16)).toEqual([]);
          if (width > 3) expect(row).toContain("\u001b[7m");
        }
  });
});

describe("rows", () => {
  test("are exact whatever their pieces are, in one style or many", () => {
    const random = createRandom(3);
    const texts = hostileTexts(60).map((text) => inert(text));
    for (let round = 0; round < 500; round++) {
      const spans = Array.from({ length: random.below(6) }, () =>
        span(random.pick(["plain", "failed", "dim"] as const), random.pick(texts)),
      );
      const width = random.below(90);
      const rows = [
        paintRow(ansi16, width, spans),
        paintRowAs(ansi16, "selection", width, spans),
        paintEnds(ansi16, width, spans.slice(0, 2), spans.slice(2)),
      ];
      expect(rowFaults(rows, { width, height: 3 }, ansi16)).toEqual([]);
    }
  });

  test("give up their least important pieces first", () => {
    const pieces = [piece(0, plain("now")), piece(2, plain("average")), piece(1, plain("eta"))];
    const shown = (width: number) => textOf(fittingPieces(width, pieces));
    expect([shown(40), shown(10), shown(5), shown(2)]).toEqual([
      "now  average  eta",
      "now  eta",
      "now",
      "",
    ]);
  });

  test("stand side by side, each in its width", () => {
    const rows = sideBySide(
      [
        { rows: ["ab"], width: 2 },
        { rows: ["cde", "fgh"], width: 3 },
      ],
      2,
      mono,
    );
    expect(rows.map(bare)).toEqual(["ab│cde", "  │fgh"]);
    expect(fitRows(["a", "b"], 1, 3)).toEqual(["a", "b", " "]);
  });

  test("lie dimmed under a box, cut at its edges also through wide characters", () => {
    const size = { width: 20, height: 5 };
    const under = Array.from({ length: 5 }, () => ansi16.paint("failed", "猫".repeat(10)));
    const above = box(
      { title: "Keys", end: "Esc", foot: "", rows: [" ".repeat(11)], width: 13 },
      ansi16,
    );
    const spot = centred({ columns: 20, rows: 5 }, 13, above.length);
    const rows = drawOver(under, above, spot, 20, ansi16);
    expect(rowFaults(rows, size, ansi16)).toEqual([]);
    expect(rows.map(bare)[1]).toBe("猫 ┌ Keys  Esc ┐猫猫");
    expect(dimRows(under, ansi16)[0]).toBe(`\u001b[2m${"猫".repeat(10)}\u001b[0m`);
  });

  test("a box that is too narrow for its titles still has its edges", () => {
    for (let width = 2; width < 30; width++) {
      const rows = box(
        { title: "A long title", end: "and an end", foot: "foot", rows: [], width },
        ansi16,
      );
      expect(rowFaults(rows, { width, height: 2 }, ansi16)).toEqual([]);
    }
  });
});

test("sentences break between words, and inside one that is too long", () => {
  expect(wrapWords("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrapWords("abcdefghij k", 4)).toEqual(["abcd", "efgh", "ij k"]);
  expect(wrapWords("猫猫猫", 4)).toEqual(["猫猫", "猫"]);
  expect(wrapWords("", 4)).toEqual([""]);
});
