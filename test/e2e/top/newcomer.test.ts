/**
 * Two minutes of somebody who has never seen it: they submit a job, watch it, find out why a task failed, mend
 * the cause, retry what failed, see it complete and quit. Each key they press is one that the screen named
 * before: in its footer, in `?`, or in the question it asked.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { openRealTop, type RealTop } from "./support/real-top.ts";
import { SETUP_MS } from "./support/top-stage.ts";

let real: RealTop;
beforeAll(async () => {
  real = await openRealTop();
  await real.worker("desk", ["--slots", "2"]);
}, SETUP_MS);
afterAll(() => real?.close());

/** Presses the key only if the screen says that it does this. */
async function pressAsNamed(terminal: TestTerminal, key: string, named: RegExp): Promise<void> {
  await terminal.waitFor(named);
  terminal.keys(key);
}

test("submit, watch, find the failure, retry it and quit, with only what the screen says", async () => {
  const script = 'echo "reading prices"; cat prices.txt || { echo "no prices today" >&2; exit 4; }';
  const terminal = real.open({ columns: 80, rows: 24 });
  await terminal.waitFor(/no jobs/i);
  expect(terminal.screen()).toMatch(/cc submit/);
  const job = await real.submit(["--name", "report", "--", "sh", "-c", script]);
  await terminal.waitFor(/report +F/);

  // All keys, and out again.
  await pressAsNamed(terminal, "?", /\? all keys/);
  await terminal.waitFor(/log of the newest failed/);
  await pressAsNamed(terminal, "Esc", /Esc/);
  await terminal.waitFor((screen) => !/log of the newest failed/.test(screen));

  // Why did it fail?
  await pressAsNamed(terminal, "l", /\bl log\b/);
  // The two come through pipes of their own.
  await terminal.waitFor(
    (screen) => /reading prices/.test(screen) && /no prices today/.test(screen),
  );
  await pressAsNamed(terminal, "Esc", /Esc back/);
  await terminal.waitFor(/F failed .*exit 4/);

  // Mend it and try again.
  writeFileSync(join(real.world.folder, "prices.txt"), "12\n");
  await pressAsNamed(terminal, "R", /\bR retry task\b/);
  await pressAsNamed(terminal, "y", /\by yes\b/);
  await terminal.waitFor(/C completed/);
  await pressAsNamed(terminal, "Esc", /Esc back/);
  await pressAsNamed(terminal, "Esc", /Esc back/);
  await terminal.waitFor(/report +C/);
  await pressAsNamed(terminal, "?", /\? all keys/);
  await pressAsNamed(terminal, "Esc", /\bq\b.*quit/);
  await terminal.waitFor((screen) => !/q +quit/.test(screen));
  terminal.keys("q");
  expect(await terminal.end()).toEqual({ exitCode: 0, signal: null });
  expect((await real.json(["jobs", job]))[0]).toMatchObject({ state: "completed" });
}, 60_000);
