/**
 * The machine's processes as a sweep needs them. Linux: /proc. Elsewhere: `ps`, which shows no
 * environments, so tokens find nothing there and only groups, sessions and descent count.
 * Never throws for a process that has gone meanwhile.
 */
import { readdirSync, readFileSync } from "node:fs";
import { ATTEMPT_TOKEN_VARIABLE } from "./attempt-token.ts";

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** When it started, in ticks since the machine's start; 0 where the system does not tell. */
  readonly startTicks: number;
  /** Ended already, only not yet waited for by its parent: it cannot be and need not be killed. */
  readonly isZombie: boolean;
}

const isLinux = process.platform === "linux";

export function readProcessTable(): ProcessEntry[] {
  if (!isLinux) return parseProcessList(listWithPs());
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const stat = readQuietly(`/proc/${name}/stat`);
    const entry = stat === null ? null : parseStat(stat.toString("latin1"));
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** Parses `/proc/PID/stat`; the command's name may itself hold spaces and brackets. */
export function parseStat(text: string): ProcessEntry | null {
  const nameEnd = text.lastIndexOf(")");
  if (nameEnd < 0) return null;
  // Numbered in proc(5) from 1, and the state, first after the name, is the third.
  const fields = text.slice(nameEnd + 2).split(" ", 20);
  const [state, parentPid, groupId, sessionId] = fields;
  return {
    pid: Number.parseInt(text, 10),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks: Number(fields[19]),
    isZombie: state === "Z" || state === "X",
  };
}

/** Parses `ps -axo pid=,ppid=,pgid=,sess=,stat=`. */
export function parseProcessList(text: string): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const line of text.split("\n")) {
    const [pid, parentPid, groupId, sessionId, state] = line.trim().split(/\s+/);
    if (state === undefined) continue;
    entries.push({
      pid: Number(pid),
      parentPid: Number(parentPid),
      groupId: Number(groupId),
      sessionId: Number(sessionId),
      startTicks: 0,
      isZombie: state.startsWith("Z"),
    });
  }
  return entries;
}

/**
 * The token in a process's environment when it begins with `prefix`; null when it has none, has
 * gone, or belongs to another account.
 */
export function tokenOfProcess(pid: number, prefix: string): string | null {
  if (!isLinux) return null;
  const environment = readQuietly(`/proc/${pid}/environ`);
  if (environment === null) return null;
  const needle = `${ATTEMPT_TOKEN_VARIABLE}=${prefix}`;
  let at = environment.indexOf(needle);
  while (at > 0 && environment[at - 1] !== 0) at = environment.indexOf(needle, at + 1);
  if (at < 0) return null;
  const end = environment.indexOf(0, at);
  const from = at + ATTEMPT_TOKEN_VARIABLE.length + 1;
  return environment.toString("latin1", from, end < 0 ? environment.length : end);
}

/** With the number, the start names a process for good. null when there is no such process. */
export function startTicksOf(pid: number): number | null {
  if (!isLinux) return isAlive(pid) ? 0 : null;
  const stat = readQuietly(`/proc/${pid}/stat`);
  return stat === null ? null : (parseStat(stat.toString("latin1"))?.startTicks ?? null);
}

/** Resident memory of one process, 0 when it has gone. In bytes; shared pages count in full. */
export function residentBytes(pid: number): number {
  const status = readQuietly(`/proc/${pid}/status`);
  if (status === null) return 0;
  const match = /^VmRSS:\s+(\d+) kB/m.exec(status.toString("latin1"));
  return match === null ? 0 : Number(match[1]) * 1024;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function readQuietly(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    // Processes end while they are looked at, and those of other accounts are not ours to see.
    return null;
  }
}

function listWithPs(): string {
  const listed = Bun.spawnSync(["ps", "-axo", "pid=,ppid=,pgid=,sess=,stat="], {
    stdin: "ignore",
    stderr: "ignore",
    timeout: 5_000,
  });
  return listed.stdout.toString();
}
