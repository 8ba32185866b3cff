/**
 * The health of the disk that tasks need: scratch folders, input files and code lie there. Looks at it
 * on a timer of its own and whenever something could not be written; while it is in trouble it also
 * tries to write, since only that shows that a disk which refuses (read-only, a quota) is well again.
 * A healthy disk is never written to.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "../../platform/clock.ts";
import { findSpaceTrouble } from "../../platform/free-space.ts";

export interface StorageWatch {
  /** Something could not be written: looks at once, and tries. */
  check(): void;
  stop(): void;
}

export interface StorageWatchOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** When it changes; null: all is well. */
  readonly onTrouble: (trouble: string | null) => void;
}

/** A block, so that a full disk has no room for it. */
const PROBE = new Uint8Array(4096);

export function watchStorage(options: StorageWatchOptions): StorageWatch {
  const { folder, clock, intervalMs, onTrouble } = options;
  let trouble: string | null = null;
  let timer: Timer = clock.setTimer(intervalMs, onTimer, { holdsProcess: false });

  function onTimer(): void {
    look(trouble !== null);
    timer = clock.setTimer(intervalMs, onTimer, { holdsProcess: false });
  }

  function look(isWriting: boolean): void {
    const space = findSpaceTrouble(folder, { wasInTrouble: trouble !== null });
    const found = space ?? (isWriting ? tryWriting(folder) : null);
    // A reason that only changed its figure is no news.
    const isNews = (found === null) !== (trouble === null);
    trouble = found;
    if (isNews) onTrouble(found);
  }

  look(false);
  return { check: () => look(true), stop: () => timer.cancel() };
}

function tryWriting(folder: string): string | null {
  const path = join(folder, "probe");
  try {
    // What an earlier try could not finish, or not remove.
    rmSync(path, { force: true });
    writeFileSync(path, PROBE, { mode: 0o600 });
    rmSync(path, { force: true });
    return null;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return `${folder} cannot be written (${code ?? message})`;
  }
}
