// biome-ignore-all lint/suspicious/noControlCharactersInRegex: terminal control sequences are the subject here
import { describe, expect, test } from "bun:test";
import { finalLines, type JobEnd } from "../../../src/commands/follow/final-lines.ts";
import { createProgress, progressMode } from "../../../src/commands/follow/progress.ts";
import { barLine, type JobProgress, logLine } from "../../../src/commands/follow/progress-text.ts";
import { createPalette } from "../../../src/commands/palette.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import type { ProgressView, TaskCounts } from "../../../src/runtime/protocol/views.ts";
import { cellWidth } from "../../../src/tui/text/cells.ts";
import { createMemoryIo } from "../../support/memory-io.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";

function job(counts: Partial<TaskCounts>, changes: Partial<JobProgress> = {}): JobProgress {
  const tasks = {
    total: 0,
    blocked: 0,
    queued: 0,
    delayed: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    ...counts,
  };
  return {
    job_id: 17,
    name: "render-frames",
    owner: "me",
    state: "running",
    inputs_open: false,
    queue: "default",
    priority: 0,
    tasks,
    tasks_per_second: null,
    eta_seconds: null,
    created_at: "2026-01-01T00:00:00.000Z",
    finished_at: null,
    note: null,
    keep: false,
    why: null,
    ...changes,
  };
}

function view(jobs: readonly JobProgress[], lost: ProgressView["lost_workers"] = []): ProgressView {
  return { jobs, connected_workers: 1, slots: 2, lost_workers: lost };
}

const RUNNING = job(
  { total: 100_000, completed: 78_088, failed: 12, running: 340 },
  { tasks_per_second: 1_700, eta_seconds: 13 },
);
const WIDE = { width: 120, isAscii: false };

describe("the bar", () => {
  test("shows share, counts, rate and time left, and what Ctrl-C does", () => {
    expect(barLine(RUNNING, WIDE, "Ctrl-C detaches")).toBe(
      "job 17 render-frames  ████████████▍░░░   78%  78.1k/100k  R 340  F 12  1.7k/s  ETA 13s   (Ctrl-C detaches)",
    );
  });

  test("fits its width: the hint goes first, then the line is cut", () => {
    for (let width = 1; width <= 120; width++) {
      expect(
        barLine(RUNNING, { width, isAscii: false }, "Ctrl-C detaches").length,
      ).toBeLessThanOrEqual(width);
    }
    expect(barLine(RUNNING, { width: 90, isAscii: false }, "Ctrl-C detaches")).not.toContain(
      "Ctrl-C",
    );
  });

  test("is one line of so many cells whatever names and reasons hold, and steers nothing", () => {
    for (const text of hostileTexts(200)) {
      const why = { code: "no_workers", sentence: text, hint: text };
      for (const shown of [{ ...RUNNING, name: text }, job({ total: 1, queued: 1 }, { why })]) {
        const line = barLine(shown, { width: 60, isAscii: false }, "Ctrl-C detaches");
        expect(cellWidth(line)).toBeLessThanOrEqual(60);
        expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
      }
    }
  });

  test("where nothing can run it says why and what to type", () => {
    const why = { code: "no_workers", sentence: "no workers.", hint: "cc worker" };
    expect(barLine(job({ total: 10, queued: 10 }, { why }), WIDE, "")).toContain(
      "0/10  no workers: cc worker",
    );
  });

  test("marks a total that still grows, and has no time left then", () => {
    const line = barLine(
      job({ total: 100, completed: 50, running: 1 }, { inputs_open: true, eta_seconds: 5 }),
      WIDE,
      "",
    );
    expect(line).toContain("50/100+");
    expect(line).not.toContain("ETA");
  });

  test("in ASCII and with a hostile name", () => {
    const line = barLine(
      job({ total: 4, completed: 2 }, { name: "\u001b[2Jx\ny" }),
      { width: 100, isAscii: true },
      "",
    );
    expect(line).toContain("[########........]");
    expect(line).not.toMatch(/[\u0000-\u001f]/);
  });

  test("a log's line has exact figures", () => {
    expect(logLine(RUNNING)).toBe(
      "job 17 render-frames  78%  78,100/100,000  R 340  F 12  1.7k/s  ETA 13s",
    );
  });
});

