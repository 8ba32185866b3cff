/** What must be so once the monitor has left a terminal in which a shell waits. */
import { expect } from "bun:test";
import type { TestTerminal } from "../../../support/terminal/terminal.ts";

/** A shell that shows how the monitor ended and then waits, so that its terminal can be looked at. */
export const IN_SHELL = 'echo earlier text; $TOP; echo "ended with $?"; read -r _';

/** The monitor's process below that shell. */
export function monitorPid(terminal: TestTerminal): number {
  const monitor = terminal.processes().find(({ command }) => /^\S*\/cc top /.test(command));
  if (monitor === undefined) throw new Error("the monitor does not run");
  return monitor.pid;
}

/** Everything that a person would notice. */
export async function expectRestored(terminal: TestTerminal, exitCode: number): Promise<void> {
  await terminal.waitFor(/ended with \d+/);
  expect(terminal.modes()).toEqual({
    alternateScreen: false,
    cursorVisible: true,
    mouse: false,
    alternateScroll: false,
    bracketedPaste: false,
    focusEvents: false,
    synchronizedOutput: false,
    kittyKeyboard: 0,
  });
  expect(terminal.sttyState()).toEqual({ canonical: true, echo: true, signals: true });
  expect(terminal.screen()).toStartWith("earlier text\n");
  expect(terminal.screen()).toContain(`ended with ${exitCode}`);
  // The shell alone.
  expect(terminal.processes().map(({ command }) => command)).toHaveLength(1);
  terminal.keys("Enter");
  await terminal.untilAlone(1_000);
}
