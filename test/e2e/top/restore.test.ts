/**
 * However the monitor ends, the terminal is as before: the shell's screen with what was on it, the cursor,
 * the modes, the line's state; and nothing of it runs any more. Only SIGKILL may leave it otherwise.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { TestTerminal } from "../../support/terminal/terminal.ts";
import { expectRestored, IN_SHELL, monitorPid } from "./support/restored.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

async function openInShell(): Promise<TestTerminal> {
  const terminal = await stage.openLive({ shell: IN_SHELL });
  expect(terminal.modes()).toMatchObject({ alternateScreen: true, cursorVisible: false });
  expect(terminal.sttyState()).toMatchObject({ canonical: false, echo: false });
  return terminal;
}

describe("the terminal is as before after", () => {
  for (const key of ["q", "Ctrl-C"]) {
    test(`the key ${key}`, async () => {
      const terminal = await openInShell();
      terminal.keys(key);
      await expectRestored(terminal, 0);
      expect(terminal.screen()).toBe(`earlier text\nended with 0${"\n".repeat(22)}`);
    });
  }

  const SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130, SIGQUIT: 131 } as const;
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    test(signal, async () => {
      const terminal = await openInShell();
      process.kill(monitorPid(terminal), signal as NodeJS.Signals);
      await expectRestored(terminal, exitCode);
    });
  }

  test("q while the foreman is gone", async () => {
    const terminal = await openInShell();
    await stage.foreman.goAway();
    await terminal.waitFor(/RECONNECTING/);
    terminal.keys("q");
    await expectRestored(terminal, 0);
    await stage.foreman.comeBack();
  });

  test("Ctrl-C in a text field, in a question and before there is any data", async () => {
    for (const keys of [["/", "x"], ["c"], [":"], ["?"]]) {
      const terminal = await openInShell();
      terminal.keys(...keys, "Ctrl-C");
      await expectRestored(terminal, 0);
      await stage.closeTerminals();
    }
    stage.foreman.hold();
    const terminal = stage.open({ shell: IN_SHELL });
    await terminal.waitFor(() => terminal.modes().alternateScreen);
    terminal.keys("Ctrl-C");
    await expectRestored(terminal, 0);
    stage.foreman.release();
  });
});

test("nothing stays behind when the terminal's window is closed", async () => {
  const terminal = await stage.openLive();
  terminal.hangUp();
  await terminal.untilAlone(1_000);
});
