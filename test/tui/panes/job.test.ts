/** A job's screen: pictures of what it looks like, and what holds at every size, in every look, for any job. */
import { describe, expect, test } from "bun:test";
import type { JobMonitorView } from "../../../src/runtime/protocol/monitor-views.ts";
import { renderJob } from "../../../src/tui/panes/job/job.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import {
  errorGroup,
  jobRow,
  taskRow,
  taskRowId,
  windowOf,
} from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { busyJob, failedJob, openJob, waitingJob } from "../../support/monitor/jobs.ts";
import {
  asShown,
  bodyOf,
  EACH_LOOK,
  expectEveryLook,
  expectPane,
  rowFaults,
  THEMES,
} from "../pane-rows.ts";
import { type Looking, screenOf } from "../screen-of.ts";

const PLACE = { kind: "job", jobId: 17 } as const;
const RUNNING_FIRST: Looking = {
  lists: { tasks: { filter: "state:running", sort: "time", selectedId: "17/48211" } },
};

function draw(body: JobMonitorView, size: Size, theme: Theme, looking: Looking = {}): string[] {
  const model = screenOf(PLACE, size, { ...looking, shown: { kind: "job", body } });
  return asShown(renderJob(model, size, theme), theme);
}

describe("a job's screen", () => {
  test("has the right form at every size and in every look", () => {
    for (const [look, screen, theme] of EACH_LOOK) {
      const room = bodyOf(screen);
      const faults = rowFaults(draw(busyJob(), room, theme, RUNNING_FIRST), room, theme);
      expect([look, ...faults]).toEqual([look]);
    }
  });

  test("looks as it was found right", () => {
    expectEveryLook("job", (screen, theme) =>
      draw(busyJob(), bodyOf(screen), theme, RUNNING_FIRST),
    );
  });

  const size = { width: 80, height: 22 };
  for (const [name, body] of Object.entries({ waitingJob, failedJob, openJob })) {
    test(`${name}, at 80x24`, () => {
      expectPane(`job/${name}`, draw(body(), size, THEMES.ansi16));
    });
  }

  test("with the cursor in the errors tells the group's whole message", () => {
    const rows = draw(busyJob(), size, THEMES.mono, {
      screen: { pane: 1 },
      lists: { errors: { selectedAt: 1, selectedId: "g2" } },
    });
    expect(rows.at(-1)).toContain("ENOSPC: no space left on device, write '/scratch/tile'");
    expect(rows.find((row) => row.includes("ENOSPC"))).toContain(">");
  });

  test("zoomed shows one pane alone, with more rows", () => {
    const rows = draw(busyJob(), size, THEMES.mono, { screen: { isZoomed: true } });
    expect(rows.filter((row) => row.includes("blender") || row.includes("TASK GRID"))).toEqual([]);
    expect(rows.filter((row) => / R {2}1\/3 /.test(row)).length).toBeGreaterThan(10);
  });

  test("without an answer yet is blank", () => {
    const rows = renderJob(screenOf(PLACE, size), size, THEMES.mono);
    expect(rows).toEqual(Array.from({ length: 22 }, () => " ".repeat(80)));
  });

  test("keeps its form whatever people named things and whatever the numbers are", () => {
    const random = createRandom(4);
    const texts = hostileTexts(60);
    const numbers = [0, 1, 0.5, 9.2, 999.95, 1e9, 1e15, Number.NaN, Number.POSITIVE_INFINITY];
    for (let round = 0; round < 60; round++) {
      const [, screen, theme] = random.pick(EACH_LOOK);
      const roundSize = bodyOf(screen);
      const rows = draw(randomJob(), roundSize, theme, {
        screen: { pane: random.below(3), isZoomed: random.chance(0.2) },
        lists: { tasks: { selectedAt: random.below(5), filter: random.pick(texts) } },
      });
      expect(rowFaults(rows, roundSize, theme)).toEqual([]);
    }

    function randomJob(): JobMonitorView {
      const text = () => random.pick(texts);
      const number = () => random.pick(numbers);
      const count = () => random.pick([0, 1, 7, 1e9]);
      const tasks = Object.fromEntries(
        Object.keys(busyJob().counts).map((state) => [state, count()]),
      ) as unknown as JobMonitorView["counts"];
      const times = {
        count: 1,
        p50: number(),
        p95: number(),
        p99: null,
        max: number(),
        max_task_id: text(),
      };
      return {
        ...busyJob(),
        job: jobRow({
          name: text(),
          owner: text(),
          tasks,
          eta_seconds: number(),
          retries: count(),
        }),
        counts: tasks,
        what: text(),
        submitted_from: text(),
        rate: { now: number(), average: number(), peak: number() },
        run: times,
        wait: times,
        throughput: { step_seconds: 2, until: "", values: [number(), null, number()] },
        grid: { cell_tasks: count(), marks: "FXRY.?", done: "09" },
        errors: Array.from({ length: random.below(30) }, (_, at) =>
          errorGroup({
            group_id: String(at),
            code: text(),
            message: text(),
            place: text(),
            count: count(),
            workers: [text(), text()],
            by_worker: [{ worker: text(), count: count() }],
            task_ids: [text(), text()],
            last_at: text(),
          }),
        ),
        tasks: windowOf(
          Array.from({ length: random.below(80) }, (_, index) =>
            taskRow({
              index,
              worker: text(),
              attempts: count(),
              running_seconds: number(),
              error: { code: text(), message: text() },
            }),
          ),
          taskRowId,
          { total: count() },
        ),
        advice: random.chance(0.5) ? null : { code: "x", sentence: text(), hint: text() },
      };
    }
  });
});
