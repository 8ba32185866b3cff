/** What is printed once: the same panes as on a screen, each as high as what it has. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { FocusBody } from "../../../src/tui/feed.ts";
import { onceText } from "../../../src/tui/once/once.ts";
import type { Theme } from "../../../src/tui/theme/theme.ts";
import { createTheme } from "../../../src/tui/theme/themes.ts";
import {
  AT_MS,
  eventLine,
  jobRow,
  jobRowId,
  overviewView,
  series,
  taskMonitorView,
  windowOf,
  workerMonitorView,
  workerRow,
  workerRowId,
} from "../../support/monitor/fixtures.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";
import { busyJob, failedJob, openJob, waitingJob } from "../../support/monitor/jobs.ts";
import { expectGolden } from "../../support/terminal/golden.ts";

const theme = (ascii = false): Theme => ({
  ...createTheme({ name: "mono", ascii, graph: "braille", depth: "16" }),
  paint: (_style, text) => text,
});

const print = (shown: FocusBody, columns = 80, look = theme()): string[] =>
  onceText({ shown, url: "ws://127.0.0.1:9000", nowMs: AT_MS, columns, theme: look });

const overview = (count: number): FocusBody => ({
  kind: "overview",
  body: overviewView({
    jobs: windowOf(
      Array.from({ length: count }, (_, at) => jobRow({ job_id: 100 - at, name: `job-${at}` })),
      jobRowId,
      { total: 2 * count, matching: 2 * count },
    ),
    workers: windowOf(
      Array.from({ length: count }, (_, at) => workerRow({ worker_id: `w${at}` })),
      workerRowId,
    ),
    events: Array.from({ length: 3 }, (_, at) => eventLine({ seq: at })),
  }),
});

const nothing: FocusBody = {
  kind: "overview",
  body: overviewView({
    throughput: series([null, 0, 0]),
    rate: { now: null, average: null, peak: null },
    jobs: windowOf([], jobRowId),
    workers: windowOf([], workerRowId),
    events: [],
    why: { code: "no_workers", sentence: "No worker is connected.", hint: "cc worker" },
  }),
};

const PLACES: Readonly<Record<string, FocusBody>> = {
  overview: overview(7),
  nothing,
  "busy-job": { kind: "job", body: { ...busyJob(), tasks: { ...busyJob().tasks, matching: 60 } } },
  "failed-job": { kind: "job", body: failedJob() },
  "waiting-job": { kind: "job", body: waitingJob() },
  "open-job": { kind: "job", body: openJob() },
  task: { kind: "task", body: taskMonitorView() },
  worker: { kind: "worker", body: workerMonitorView() },
};

describe("a place printed once", () => {
  test.each(Object.entries(PLACES))("looks as it was found right: %s", (name, shown) => {
    expectGolden(
      join(import.meta.dir, "..", "goldens", "once", `${name}.txt`),
      `${print(shown).join("\n")}\n`,
    );
  });

  test.each(Object.entries(PLACES))("fits any width, without blanks at the end: %s", (_, shown) => {
    for (const columns of [40, 60, 80, 132, 500]) {
      for (const row of print(shown, columns)) {
        expect(Bun.stringWidth(row)).toBeLessThanOrEqual(columns);
        expect(row).toBe(row.trimEnd());
        expect(row).not.toMatch(/\p{Cc}/u);
      }
    }
  });

  test.each(Object.entries(PLACES))("in ASCII has nothing else: %s", (_, shown) => {
    expect(print(shown, 80, theme(true)).join("\n")).toMatch(/^[\x20-\x7e\n]*$/);
  });

  test("shows every row that it was given, and counts the others", () => {
    const rows = print(overview(50));
    expect(rows.filter((row) => row.includes("job-"))).toHaveLength(50);
    expect(rows).toContain("   .. 50 more below");
    expect(rows.filter((row) => /^ {2}w\d/.test(row))).toHaveLength(50);
  });

  test("names no key and has no cursor", () => {
    for (const [name, shown] of Object.entries(PLACES)) {
      const text = print(shown).join("\n");
      expect([name, /\[\d\]|^>| Esc | l opens|z all/m.test(text)]).toEqual([name, false]);
    }
  });

  test("is inert whatever others have named things", () => {
    for (const text of hostileTexts(60)) {
      const job = { ...busyJob(), job: jobRow({ name: text, owner: text }), what: text };
      for (const row of print({ kind: "job", body: job })) {
        expect(row).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(Bun.stringWidth(row)).toBeLessThanOrEqual(80);
      }
    }
  });
});
