/**
 * Tells the kernel whom to end first when memory runs out, and tells us afterwards that it did.
 * Linux only: elsewhere nothing is raised and nothing is counted.
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Tasks go before the worker, and before most of what else the machine runs. */
const TASK_OOM_SCORE = "1000";

/**
 * Raising one's own tasks' score needs no privilege, and what is forked from then on inherits it. What it
 * has forked before is found below it. Processes may have gone already.
 */
export function preferForOutOfMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, TASK_OOM_SCORE);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    for (const child of children.split(" ")) if (child !== "") preferForOutOfMemory(Number(child));
  } catch {
    // It has ended, or this is no Linux: then there is nothing to prefer.
  }
}

export interface OutOfMemoryWatch {
  /** Whether the kernel has ended a process for want of memory since the last look. */
  hasKilled(): boolean;
}

/** Look once at each heartbeat too, so that an old kill is not taken for the reason of a new one. */
export function createOutOfMemoryWatch(): OutOfMemoryWatch {
  let killsSeen = readKillCount();
  return {
    hasKilled() {
      const kills = readKillCount();
      const isMore = kills > killsSeen;
      killsSeen = kills;
      return isMore;
    },
  };
}

function readKillCount(): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync("/proc/vmstat", "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
