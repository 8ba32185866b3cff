/** Tables: which columns are shown, and that nothing ever moves its neighbours. */
import { describe, expect, test } from "bun:test";
import { inert } from "../../../src/tui/text/cells.ts";
import { plain, span } from "../../../src/tui/widgets/spans.ts";
import { type TableShape, table } from "../../../src/tui/widgets/table.ts";
import { type Column, placeColumns } from "../../../src/tui/widgets/table-columns.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { rowFaults, THEMES } from "../pane-rows.ts";

type Row = { readonly name: string };

const column = (
  key: string,
  width: number,
  priority: number,
  more: Partial<Column<Row>> = {},
): Column<Row> => ({
  key,
  title: key.toUpperCase(),
  width,
  priority,
  draw: ({ name }) => plain(name),
  ...more,
});

const COLUMNS: readonly Column<Row>[] = [
  column("id", 3, 0, { isPinned: true }),
  column("name", 4, 0, { grow: 1, ideal: 10, widthMax: 12, isPinned: true }),
  column("run", 4, 2, { align: "right" }),
  column("fail", 4, 1),
  column("spare", 6, 9),
];

const keys = (width: number, columnsFrom = 0) =>
  placeColumns(COLUMNS, width, columnsFrom).map(
    ({ column: { key }, width: cells }) => `${key}:${cells}`,
  );

const shape = (changes: Partial<TableShape<Row>> = {}): TableShape<Row> => ({
  columns: COLUMNS,
  width: 30,
  height: 4,
  rows: [
    { id: "a", row: { name: "x" } },
    { id: "b", row: { name: "y" } },
  ],
  below: 0,
  selectedRow: null,
  marked: new Set(),
  sort: null,
  columnsFrom: 0,
  empty: ["nothing here"],
  ...changes,
});

const draw = (
  changes: Partial<TableShape<Row>> = {},
  theme: (typeof THEMES)["mono" | "ansi16"] = THEMES.mono,
) => table(shape(changes), theme).map((row) => Bun.stripANSI(row));

describe("columns", () => {
  test("go in the order of their importance when there is no room", () => {
    expect(keys(18)).toEqual(["id:3", "name:4", "run:4", "fail:4"]);
    expect(keys(13)).toEqual(["id:3", "name:4", "fail:4"]);
    expect(keys(8)).toEqual(["id:3", "name:4"]);
    expect(keys(1)).toEqual(["id:3"]);
  });

  test("for room to spare come only when the others have their ideal width", () => {
    expect(keys(25)).toEqual(["id:3", "name:11", "run:4", "fail:4"]);
    expect(keys(31)).toEqual(["id:3", "name:10", "run:4", "fail:4", "spare:6"]);
    expect(keys(60)).toEqual(["id:3", "name:12", "run:4", "fail:4", "spare:6"]);
  });

  test("are scrolled to the side, except those that are pinned, and never beyond the last", () => {
    expect(keys(20, 1)).toEqual(["id:3", "name:4", "fail:4", "spare:6"]);
    expect(keys(15, 2)).toEqual(["id:3", "name:4", "spare:6"]);
    expect(keys(15, 99)).toEqual(["id:3", "name:4", "spare:6"]);
    expect(keys(60, 2)).toEqual(keys(60));
  });
});

describe("a table", () => {
  test("marks the selected row with > and marked ones with *, whatever the colours", () => {
    expect(draw({ selectedRow: 1, marked: new Set(["a", "b"]) })).toEqual([
      "  ID  NAME          RUN FAIL  ",
      " *x   x               x x     ",
      ">*y   y               y y     ",
      "                              ",
    ]);
  });

  test("shows by what it is sorted, and which way", () => {
    expect(draw({ sort: { key: "name", descending: false } })[0]).toContain("NAME ^");
    expect(draw({ sort: { key: "run", descending: true } })[0]).toContain(" RUNv");
  });

  test("counts what is below it", () => {
    expect(draw({ below: 1234 })[3]).toBe("   .. 1,234 more below        ");
    expect(draw({ height: 2, below: 5 })).toHaveLength(2);
  });

  test("says a sentence when it has no rows, and leaves rows blank that have not come", () => {
    expect(draw({ rows: [] })[1]).toBe("   nothing here               ");
    expect(draw({ rows: [{ id: "a", row: null }] })[1]).toBe("  ..                          ");
  });

  test("is exact whatever its cells draw and however narrow it is", () => {
    const random = createRandom(9);
    const texts = hostileTexts(80).map((text) => inert(text));
    const wild: readonly Column<Row>[] = COLUMNS.map((each) => ({
      ...each,
      draw: () =>
        random.chance(0.5)
          ? span("failed", random.pick(texts))
          : [plain(random.pick(texts)), span("dim", random.pick(texts))],
    }));
    for (let round = 0; round < 300; round++) {
      const size = { width: random.below(70), height: random.below(8) };
      const theme = random.pick([THEMES.ansi16, THEMES.mono, THEMES.cb]);
      const rows = table(
        shape({
          ...size,
          columns: wild,
          selectedRow: random.below(3),
          columnsFrom: random.below(4),
          below: random.below(3),
        }),
        theme,
      );
      expect(rowFaults(rows, size, theme)).toEqual([]);
    }
  });
});
