/**
 * What the monitor does at a real foreman: each action names what will happen, does nothing unless one agrees,
 * and reports what the foreman acknowledged, which is then so for every other client, too.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { GATED } from "../stage.ts";
import { openRealTop, type RealTop } from "./support/real-top.ts";
import { SETUP_MS } from "./support/top-stage.ts";

let real: RealTop;
beforeAll(async () => {
  real = await openRealTop();
  await real.worker("w03", ["--slots", "2"]);
}, SETUP_MS);
afterEach(() => real.closeTerminals());
afterAll(() => real?.close());

async function stateOf(job: string): Promise<string> {
  return String((await real.json(["jobs", job]))[0]?.["state"]);
}

/** Presses the key, checks the question, and that No and Enter do nothing; then agrees. */
async function agreeTo(terminal: TestTerminal, key: string, question: RegExp): Promise<void> {
  for (const no of ["n", "Enter"]) {
    terminal.keys(key);
    await terminal.waitFor(question);
    terminal.keys(no);
    await terminal.waitFor((screen) => !question.test(screen) && /nothing was done/.test(screen));
  }
  terminal.keys(key);
  await terminal.waitFor(question);
  terminal.keys("y");
}

describe("an action is asked, agreed to and acknowledged", () => {
  test("cancel of a job", async () => {
    const gate = real.gate("cancel");
    const job = await real.submit(["--name", "to-cancel", "--", ...GATED, gate.path]);
    await gate.started();
    const terminal = await real.openLive({ args: [job] });
    await terminal.waitFor(/to-cancel/);
    await agreeTo(terminal, "c", new RegExp(`Cancel job ${job} "to-cancel"`));
    await terminal.waitFor(new RegExp(`job ${job}: 1 task cancelled`));
    expect(await stateOf(job)).toBe("cancelled");
    await terminal.waitFor(/X cancelled/);
    terminal.keys("c");
    await terminal.waitFor(new RegExp(`job ${job} .*nothing to cancel`));
  });

  test("retry of what failed", async () => {
    const flag = real.file("flag", "");
    const job = await real.submit(["--name", "to-retry", "--shell", "--", `test ! -e ${flag}`]);
    await real.cc(["wait", job]);
    expect(await stateOf(job)).toBe("failed");
    const terminal = await real.openLive({ args: [job] });
    rmSync(join(real.world.folder, flag));
    await agreeTo(terminal, "r", new RegExp(`Retry the 1 task of job ${job} "to-retry"`));
    await terminal.waitFor(new RegExp(`job ${job}: 1 task queued again`));
    await real.cc(["wait", job]);
    expect(await stateOf(job)).toBe("completed");
    await terminal.waitFor(/C completed/);
  });

  test("pause of a job, and its undo", async () => {
    const gate = real.gate("pause");
    const job = await real.submit(["--name", "to-pause", "--", ...GATED, gate.path]);
    await gate.started();
    const terminal = await real.openLive({ args: [job] });
    await agreeTo(terminal, "p", new RegExp(`Pause job ${job}`));
    await terminal.waitFor(
      new RegExp(`job ${job} is paused; 1 running task finishes +\\(u: undo\\)`),
    );
    expect(await stateOf(job)).toBe("paused");
    terminal.keys("u");
    await terminal.waitFor(new RegExp(`job ${job} goes on`));
    expect(await stateOf(job)).toBe("running");
    await gate.open();
    await real.cc(["wait", job]);
  });

  test("drain of a worker, and its undo", async () => {
    const gate = real.gate("drain");
    const job = await real.submit(["--", ...GATED, gate.path]);
    await gate.started();
    const terminal = await real.openLive({ args: ["w03"] });
    await agreeTo(terminal, "d", /Drain worker w03/);
    await terminal.waitFor(/worker w03 drains/);
    expect((await real.json(["workers", "w03"]))[0]).toMatchObject({ state: "draining" });
    terminal.keys("u");
    await terminal.waitFor(/worker w03 stays/);
    expect((await real.json(["workers", "w03"]))[0]).toMatchObject({ state: "up" });
    await gate.open();
    await real.cc(["wait", job]);
  });
});
