/**
 * A wall clock that a test sets, for real processes: libfaketime, told to leave the monotonic clock
 * alone. Where it is not installed there is none, and the tests that need it are skipped.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface FakeTime {
  /** For a process whose wall clock is off by this much: `+1d`, `-1d`, `+0`. */
  fixed(offset: string): Readonly<Record<string, string>>;
  /** For processes whose wall clock is set while they run. */
  settable(file: string): SettableTime;
}

export interface SettableTime {
  readonly env: Readonly<Record<string, string>>;
  /** All processes see it at their next look at the clock. */
  set(offset: string): void;
}

/** null: not installed here. */
export function findFakeTime(): FakeTime | null {
  const library = findLibrary();
  if (library === null) return null;
  const env = { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
  return {
    fixed: (offset) => ({ ...env, FAKETIME: offset }),
    settable(file) {
      const set = (offset: string): void => writeFileSync(file, `${offset}\n`);
      set("+0");
      return { env: { ...env, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1" }, set };
    },
  };
}

const LIBRARY_ROOT = "/usr/lib";
const LIBRARY = "faketime/libfaketime.so.1";

/** Debian keeps it in a folder of the machine's architecture. */
function findLibrary(): string | null {
  if (!existsSync(LIBRARY_ROOT)) return null;
  const folders = ["", ...readdirSync(LIBRARY_ROOT)];
  const found = folders.map((folder) => join(LIBRARY_ROOT, folder, LIBRARY)).find(existsSync);
  return found ?? null;
}
