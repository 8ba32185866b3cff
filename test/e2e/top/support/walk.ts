/** How tests know that the monitor has done what it was told: by what it then shows. */
import type { TestTerminal } from "../../../support/terminal/terminal.ts";

/** Keys that mean nothing anywhere; each use takes the next one, so that its notice is new. */
const MEANINGLESS = ["5", "6", "7", "8", "9"] as const;
const used = new WeakMap<TestTerminal, number>();
const NOTICE_MS = 3_000;

/**
 * Resolves when all keys pressed so far have been dealt with. Nothing may lie over the screen.
 * @returns the key that was answered.
 */
export async function keysDone(terminal: TestTerminal): Promise<string> {
  // What an earlier key has started may end just then, and its notice take the place of ours.
  for (let again = 0; again < MEANINGLESS.length - 1; again++) {
    const key = nextKey(terminal);
    terminal.keys(key);
    const isAnswered = await terminal.waitFor(noticeOf(key), NOTICE_MS).then(
      () => true,
      () => false,
    );
    if (isAnswered) return key;
  }
  const key = nextKey(terminal);
  terminal.keys(key);
  await terminal.waitFor(noticeOf(key));
  return key;
}

const noticeOf = (key: string): RegExp => new RegExp(`no action on "${key}" here`);

function nextKey(terminal: TestTerminal): string {
  const count = used.get(terminal) ?? 0;
  used.set(terminal, count + 1);
  return MEANINGLESS[count % MEANINGLESS.length] ?? "5";
}

/** As `keysDone`, and its notice is gone again: the screen is as it was, with the cursor on the first row. */
export async function settled(terminal: TestTerminal): Promise<void> {
  await keysDone(terminal);
  terminal.keys("g");
  await terminal.waitFor((screen) => !screen.includes("no action on"));
}

const CLOCK = /\b\d\d:\d\d:\d\d\b/;

/** Resolves when the clock has moved on by so many seconds: what came before has been drawn by then. */
export async function clockTicks(terminal: TestTerminal, count = 1): Promise<void> {
  for (let tick = 0; tick < count; tick++) {
    const before = CLOCK.exec(terminal.screen())?.[0];
    await terminal.waitFor((screen) => {
      const now = CLOCK.exec(screen)?.[0];
      return now !== undefined && now !== before;
    });
  }
}

/** There is a foreman, and what it said about this place. */
export const isLive = (screen: string): boolean =>
  /^[^\n]* LIVE\b/.test(screen) && !/Waiting for /.test(screen);
