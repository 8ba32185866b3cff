/** A worker's screen: pictures of what it looks like, and what holds at every size for any worker. */
import { describe, expect, test } from "bun:test";
import type { WorkerMonitorView } from "../../../src/runtime/protocol/monitor-views.ts";
import { planLayout } from "../../../src/tui/panes/layout.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import { renderScreen } from "../../../src/tui/panes/screen.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { busyWorker, randomWorker } from "../../support/monitor/overviews.ts";
import { EACH_LOOK, expectPane, rowFaults, THEMES } from "../pane-rows.ts";
import { type Looking, screenOf } from "../screen-of.ts";

const PLACE = { kind: "worker", workerId: "w03" } as const;
const FRAME_ROWS = 2;
const SIZE = { width: 80, height: 24 };

const modelOf = (body: WorkerMonitorView, { width, height }: Size, looking: Looking = {}) =>
  screenOf(
    PLACE,
    { width, height: height - FRAME_ROWS },
    { ...looking, shown: { kind: "worker", body } },
  );

const draw = (body: WorkerMonitorView, size: Size, theme: Theme, looking: Looking = {}): string[] =>
  renderScreen(modelOf(body, size, looking), theme);

const bare = (rows: readonly string[]) => rows.map((row) => Bun.stripANSI(row));

describe("a worker's screen", () => {
  for (const [name, size, theme] of EACH_LOOK) {
    test(`at ${name}`, () => {
      const rows = draw(busyWorker(), size, theme, { lists: { tasks: { sort: "time" } } });
      expect(rowFaults(rows, size, theme)).toEqual([]);
      expectPane(`worker/busy-${name.replace(" ", "-")}`, rows);
    });
  }

  test("zoomed has a lane for every slot", () => {
    const rows = bare(
      draw(busyWorker(), { width: 80, height: 40 }, THEMES.mono, {
        screen: { pane: 0, isZoomed: true },
      }),
    );
    expect(rows.filter((row) => /^ +\d+ [ab! ]+$/.test(row))).toHaveLength(32);
    expect(rows.some((row) => row.includes("busy"))).toBe(false);
  });

  test("says in one lane what the slots did that have none", () => {
    const rows = bare(draw(busyWorker(), SIZE, THEMES.mono));
    expect(rows.find((row) => row.includes(" busy "))).toMatch(/^ 4-31 busy \d\d% +[▁▂▃▄▅▆▇█]+ *$/);
  });

  test("says that memory is short, and what the failures have in common", () => {
    const rows = bare(draw(busyWorker(), SIZE, THEMES.mono));
    expect(rows[1]).toContain("225G/256G !");
    expect(rows.at(-2)).toContain(
      "hint: 9 of 12 failures of job 17 are on w03; memory 88 %. cc drain w03",
    );
  });

  test("without tasks, failures or figures says so", () => {
    const { worker } = busyWorker();
    const idle = {
      ...busyWorker(),
      worker: { ...worker, cpu_percent: null, memory_percent: null, tasks_per_second: null },
      lanes: [],
      lane_jobs: {},
      tasks: { total: 0, matching: 0, from: 0, order: [], rows: {}, anchor_at: null },
      recent_failures: [],
      why: null,
      round_trip_ms: null,
    };
    const rows = draw(idle, SIZE, THEMES.ansi16);
    expect(rowFaults(rows, SIZE, THEMES.ansi16)).toEqual([]);
    expectPane("worker/idle-80x24", rows);
  });

  test("has the cursor where the failures are when one goes there", () => {
    const rows = bare(
      draw(busyWorker(), SIZE, THEMES.mono, {
        screen: { pane: 2 },
        lists: { errors: { selectedAt: 1 } },
      }),
    );
    expect(rows.filter((row) => row.startsWith(">"))).toEqual([
      expect.stringContaining("17/48212"),
    ]);
  });

  test("shows the newest failures where nobody is, however far down the list was left", () => {
    const left = { lists: { errors: { top: 5, selectedAt: 6 } } };
    expect(bare(draw(busyWorker(), SIZE, THEMES.mono, left)).join("")).toContain("17/48211 out_of");
    const there = bare(draw(busyWorker(), SIZE, THEMES.mono, { ...left, screen: { pane: 2 } }));
    expect(there.find((row) => row.startsWith(">"))).toContain("17/48217");
  });

  test("keeps its form whatever people named things and whatever the numbers are", () => {
    const random = createRandom(12);
    for (let round = 0; round < 150; round++) {
      const [, size, theme] = random.pick(EACH_LOOK);
      const looking: Looking = {
        screen: { pane: random.below(3), isZoomed: random.chance(0.3) },
        lists: { tasks: { selectedAt: random.below(40), top: random.below(40) } },
      };
      const body = randomWorker(random);
      expect(rowFaults(draw(body, size, theme, looking), size, theme)).toEqual([]);
      expect(
        planLayout(modelOf(body, size, looking).view).listRows.tasks ?? 0,
      ).toBeGreaterThanOrEqual(0);
    }
  });
});
