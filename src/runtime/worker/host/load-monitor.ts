/**
 * How busy the machine is, and how much of that this worker's own tasks are. Full slots are no reason
 * to stop, but what other programs use is: hence the two figures. Samples on a timer of its own, so
 * that a heartbeat only passes on what is known.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { HostProbe } from "./host-probe.ts";

export interface LoadSample {
  readonly cpuPercent: number;
  readonly memoryPercent: number;
  /** `cpuPercent` without what this worker and its tasks used. */
  readonly foreignCpuPercent: number;
}

export interface LoadMonitorOptions {
  readonly probe: HostProbe;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** What runs now, executors and commands: each leads a session of its own. */
  readonly ownLeaderPids: () => Iterable<number>;
  readonly onSample: (sample: LoadSample) => void;
}

/** Ticks a second in /proc; the kernel fixes it for user space. */
const TICKS_PER_SECOND = 100;

/** The answer stops it. */
export function watchLoad(options: LoadMonitorOptions): () => void {
  const { probe, clock, intervalMs } = options;
  const machineCpus = countMachineCpus();
  let ticksByPid = readOwnTicks(options.ownLeaderPids());
  let sampledAtMs = clock.monotonicMs();
  let timer: Timer = clock.setTimer(intervalMs, sample, { holdsProcess: false });
  probe.sample();

  function sample(): void {
    const { cpuPercent, memoryPercent } = probe.sample();
    const now = clock.monotonicMs();
    const ticks = readOwnTicks(options.ownLeaderPids());
    const capacityTicks = ((now - sampledAtMs) / 1000) * TICKS_PER_SECOND * machineCpus;
    // Where our own share cannot be told, all load counts as ours: full slots must not stop themselves.
    const ownPercent =
      ticks === null || ticksByPid === null
        ? 100
        : (100 * usedTicks(ticksByPid, ticks)) / Math.max(1, capacityTicks);
    ticksByPid = ticks;
    sampledAtMs = now;
    const foreignCpuPercent = Math.max(0, cpuPercent - ownPercent);
    options.onSample({ cpuPercent, memoryPercent, foreignCpuPercent });
    timer = clock.setTimer(intervalMs, sample, { holdsProcess: false });
  }

  return () => timer.cancel();
}

/**
 * CPU ticks of this process and of all in the sessions of `leaderPids`, with those of children they
 * have waited for: what has ended is counted by its parent, in the end by this worker. Null where
 * there is no /proc.
 */
function readOwnTicks(leaderPids: Iterable<number>): Map<number, number> | null {
  const sessions = new Set(leaderPids);
  const ticks = new Map<number, number>();
  for (const name of listProcesses()) {
    const stat = readStat(name);
    if (stat === null) continue;
    const isOwn = stat.pid === process.pid || sessions.has(stat.sessionId);
    if (isOwn) ticks.set(stat.pid, stat.ticks);
  }
  return ticks.has(process.pid) ? ticks : null;
}

/** What such a process had used before the last sample, its parent has been given too since. */
function usedTicks(before: ReadonlyMap<number, number>, now: ReadonlyMap<number, number>): number {
  let used = 0;
  for (const [pid, ticks] of now) used += ticks - (before.get(pid) ?? 0);
  for (const [pid, ticks] of before) if (!now.has(pid)) used -= ticks;
  return Math.max(0, used);
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

interface ProcessTicks {
  readonly pid: number;
  readonly sessionId: number;
  readonly ticks: number;
}

function readStat(name: string): ProcessTicks | null {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, "latin1");
    // The command's name may hold anything, brackets too; field 3 stands behind its last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 15);
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { pid: Number(name), sessionId: Number(fields[3]), ticks };
  } catch {
    return null;
  }
}

function countMachineCpus(): number {
  try {
    return readFileSync("/proc/stat", "latin1").match(/^cpu\d+ /gm)?.length ?? 1;
  } catch {
    return navigator.hardwareConcurrency;
  }
}
