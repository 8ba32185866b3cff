/** What the screen says is what the foreman says: exactly at rest, and soon while tasks end. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../faults/support/cluster.ts";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { GATED } from "../stage.ts";
import { openRealTop, type RealTop } from "./support/real-top.ts";
import { SETUP_MS } from "./support/top-stage.ts";
import { clockTicks } from "./support/walk.ts";

let real: RealTop;
beforeAll(async () => {
  real = await openRealTop();
  await real.worker("w1", ["--slots", "4"]);
}, SETUP_MS);
afterEach(() => real.closeTerminals());
afterAll(() => real?.close());

interface Counts {
  readonly total: number;
  readonly queued: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

async function countsOf(job: string): Promise<Counts> {
  return (await real.json(["jobs", job]))[0]?.["tasks"] as Counts;
}

/** The counts in the second line of a job's screen, by letter. */
function shownCounts(terminal: TestTerminal): Readonly<Record<string, number>> {
  const [, , line = ""] = terminal.screen().split("\n");
  const pairs = [...line.matchAll(/\b([QRCFX]) ([\d,]+)/g)];
  return Object.fromEntries(
    pairs.map(([, letter, count]) => [letter, Number(count?.replaceAll(",", ""))]),
  );
}

test("at rest the counts of a job are exactly the foreman's", async () => {
  const gate = real.gate("rest");
  // All four slots are held in the end, each by one of these.
  const script = 'case $1 in *5) exit 3;; 7|17|27|37) : > "held-$1"; read _ < "$2.go";; esac';
  const job = await real.submit([
    ...["--name", "at-rest", "--array", "1-60", "--max-fails", "none"],
    ...["--", "sh", "-c", script, "sh", "{}", gate.path],
  ]);
  const held = [7, 17, 27, 37].map((number) => join(real.world.folder, `held-${number}`));
  await eventually("all slots are held", () => held.every((file) => existsSync(file)));
  const terminal = await real.openLive({ args: [job], columns: 120, rows: 40 });
  await clockTicks(terminal, 2);
  const { queued, running, completed, failed } = await countsOf(job);
  expect(completed).toBeGreaterThan(20);
  expect(shownCounts(terminal)).toEqual({ Q: queued, R: running, C: completed, F: failed });
  await real.cc(["cancel", job]);
  const after = await countsOf(job);
  await terminal.waitFor(() => shownCounts(terminal)["X"] === after.cancelled);
});

test("while tasks end, the screen follows, and ends with the truth", async () => {
  const job = await real.submit(["--name", "busy", "--array", "1-20000", "--", "true"]);
  const terminal = await real.openLive({ args: [job], columns: 120, rows: 40 });
  for (let look = 0; look < 5; look++) {
    const { completed } = await countsOf(job);
    await terminal.waitFor(() => (shownCounts(terminal)["C"] ?? 0) >= completed);
  }
  await real.cc(["cancel", job]);
  const { completed, cancelled } = await countsOf(job);
  await terminal.waitFor(
    () => shownCounts(terminal)["C"] === completed && shownCounts(terminal)["X"] === cancelled,
  );
});

test("a foreman that was killed and started again is shown again without a key", async () => {
  const gate = real.gate("again");
  const job = await real.submit(["--name", "survivor", "--", ...GATED, gate.path]);
  await gate.started();
  const terminal = await real.openLive();
  await terminal.waitFor(/survivor/);
  const port = new URL(real.url).port;
  real.foreman.kill("SIGKILL");
  await terminal.waitFor(/RECONNECTING/);
  const again = real.start(["foreman", "--port", port]);
  await again.untilStderr(/workers join with/);
  await terminal.waitFor(/LIVE[\s\S]*survivor/);
  await gate.open();
  await real.cc(["wait", job]);
  await terminal.waitFor(/survivor +C\b/);
});
