/** A task's screen: one text that scrolls, with everything that is known of the task. */
import { describe, expect, test } from "bun:test";
import type { TaskMonitorView } from "../../../src/runtime/protocol/monitor-views.ts";
import type { Size } from "../../../src/tui/panes/pane.ts";
import { renderTask, taskTextRows } from "../../../src/tui/panes/task/task.ts";
import { stripSgr } from "../../../src/tui/text/cells.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { attempt, taskMonitorView } from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { asShown, bodyOf, EACH_LOOK, expectEveryLook, rowFaults, THEMES } from "../pane-rows.ts";
import { screenOf } from "../screen-of.ts";

const PLACE = { kind: "task", jobId: 17, index: 48_211 } as const;
const SIZE: Size = { width: 80, height: 22 };

const RUNNING = attempt({
  attempt: 2,
  outcome: "running",
  code: null,
  message: null,
  run_seconds: null,
  ended_at: null,
});

const FAILED = attempt({
  message:
    "cannot render tile 44: the scene needs 3.1 GiB and the worker had 2.9 GiB left, so the kernel ended it",
  stack: "Error: cannot render\n    at render (scene.ts:12:5)\n    at default (job.ts:40:3)",
});

const secondTry = (): TaskMonitorView => taskMonitorView({ history: [FAILED, RUNNING] });

function draw(
  body: TaskMonitorView,
  size = SIZE,
  theme: Theme = THEMES.mono,
  textTop = 0,
): string[] {
  const model = screenOf(PLACE, size, { shown: { kind: "task", body }, screen: { textTop } });
  return asShown(renderTask(model, size, theme), theme);
}

const texts = (rows: readonly string[]): string[] => rows.map((row) => stripSgr(row).trimEnd());

describe("a task's screen", () => {
  test("has the right form at every size and in every look", () => {
    for (const [look, screen, theme] of EACH_LOOK) {
      const room = bodyOf(screen);
      expect([look, ...rowFaults(draw(secondTry(), room, theme), room, theme)]).toEqual([look]);
    }
  });

  test("looks as it was found right", () => {
    expectEveryLook("task", (screen, theme) => draw(secondTry(), bodyOf(screen), theme));
  });

  test("tells how a failed command ended, and what it printed", () => {
    const failed = { state: "failed", result_text: "half\n", result_bytes: 5 } as const;
    const ends = [{ exit_code: 4 }, { exit_code: null, signal: "SIGKILL" }].map((end) =>
      texts(draw(taskMonitorView({ ...failed, ...end }))).join("\n"),
    );
    expect(ends[0]).toMatch(/^ F failed .* exit 4\b/);
    expect(ends[1]).toMatch(/^ F failed .* signal SIGKILL\b/);
    expect(ends[0]).toContain("STDOUT 5 B");
  });

  test("tells every attempt with its whole error and the frames of its stack", () => {
    const rows = texts(draw(secondTry())).join("\n");
    expect(rows).toContain("   1  failed     w03  8.8s  until 14:21:50");
    expect(rows).toContain("so the kernel ended it\n        at render (scene.ts:12:5)\n");
    expect(rows).toContain("   2  running    w03  9.2s");
  });

  test("tells why, and what to type", () => {
    const why = { code: "delayed", sentence: "It waits 8 s.", hint: "cc retry 17/48211" };
    const rows = texts(
      draw(taskMonitorView({ state: "delayed", why, not_before: "2026-11-22T14:22:15Z" })),
    );
    expect(rows[0]).toContain("Y delayed   attempt 2");
    expect(rows[0]).toContain("not before 14:22:15");
    expect(rows.slice(1, 3)).toEqual(["   It waits 8 s.", "   cc retry 17/48211"]);
  });

  test("shows the result before what was given, and says what is only a part", () => {
    const cut = taskMonitorView({
      state: "completed",
      result_text: `${"9".repeat(30)}…`,
      result_bytes: 8_000_000,
    });
    const rows = texts(draw(cut)).join("\n");
    expect(rows.indexOf("RESULT 7.6 MiB ─ the first 31 characters")).toBeGreaterThan(0);
    expect(rows.indexOf("INPUT 7 B")).toBeGreaterThan(rows.indexOf("RESULT"));
  });

  test("says of its log how large it is, or that there is none", () => {
    expect(texts(draw(secondTry())).join("\n")).toContain("   4,812 lines, 2.0 MiB   l opens it");
    const silent = taskMonitorView({ state: "completed", log: null });
    expect(texts(draw(silent)).join("\n")).toContain("   nothing was printed");
  });

  test("of what was printed last shows ten lines, and nothing of why what has ended has", () => {
    const why = { code: "failed", sentence: "Task 17/48211 has failed.", hint: null };
    const stderr_text = Array.from({ length: 30 }, (_, at) => `step ${at}\n`).join("");
    const rows = texts(draw(taskMonitorView({ state: "failed", why, stderr_text })));
    expect(rows.filter((row) => row.includes("step"))).toHaveLength(10);
    expect(rows.join("\n")).toContain("PRINTED ─ its last 10 lines");
    expect(rows.join("\n")).not.toContain("has failed");
  });

  test("scrolls to its end and no further", () => {
    const size = { width: 40, height: 9 };
    const all = taskTextRows(secondTry(), 40, THEMES.mono);
    const end = texts(draw(secondTry(), size, THEMES.mono, 10_000));
    expect(end.slice(-2)).toEqual([
      "   4,812 lines, 2.0 MiB   l opens it",
      `   the end   ${all - 7}-${all}/${all}`,
    ]);
    const first = texts(draw(secondTry(), size));
    expect(first.at(-1)).toBe(`   .. ${all - 8} more below   1-8/${all}`);
  });

  test("keeps its form whatever the task said", () => {
    const random = createRandom(9);
    const words = hostileTexts(80);
    for (let round = 0; round < 80; round++) {
      const [, screen, theme] = random.pick(EACH_LOOK);
      const room = bodyOf(screen);
      const text = () => random.pick(words);
      const body = taskMonitorView({
        worker: text(),
        why: { code: "x", sentence: text(), hint: text() },
        input_text: text(),
        result_text: text(),
        stderr_text: `${text()}\n${text()}`,
        history: Array.from({ length: random.below(5) }, (_, at) =>
          attempt({
            attempt: at,
            code: text(),
            message: text(),
            stack: `${text()}\n    at ${text()}`,
            worker: text(),
            run_seconds: random.pick([null, 0, Number.NaN, 1e12]),
            ended_at: text(),
          }),
        ),
      });
      const rows = draw(body, room, theme, random.below(30));
      expect(rowFaults(rows, room, theme)).toEqual([]);
    }
  });
});
