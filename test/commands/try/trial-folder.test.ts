/** What an interrupted trial leaves is removed by the next one, and nothing else is. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTrialFolder } from "../../../src/commands/try/trial-folder.ts";

test("folders of trials that are gone are removed, those of living ones stay", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  const abandoned = join(tmpdir(), `cc-try-${child.pid}-abandoned`);
  const living = join(tmpdir(), `cc-try-${process.pid}-living`);
  mkdirSync(abandoned);
  mkdirSync(living);
  const folder = createTrialFolder();
  try {
    expect([existsSync(abandoned), existsSync(living)]).toEqual([false, true]);
  } finally {
    folder.remove();
    rmSync(living, { recursive: true });
  }
  expect(existsSync(folder.path)).toBe(false);
});
