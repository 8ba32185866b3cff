/**
 * CPU and resident memory of tasks, by the session that each one's processes are in. Reads all of /proc,
 * so it is for while somebody looks; elsewhere than on Linux it knows nothing.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface SessionUsage {
  /** CPU time so far, of what lives and of children it has waited for. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** The kernel fixes it for user space. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** By the session's leader; those of which nothing lives are missing. */
export function readSessionUsage(
  leaderPids: ReadonlySet<number>,
): ReadonlyMap<number, SessionUsage> {
  const usage = new Map<number, SessionUsage>();
  if (leaderPids.size === 0) return usage;
  for (const name of listProcesses()) {
    const stat = readStat(name);
    if (stat === null || !leaderPids.has(stat.sessionId)) continue;
    const before = usage.get(stat.sessionId);
    usage.set(stat.sessionId, {
      cpuMs: (before?.cpuMs ?? 0) + stat.cpuMs,
      residentBytes: (before?.residentBytes ?? 0) + stat.residentBytes,
    });
  }
  return usage;
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Parses `/proc/PID/stat`; the command's name may itself hold spaces and brackets. */
export function parseUsage(text: string): (SessionUsage & { readonly sessionId: number }) | null {
  const nameEnd = text.lastIndexOf(")");
  if (nameEnd < 0) return null;
  // Numbered in proc(5) from 1, and the state, first after the name, is the third.
  const fields = text.slice(nameEnd + 2).split(" ", 22);
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return {
    sessionId: Number(fields[3]),
    cpuMs: (ticks * 1000) / TICKS_PER_SECOND,
    residentBytes: Number(fields[21]) * PAGE_BYTES,
  };
}

function readStat(name: string): ReturnType<typeof parseUsage> {
  try {
    return parseUsage(readFileSync(`/proc/${name}/stat`, "latin1"));
  } catch {
    // Gone meanwhile.
    return null;
  }
}
