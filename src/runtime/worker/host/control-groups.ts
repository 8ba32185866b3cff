/**
 * The limits that a container or a service manager has set on this process: CPU quota and memory, of
 * cgroup v2 and v1. Every level from this process's own group up to the root counts; a file that is
 * missing sets no limit.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface ControlGroupRoots {
  /** Usually `/proc`. */
  readonly proc: string;
  /** Usually `/sys/fs/cgroup`. */
  readonly cgroup: string;
}

export interface MemoryGroup {
  readonly limitBytes: number;
  /** Without what could be dropped at once (inactive file pages). */
  readonly usedBytes: number;
}

/** The smallest quota in processors, such as 1.5; null without one. */
export function readCpuQuota(roots: ControlGroupRoots): number | null {
  let smallest: number | null = null;
  for (const folder of groupFolders(roots, "cpu")) {
    const quota = quotaOfV2(folder) ?? quotaOfV1(folder);
    if (quota !== null && (smallest === null || quota < smallest)) smallest = quota;
  }
  return smallest;
}

/** The group with the smallest memory limit; null without one. */
export function readMemoryGroup(roots: ControlGroupRoots): MemoryGroup | null {
  let smallest: MemoryGroup | null = null;
  for (const folder of groupFolders(roots, "memory")) {
    const group = memoryOf(folder);
    if (group !== null && (smallest === null || group.limitBytes < smallest.limitBytes)) {
      smallest = group;
    }
  }
  return smallest;
}

/** All folders that may limit this process. Inside a container the named path may not exist. */
function groupFolders({ proc, cgroup }: ControlGroupRoots, controller: string): string[] {
  const folders: string[] = [];
  for (const line of (read(join(proc, "self", "cgroup")) ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isV2 = controllers === "";
    if (!isV2 && !controllers.split(",").includes(controller)) continue;
    const mounts = isV2 ? [cgroup, join(cgroup, "unified")] : [join(cgroup, controllers)];
    if (!isV2 && controllers !== controller) mounts.push(join(cgroup, controller));
    for (const mount of mounts) folders.push(...withParents(mount, path));
  }
  return folders;
}

function withParents(mount: string, path: string): string[] {
  const folders = [join(mount, path)];
  for (let at = path; at !== "/"; ) {
    at = dirname(at);
    folders.push(join(mount, at));
  }
  return folders;
}

function quotaOfV2(folder: string): number | null {
  const [quota, period] = (read(join(folder, "cpu.max")) ?? "max").trim().split(" ");
  return quota === "max" ? null : ratio(Number(quota), Number(period));
}

function quotaOfV1(folder: string): number | null {
  return ratio(
    Number(read(join(folder, "cpu.cfs_quota_us")) ?? -1),
    Number(read(join(folder, "cpu.cfs_period_us")) ?? 0),
  );
}

const ratio = (quota: number, period: number): number | null =>
  quota > 0 && period > 0 ? quota / period : null;

/** Version 1 writes "no limit" as a number beyond any machine's memory. */
const UNLIMITED_BYTES = 2 ** 60;

function memoryOf(folder: string): MemoryGroup | null {
  const limitText = read(join(folder, "memory.max")) ?? read(join(folder, "memory.limit_in_bytes"));
  const limitBytes = limitText === null || limitText.trim() === "max" ? null : Number(limitText);
  if (limitBytes === null || !(limitBytes < UNLIMITED_BYTES)) return null;
  const usedText =
    read(join(folder, "memory.current")) ?? read(join(folder, "memory.usage_in_bytes")) ?? "0";
  const droppable = /^(?:total_)?inactive_file (\d+)/m.exec(
    read(join(folder, "memory.stat")) ?? "",
  );
  return { limitBytes, usedBytes: Math.max(0, Number(usedText) - Number(droppable?.[1] ?? 0)) };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
