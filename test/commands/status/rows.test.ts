/** What the live statuses of the daemons look like, and that they fit every terminal whatever the figures. */
import { describe, expect, test } from "bun:test";
import { foremanRows } from "../../../src/commands/status/foreman-rows.ts";
import type { StatusLook } from "../../../src/commands/status/status-rows.ts";
import { workerRows } from "../../../src/commands/status/worker-rows.ts";
import type { ForemanStatus } from "../../../src/runtime/foreman/views/foreman-status.ts";
import type { WorkerStatus } from "../../../src/runtime/worker/activity/worker-status.ts";
import { cellWidth, stripSgr } from "../../../src/tui/text/cells.ts";
import { createTheme } from "../../../src/tui/theme/themes.ts";
import { hostileTexts } from "../../support/monitor/hostile-texts.ts";

type LookOptions = Partial<Omit<StatusLook, "theme">> & {
  readonly name?: "mono" | "ansi16";
  readonly ascii?: boolean;
};

const look = ({
  columns = 80,
  rows = 24,
  name = "mono",
  ascii = false,
}: LookOptions = {}): StatusLook => ({
  columns,
  rows,
  theme: createTheme({ name, ascii, graph: "braille", depth: "16" }),
});

const PLACE = { url: "ws://127.0.0.1:9000", join: "cc worker" };

const FOREMAN: ForemanStatus = {
  workers: 2,
  slots: { busy: 6, total: 8 },
  jobs: 1,
  queued: 1_204,
  running: 6,
  done: 12_345,
  failed: 3,
  tasksPerSecond: 152,
  recent: [...Array.from({ length: 30 }, () => null), ...Array.from({ length: 30 }, (_, at) => at)],
};

const WORKER: WorkerStatus = {
  connection: "connected",
  mode: "working",
  trouble: null,
  slots: { busy: 3, total: 4 },
  waiting: 12,
  done: 1_204,
  failed: 0,
  cpuPercent: 61.4,
  memoryPercent: 33,
  tasks: [
    { taskId: "17/204", jobName: "render-frames", runningMs: 72_000 },
    { taskId: "17/1205", jobName: "render-frames", runningMs: 11_400 },
    { taskId: "9/0", jobName: "mean", runningMs: 400 },
  ],
  moreTasks: 0,
};

const WORKER_PLACE = { workerId: "build-7", foreman: "ws://10.0.0.4:9000" };

const shown = (rows: readonly string[]): string => rows.map(stripSgr).join("\n");

describe("the foreman's", () => {
  test("on eighty columns", () => {
    expect(shown(foremanRows(FOREMAN, PLACE, look()))).toBe(
      `── cc foreman ── ws://127.0.0.1:9000 ──────────────────────────────────────────
 queued 1204    running 6      done 12.3k     failed 3
 workers 2      slots █████████████▌░░░░ 6/8  jobs 1
 tasks/s 152                                  ▁▂▂▂▂▂▂▃▃▃▃▄▄▄▄▅▅▅▅▆▆▆▆▇▇▇▇███
 more workers: cc worker`,
    );
  });

  test("on forty columns", () => {
    expect(shown(foremanRows(FOREMAN, PLACE, look({ columns: 40 })))).toBe(
      `── cc foreman ── ws://127.0.0.1:9000 ──
 queued 1204    running 6
 done 12.3k     failed 3
 workers 2      jobs 1
 slots █████████████▌░░░░ 6/8
 tasks/s 152               ▁▂▂▃▃▄▅▅▆▆▇█
 more workers: cc worker`,
    );
  });

  test("in ASCII", () => {
    const rows = foremanRows(FOREMAN, PLACE, look({ ascii: true }));
    expect(shown(rows)).toStartWith("-- cc foreman -- ws://127.0.0.1:9000 ---");
    expect(shown(rows).replaceAll("\n", "")).toMatch(/^[\x20-\x7e]*$/);
  });

  test("says how to get workers when there are none, louder while tasks wait", () => {
    const none = { ...FOREMAN, workers: 0, slots: { busy: 0, total: 0 } };
    const idle = foremanRows({ ...none, queued: 0 }, PLACE, look({ name: "ansi16" }));
    expect(idle.at(-1)).toContain("\x1b[2mno workers yet: cc worker");
    const waiting = foremanRows(none, PLACE, look({ name: "ansi16" }));
    expect(waiting.at(-1)).toContain("\x1b[1;33mno workers, and tasks wait: cc worker");
  });
});

