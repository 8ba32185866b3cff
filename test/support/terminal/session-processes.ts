/** The processes of a terminal's session: what must be gone when the person has gone. */
import { readdirSync, readFileSync } from "node:fs";

export interface SessionProcess {
  readonly pid: number;
  readonly command: string;
}

/** Zombies are not counted: they have ended. */
export function sessionProcesses(sessionId: number): readonly SessionProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readStat(name);
      // "pid (command) state ppid pgrp session …", and a command may hold anything.
      const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (session !== String(sessionId) || state === "Z") return [];
      return [{ pid: Number(name), command: commandOf(name) }];
    });
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // Ended since the folder was listed.
    return "";
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
