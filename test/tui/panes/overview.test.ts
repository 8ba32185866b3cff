/** The overview: pictures of what it looks like, and what holds at every size, in every look, for any data. */
import { describe, expect, test } from "bun:test";
import type { OverviewView } from "../../../src/runtime/protocol/monitor-views.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import { renderScreen } from "../../../src/tui/panes/screen.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { windowOf, workerRow, workerRowId } from "../../support/monitor/fixtures.ts";
import { busyOverview, emptyOverview, randomOverview } from "../../support/monitor/overviews.ts";
import { EACH_LOOK, expectPane, rowFaults, THEMES } from "../pane-rows.ts";
import { type Looking, screenOf } from "../screen-of.ts";

const PLACE = { kind: "overview" } as const;
const FRAME_ROWS = 2;

const modelOf = (body: OverviewView, { width, height }: Size, looking: Looking = {}) =>
  screenOf(
    PLACE,
    { width, height: height - FRAME_ROWS },
    { ...looking, shown: { kind: "overview", body } },
  );

const draw = (body: OverviewView, size: Size, theme: Theme, looking: Looking = {}): string[] =>
  renderScreen(modelOf(body, size, looking), theme);

const SIZE = { width: 80, height: 24 };
const LOOKING: Looking = {
  lists: { jobs: { filter: "state:active", sort: "rate", selectedAt: 1, marked: new Set(["20"]) } },
};

describe("the overview", () => {
  for (const [name, size, theme] of EACH_LOOK) {
    test(`of a busy installation, at ${name}`, () => {
      const rows = draw(busyOverview(), size, theme, LOOKING);
      expect(rowFaults(rows, size, theme)).toEqual([]);
      expectPane(`overview/busy-${name.replace(" ", "-")}`, rows);
    });
  }

  for (const size of [{ width: 40, height: 8 }, SIZE, { width: 120, height: 40 }])
    test(`of a foreman that was just started says what to do, at ${size.width}x${size.height}`, () => {
      const rows = draw(emptyOverview(), size, THEMES.ansi16);
      expect(rowFaults(rows, size, THEMES.ansi16)).toEqual([]);
      expectPane(`overview/empty-${size.width}x${size.height}`, rows);
    });

  test("tells every state and the selection without any colour", () => {
    const rows = draw(busyOverview(), { width: 120, height: 50 }, THEMES.mono, {
      lists: { jobs: { selectedAt: 2 } },
    }).map((row) => Bun.stripANSI(row));
    const letters = rows.flatMap(
      (row) => / {2,}([OBQYRPCFX]) +-?\d+ [█▏▎▍▌▋▊▉░]/.exec(row)?.[1] ?? [],
    );
    expect(letters).toEqual(["R", "R", "P", "O", "Q", "F", "C", "X"]);
    for (const state of ["up", "draining", "paused", "set aside", "lost", "gone"])
      expect(rows.some((row) => new RegExp(`^[> ]  ?w\\d\\d .*lan +${state} `).test(row))).toBe(
        true,
      );
    expect(
      rows.filter((row) => row.startsWith("> ")).map((row) => row.slice(4, 18).trim()),
    ).toEqual(["20 nightly-etl"]);
  });

  test("shows as many rows of each list as the layout says, also when one pane has the screen", () => {
    const many = {
      ...busyOverview(),
      workers: windowOf(
        Array.from({ length: 5_000 }, (_, at) => workerRow({ worker_id: `worker-${at}` })),
        workerRowId,
      ),
    };
    for (const [, size] of EACH_LOOK)
      for (const isZoomed of [false, true]) {
        const looking: Looking = {
          screen: { pane: 1, isZoomed },
          lists: { workers: { top: 100 } },
        };
        const planned = planLayout(modelOf(many, size, looking).view).listRows.workers ?? 0;
        const shown = draw(many, size, THEMES.mono, looking).filter((row) => row.includes("32/32"));
        expect(shown.length).toBe(planned);
      }
  });

  test("scrolls to columns that had no room, and no further than to the last one", () => {
    const { view } = modelOf(busyOverview(), SIZE);
    const { columnsFromMax } = planLayout(view);
    const headerAt = (columnsFrom: number) => {
      const model = modelOf(busyOverview(), SIZE);
      const moved = { ...model, view: { ...model.view, columnsFrom } };
      return Bun.stripANSI(renderScreen(moved, THEMES.mono)[6] ?? "");
    };
    expect(headerAt(0)).not.toContain("ELAPSED");
    expect(headerAt(columnsFromMax)).toContain("ETA ELAPSED");
    expect(headerAt(columnsFromMax + 5)).toBe(headerAt(columnsFromMax));
    expect(headerAt(columnsFromMax - 1)).not.toBe(headerAt(columnsFromMax));
  });

  test("draws the cursor in the pane that has it, and nowhere else", () => {
    for (const pane of [0, 1, 2]) {
      const rows = draw(busyOverview(), SIZE, THEMES.mono, { screen: { pane } });
      const cursors = rows.map((row) => Bun.stripANSI(row)).filter((row) => row.startsWith(">"));
      expect(cursors.length).toBe(1);
      expect(cursors[0]).toMatch([/render-frames/, /w01/, /14:21:58/][pane] ?? /never/);
      expect(rows.filter((row) => Bun.stripANSI(row).startsWith("─>"))).toHaveLength(1);
    }
  });

  test("keeps its form whatever people named things and whatever the numbers are", () => {
    const random = createRandom(11);
    for (let round = 0; round < 150; round++) {
      const [, size, theme] = random.pick(EACH_LOOK);
      const rows = draw(randomOverview(random), size, theme, {
        screen: { pane: random.below(3), isZoomed: random.chance(0.2) },
        lists: { jobs: { selectedAt: random.below(30), top: random.below(30) } },
      });
      expect(rowFaults(rows, size, theme)).toEqual([]);
    }
  });
});
