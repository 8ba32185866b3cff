/** Diagnostics go to the file named by CC_TOP_LOG and nowhere else: the screen is taken. */
import { appendFileSync } from "node:fs";
import type { Clock } from "../../runtime/platform/clock.ts";

export type Note = (what: string) => void;

export function openNotes(file: string | undefined, clock: Clock): Note {
  if (file === undefined || file === "") return () => undefined;
  return (what) => {
    try {
      appendFileSync(file, `${new Date(clock.nowMs()).toISOString()} ${what}\n`);
    } catch {
      // A note that cannot be kept must not end the monitor.
    }
  };
}
