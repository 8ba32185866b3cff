/**
 * What this machine has and how busy it is: processors and memory that this process may use, and the
 * load that `--max-cpu` and `--max-memory` are held against. On Linux by /proc and cgroups, elsewhere
 * by what the runtime says.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { type ControlGroupRoots, readCpuQuota, readMemoryGroup } from "./control-groups.ts";

export interface HostLoad {
  /** Of the whole machine since the sample before, 0 to 100. */
  readonly cpuPercent: number;
  /** Of the machine, or of a smaller limit that this process is under: whichever is fuller. */
  readonly memoryPercent: number;
}

export interface HostProbe {
  /** Cores by affinity and quota, at least 1: the default of `--slots`. */
  readonly processorCount: number;
  /** What may be reserved with `--mem`. */
  readonly memoryBytes: number;
  /** Cheap enough for every heartbeat. */
  sample(): HostLoad;
}

const SYSTEM_ROOTS: ControlGroupRoots = { proc: "/proc", cgroup: "/sys/fs/cgroup" };

export function createHostProbe(roots: ControlGroupRoots = SYSTEM_ROOTS): HostProbe {
  let before = readCpuTimes(roots.proc);
  return {
    processorCount: countProcessors(roots),
    memoryBytes: Math.min(
      readMemory(roots.proc).totalBytes,
      readMemoryGroup(roots)?.limitBytes ?? Number.POSITIVE_INFINITY,
    ),
    sample() {
      const now = readCpuTimes(roots.proc);
      const cpuPercent = busyPercent(before, now);
      before = now;
      return { cpuPercent, memoryPercent: readMemoryPercent(roots) };
    },
  };
}

/** A quota of 1.5 processors is one slot: two tasks would each run at three quarters. */
export function countProcessors(roots: ControlGroupRoots): number {
  const status = read(join(roots.proc, "self", "status"));
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? "")?.[1];
  const byAffinity = allowed === undefined ? availableParallelism() : countRanges(allowed);
  const quota = readCpuQuota(roots) ?? byAffinity;
  return Math.max(1, Math.floor(Math.min(byAffinity, quota)));
}

/** Counts a list such as `0-3,8,10-11`. */
export function countRanges(list: string): number {
  let count = 0;
  for (const range of list.split(",")) {
    const [first, last] = range.split("-").map(Number);
    if (first !== undefined && !Number.isNaN(first)) count += (last ?? first) - first + 1;
  }
  return count;
}

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

function readCpuTimes(proc: string): CpuTimes {
  const line = /^cpu +(.*)$/m.exec(read(join(proc, "stat")) ?? "")?.[1];
  return line === undefined ? cpuTimesOfRuntime() : parseCpuTimes(line);
}

/** user nice system idle iowait irq softirq steal; guest times are within user's already. */
export function parseCpuTimes(line: string): CpuTimes {
  const times = line.trim().split(/\s+/).slice(0, 8).map(Number);
  const total = times.reduce((sum, time) => sum + time, 0);
  const idle = (times[3] ?? 0) + (times[4] ?? 0);
  return { busy: total - idle, total };
}

function cpuTimesOfRuntime(): CpuTimes {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, total: busy + idle };
}

function busyPercent(before: CpuTimes, now: CpuTimes): number {
  const total = now.total - before.total;
  if (total <= 0) return 0;
  return Math.min(100, Math.max(0, (100 * (now.busy - before.busy)) / total));
}

function readMemoryPercent(roots: ControlGroupRoots): number {
  const { totalBytes, availableBytes } = readMemory(roots.proc);
  const ofMachine = 100 * (1 - availableBytes / totalBytes);
  const group = readMemoryGroup(roots);
  const ofGroup = group === null ? 0 : (100 * group.usedBytes) / group.limitBytes;
  return Math.min(100, Math.max(ofMachine, ofGroup));
}

function readMemory(proc: string): {
  readonly totalBytes: number;
  readonly availableBytes: number;
} {
  const text = read(join(proc, "meminfo"));
  const total = /^MemTotal:\s+(\d+) kB/m.exec(text ?? "")?.[1];
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(text ?? "")?.[1];
  if (total === undefined || available === undefined) {
    return { totalBytes: totalmem(), availableBytes: freemem() };
  }
  return { totalBytes: Number(total) * 1024, availableBytes: Number(available) * 1024 };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