describe("progress on stderr", () => {
  function setUp(mode: "bar" | "lines" | "json" | "none", isTerminal = mode === "bar") {
    const io = createMemoryIo({ isTerminal });
    const clock = createManualClock();
    const progress = createProgress({
      io,
      mode,
      quiet: mode === "none",
      isAscii: false,
      clock,
      hint: "Ctrl-C detaches",
      localHint: "Ctrl-C stops",
    });
    const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
    return { io, clock, progress, settled };
  }

  test("a short job draws no bar", async () => {
    const { io, clock, progress, settled } = setUp("bar");
    progress.onView(view([RUNNING]));
    clock.advance(200);
    await progress.stop();
    await settled();
    expect(io.stderrText()).toBe("");
  });

  test("the bar is drawn over itself and taken away at the end", async () => {
    const { io, clock, progress, settled } = setUp("bar");
    progress.onView(view([RUNNING]));
    clock.advance(300);
    await settled();
    expect(io.stderrText()).toMatch(/^\rjob 17 .*\u001b\[K$/);
    await progress.stop();
    expect(io.stderrText()).toMatch(/\r\u001b\[K$/);
  });

  test("what is said stands above the bar", async () => {
    const { io, clock, progress, settled } = setUp("bar");
    progress.onView(view([RUNNING]));
    clock.advance(300);
    await settled();
    await progress.say("task 17/3 failed: error: no");
    await settled();
    expect(io.stderrText()).toMatch(/\r\u001b\[Ktask 17\/3 failed: error: no\n\rjob 17 /);
  });

  test("text that does not end its line keeps it: the bar stands below", async () => {
    const { io, clock, progress, settled } = setUp("bar");
    progress.onView(view([RUNNING]));
    clock.advance(300);
    await settled();
    await progress.aside(() => io.stderr.write("half a line"), false);
    await settled();
    expect(io.stderrText()).toMatch(/\r\u001b\[Khalf a line\n\rjob 17 /);
    await progress.aside(() => io.stderr.write("again"), false);
    await progress.stop();
    expect(io.stderrText()).toMatch(/\r\u001b\[Kagain\n(\rjob 17 .*\r\u001b\[K)?$/);
  });

  test("no worker is no reason while one of our own is starting", async () => {
    const { io, clock, progress, settled } = setUp("bar");
    const why = { code: "no_workers", sentence: "No workers.", hint: "cc worker" };
    progress.runsHere();
    progress.onView(view([job({ total: 5, queued: 5 }, { why })]));
    clock.advance(300);
    await settled();
    expect(io.stderrText()).toContain("0/5  R 0   (Ctrl-C stops)");
    clock.advance(5_000);
    progress.onView(view([job({ total: 5, queued: 5 }, { why })]));
    await settled();
    expect(io.stderrText()).toContain("0/5  No workers: cc worker");
  });

  test("without a terminal a line comes each ten seconds or five per cent", async () => {
    const { io, clock, progress, settled } = setUp("lines");
    const at = (completed: number) =>
      progress.onView(view([job({ total: 100, completed, running: 1 })]));
    at(1);
    clock.advance(500);
    at(50);
    await settled();
    expect(io.stderrText()).toBe("");
    clock.advance(600);
    at(51);
    clock.advance(1_100);
    at(53);
    clock.advance(9_000);
    at(54);
    await settled();
    expect(io.stderrText().match(/\d+%/g)).toEqual(["51%", "54%"]);
  });

  test("a lost worker is one line, once", async () => {
    const { io, progress, settled } = setUp("lines");
    const lost = [{ worker_id: "w3", running: 4 }];
    progress.onView(view([RUNNING], lost));
    progress.onView(view([RUNNING], lost));
    await settled();
    expect(io.stderrText()).toBe("worker w3 was lost; its 4 tasks are queued again\n");
  });

  test("--progress json writes each view as an object", async () => {
    const { io, progress, settled } = setUp("json");
    progress.onView(view([RUNNING]));
    await settled();
    expect(JSON.parse(io.stderrText())).toMatchObject({
      schema: "crowdcompute/v1",
      jobs: [{ job_id: 17, tasks: { completed: 78_088 } }],
      connected_workers: 1,
    });
  });

  test("-q says nothing at all", async () => {
    const { io, clock, progress, settled } = setUp("none");
    progress.onView(view([RUNNING], [{ worker_id: "w", running: 1 }]));
    await progress.say("x");
    clock.advance(20_000);
    await settled();
    expect(io.stderrText()).toBe("");
  });

  test("the mode follows the terminal unless it is asked for", () => {
    const terminal = createMemoryIo({ isTerminal: true }).stderr;
    const pipe = createMemoryIo().stderr;
    const given = { quiet: false, term: "xterm" };
    expect(progressMode("auto", { ...given, stderr: terminal })).toBe("bar");
    expect(progressMode("auto", { ...given, stderr: pipe })).toBe("lines");
    expect(progressMode("auto", { ...given, stderr: terminal, term: "dumb" })).toBe("lines");
    expect(progressMode("json", { ...given, stderr: terminal })).toBe("json");
    expect(progressMode("bar", { ...given, stderr: pipe, quiet: true })).toBe("none");
  });
});

describe("the last lines", () => {
  const end: JobEnd = {
    jobId: 17,
    state: "failed",
    completed: 9_999,
    failed: 1,
    cancelled: 0,
    durationMs: 56 * 60_000,
    groups: [{ code: "error", message: "no\nhost", place: "job.ts:3:9", index: 42, count: 1 }],
  };
  const lines = (changes: Partial<JobEnd> = {}) =>
    finalLines({ ...end, ...changes }, createPalette(false));

  test("say what became of the job, what went wrong, and what to type", () => {
    expect(lines()).toEqual([
      "job 17 failed: 9,999 completed, 1 failed, 56 min",
      "  1x error: no host (job.ts:3:9) 17/42",
      "next: cc tasks 17 --state failed · cc logs 17 --failed · cc try 17/42 · cc retry 17",
    ]);
  });

  test("of a job that completed are one line", () => {
    expect(lines({ state: "completed", failed: 0, groups: [], durationMs: 1_200 })).toEqual([
      "job 17 completed: 9,999 completed, 1.2s",
    ]);
  });

  test("show three groups at most", () => {
    const groups = Array.from({ length: 5 }, (_, i) => ({
      ...end.groups[0],
      index: i,
      count: 5 - i,
    }));
    const shown = lines({ groups: groups as JobEnd["groups"] });
    expect(shown.slice(1, 5).map((line) => line.trim().split(" ")[0])).toEqual([
      "5x",
      "4x",
      "3x",
      "…",
    ]);
  });

  test("say when the groups tell of some failures only", () => {
    const shown = lines({ failed: 100_000, groupedCount: 20_000 });
    expect(shown[2]).toBe("  … of the first 20,000 failures");
    expect(lines({ groupedCount: 1 })).toHaveLength(3);
  });

  test("of a retry count what it queued", () => {
    expect(lines({ retried: 1, completed: 1, failed: 0, groups: [] })[0]).toBe(
      "job 17, 1 task again: 1 completed, 56 min",
    );
  });
});
