/**
 * Waiting for what must appear on a screen: looks again whenever something was drawn, and ends with the screen
 * when it does not come.
 */
import type { Emulator } from "./emulator.ts";

export type Expected = RegExp | ((screen: string) => boolean);

export interface ScreenWatch {
  /** Something was drawn, or the program has ended. */
  wake(): void;
  /** Resolves once what is awaited is on the screen and the picture is whole. */
  waitFor(expected: Expected, deadlineMs: number): Promise<void>;
}

export const screenText = (emulator: Emulator): string => emulator.rowTexts().join("\n");

export function watchScreen(emulator: Emulator, hasEnded: () => boolean): ScreenWatch {
  const looks = new Set<() => void>();
  const isSeen = (expected: Expected): boolean => {
    if (!hasEnded() && emulator.modes().synchronizedOutput) return false;
    const screen = screenText(emulator);
    return typeof expected === "function" ? expected(screen) : expected.test(screen);
  };
  return {
    wake() {
      for (const look of looks) look();
    },
    waitFor(expected, deadlineMs) {
      // Taken here, so that a failure names the line of the test.
      const failure = new Error("not seen");
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          looks.delete(look);
          const state = hasEnded() ? "The program has ended." : "The program still runs.";
          failure.message = `not seen within ${deadlineMs} ms: ${expected}\n${state}\n${framed(emulator)}`;
          reject(failure);
        }, deadlineMs);
        const look = (): void => {
          if (!isSeen(expected)) return;
          clearTimeout(timer);
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
      });
    },
  };
}

/** The screen with a frame around it, so that blanks and widths are seen. */
function framed(emulator: Emulator): string {
  const edge = `+${"-".repeat(emulator.columns)}+`;
  const rows = emulator.rowTexts().map((row) => `|${row}`);
  return [edge, ...rows, edge].join("\n");
}