describe("the worker's", () => {
  test("on eighty columns", () => {
    expect(shown(workerRows(WORKER, WORKER_PLACE, look()))).toBe(
      `── cc worker ── up ── build-7 ── ws://10.0.0.4:9000 ───────────────────────────
 slots █████████████▌░░░░ 3/4  done 1204      failed 0
 waiting 12                    cpu 61%        memory 33%
 17/204   render-frames  1m12s
 17/1205  render-frames    11s
 9/0      mean              0s`,
    );
  });

  test("on forty columns", () => {
    expect(shown(workerRows(WORKER, WORKER_PLACE, look({ columns: 40 })))).toBe(
      `── cc worker ── up ── build-7 ─────────
 slots █████████████▌░░░░ 3/4
 done 1204      failed 0
 waiting 12     cpu 61%
 memory 33%
 17/204   render-frames  1m12s
 17/1205  render-frames    11s
 9/0      mean              0s`,
    );
  });

  test("shows a few of many tasks and how many more there are", () => {
    const tasks = Array.from({ length: 6 }, (_, at) => ({
      taskId: `1/${at}`,
      jobName: "sum",
      runningMs: 1_000,
    }));
    const rows = workerRows({ ...WORKER, tasks, moreTasks: 58 }, WORKER_PLACE, look());
    expect(rows).toHaveLength(3 + 6 + 1);
    expect(rows.at(-1)).toContain("and 58 more");
  });

  test("says what it is at", () => {
    const heading = (status: Partial<WorkerStatus>): string =>
      shown(workerRows({ ...WORKER, ...status }, WORKER_PLACE, look()).slice(0, 1));
    expect(heading({ connection: "connecting" })).toStartWith("── cc worker ── connecting ── ");
    expect(heading({ connection: "reconnecting" })).toContain(" reconnecting ");
    expect(heading({ mode: "draining" })).toContain(" draining ");
    expect(heading({ mode: "aborting" })).toContain(" ending ");
    const waits = workerRows({ ...WORKER, trouble: "the CPU is 97% busy" }, WORKER_PLACE, look());
    expect(waits[0]).toContain("waits");
    expect(waits[3]).toContain("takes no new tasks: the CPU is 97% busy");
  });

  test("shows names that try to steer the terminal as dead letters", () => {
    for (const jobName of hostileTexts(200)) {
      const tasks = [{ taskId: "1/0", jobName, runningMs: 1 }];
      for (const row of workerRows({ ...WORKER, tasks }, WORKER_PLACE, look()).slice(3)) {
        expect(stripSgr(row)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(cellWidth(stripSgr(row))).toBeLessThan(80);
      }
    }
  });
});

test("any size and any figures: no row reaches the last column, and the log keeps half the screen", () => {
  const sizes = [0, 1, 7, 9_999, 10_000, 1e6, 123_456_789, 1e12];
  for (let columns = 10; columns <= 130; columns += 3) {
    for (const [at, size] of sizes.entries()) {
      const rows = 5 + at * 4;
      for (const ascii of [false, true]) {
        const looks = look({ columns, rows, ascii, name: "ansi16" });
        const slots = { busy: Math.min(size, 4_000_000), total: Math.min(size * 2, 4_000_000) };
        const foreman = {
          ...FOREMAN,
          slots,
          queued: size,
          running: size,
          done: size,
          failed: size,
        };
        const tasks = [
          { taskId: `${size}/${size}`, jobName: "名".repeat(at * 9), runningMs: size },
        ];
        const worker = {
          ...WORKER,
          slots,
          waiting: size,
          tasks,
          moreTasks: size,
          trouble: "x y".repeat(40),
        };
        const place = {
          url: `ws://${"h".repeat(at * 20)}:1`,
          join: "cc worker --foreman x".repeat(4),
        };
        const drawn = [
          foremanRows(foreman, place, looks),
          workerRows(worker, { workerId: "w".repeat(at * 10), foreman: place.url }, looks),
        ];
        for (const status of drawn) {
          expect(status.length).toBeLessThanOrEqual(Math.floor(rows / 2));
          for (const row of status) {
            expect(cellWidth(row, { sgr: true })).toBeLessThan(columns);
          }
        }
      }
    }
  }
});
