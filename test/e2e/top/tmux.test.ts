/**
 * A second opinion: tmux reads what is written to a terminal with a parser of its own. What it shows must be
 * what the emulator of the other tests shows, also after moves and news, and it must find everything
 * restored. Needs tmux (scripts/install-system-packages.sh).
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRandom } from "../../support/fuzz/random.ts";
import { stepWorld } from "../../support/monitor/steps.ts";
import { RUN_MASKS } from "../../support/terminal/picture.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";
import { isLive, keysDone } from "./support/walk.ts";

const COLUMNS = 100;
const ROWS = 30;
const DEADLINE_MS = 15_000;
const LOOK_AGAIN_MS = 30;
const TMUX = Bun.which("tmux");
if (TMUX === null) console.error("tmux is not installed: its opinion is not heard");

let stage: TopStage;
beforeAll(async () => {
  stage = await openTopStage();
}, SETUP_MS);
afterAll(async () => {
  tmux("kill-server");
  await stage?.close();
});

function tmux(...words: readonly string[]): string {
  const { stdout } = Bun.spawnSync([TMUX ?? "", "-L", "cc-test", "-f", "/dev/null", ...words], {
    env: { ...stage.world.env, TMUX_TMPDIR: stage.world.folder, TERM: "xterm-256color", TZ: "UTC" },
  });
  return stdout.toString();
}

async function untilShown(isShown: () => boolean, expected = () => ""): Promise<void> {
  const endsAtMs = performance.now() + DEADLINE_MS;
  while (!isShown()) {
    if (performance.now() > endsAtMs)
      throw new Error(`not seen in tmux:\n${paneText()}\nexpected:\n${expected()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

const paneText = (): string => masked(tmux("capture-pane", "-p"));
const paneFlags = (): string =>
  tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").trim();

function masked(screen: string): string {
  const shown = RUN_MASKS.reduce(
    (text, { pattern, instead }) => text.replace(pattern, instead),
    screen,
  );
  // How long an answer took and how old it is differ between the two, and tmux gives no blanks at the ends.
  return shown
    .replaceAll(/(LIVE|DATA) .*(?=HH:MM:SS)/g, "")
    .replaceAll(/ +$/gm, "")
    .trimEnd();
}

test.skipIf(TMUX === null)(
  "tmux shows the same, and finds its screen restored",
  async () => {
    tmux("new-session", "-d", "-x", String(COLUMNS), "-y", String(ROWS), "/bin/sh");
    tmux("set-option", "-g", "status", "off");
    tmux("resize-window", "-x", String(COLUMNS), "-y", String(ROWS));
    tmux(
      "send-keys",
      `echo earlier text; ${stage.topWords().join(" ")}; echo ended with $?`,
      "Enter",
    );
    await untilShown(() => isLive(tmux("capture-pane", "-p")));
    expect(paneFlags()).toBe("1 0");
    const terminal = await stage.openLive({
      columns: COLUMNS,
      rows: ROWS,
      // What tmux tells programs about itself.
      env: { TERM: "tmux-256color" },
    });
    const random = createRandom(12);
    for (const keys of [
      ["j", "j"],
      ["Tab", "z"],
      ["z", "Enter"],
      ["3", "G"],
    ]) {
      stepWorld(stage.foreman.world, random);
      stage.foreman.push();
      for (const key of keys) {
        terminal.keys(key);
        tmux("send-keys", key);
      }
      tmux("send-keys", await keysDone(terminal));
      const expected = () => masked(terminal.screen());
      await untilShown(() => paneText() === expected(), expected);
    }
    tmux("send-keys", "q");
    await untilShown(() => paneText().includes("ended with 0"));
    expect(paneFlags()).toBe("0 1");
    expect(paneText()).toContain("earlier text");
  },
  60_000,
);
