/** Ctrl-Z gives the shell its terminal back as it was, and `fg` brings the monitor and its keys back. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { keysDone } from "./support/walk.ts";

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

/** A shell with job control, as a person has one. */
const INTERACTIVE = "exec env PS1='prompt> ' /bin/bash --norc --noprofile -i";

test("Ctrl-Z and fg, twice", async () => {
  const terminal = stage.open({ shell: INTERACTIVE });
  await terminal.waitFor(/prompt> $/m);
  terminal.type("echo earlier text; $TOP\r");
  await terminal.waitFor(/LIVE/);
  for (const round of ["one", "two"]) {
    terminal.keys("Ctrl-Z");
    await terminal.waitFor(/Stopped[\s\S]*prompt> $/m);
    expect(terminal.modes()).toMatchObject({ alternateScreen: false, cursorVisible: true });
    expect(terminal.modes()).toMatchObject({ bracketedPaste: true, kittyKeyboard: 0 });
    expect(terminal.screen()).toContain("earlier text");
    terminal.type(`echo shell-${round}-$((1+1))\r`);
    await terminal.waitFor(new RegExp(`^shell-${round}-2$`, "m"));
    terminal.type("fg\r");
    await terminal.waitFor(() => terminal.modes().alternateScreen);
    await terminal.waitFor(/LIVE/);
    await keysDone(terminal);
    expect(terminal.sttyState()).toMatchObject({ canonical: false, echo: false });
  }
  terminal.keys("q");
  await terminal.waitFor(/shell-two-2[\s\S]*prompt> $/m);
  terminal.type("exit\r");
  await terminal.untilAlone(1_000);
});

test("a resize while it is suspended is seen when it is back", async () => {
  const terminal = stage.open({ shell: INTERACTIVE });
  await terminal.waitFor(/prompt> $/m);
  terminal.type("$TOP\r");
  await terminal.waitFor(/LIVE/);
  terminal.keys("Ctrl-Z");
  await terminal.waitFor(/Stopped[\s\S]*prompt> $/m);
  terminal.resize(120, 40);
  terminal.type("fg\r");
  await terminal.waitFor(() => terminal.modes().alternateScreen);
  await terminal.waitFor(/LIVE/);
  await terminal.waitFor(() => terminal.row(39).trim() !== "");
  terminal.keys("q");
  await terminal.waitFor(/prompt> $/m);
});
