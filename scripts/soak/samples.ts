/** The foreman's memory and the size of its files, looked at every second. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../test/faults/support/cluster.ts";

export interface Sample {
  readonly atSeconds: number;
  readonly memoryMiB: number;
  readonly databaseMiB: number;
  readonly journalMiB: number;
}

const EVERY_MS = 1_000;
const MIB = 2 ** 20;

export interface Sampler {
  readonly samples: readonly Sample[];
  stop(): void;
}

export function startSampler(cluster: Cluster): Sampler {
  const samples: Sample[] = [];
  const startedAtMs = performance.now();
  const timer = setInterval(() => {
    const memoryMiB = residentMiB(cluster.foreman.pid);
    // It is just being started again.
    if (memoryMiB === null) return;
    samples.push({
      atSeconds: (performance.now() - startedAtMs) / 1_000,
      memoryMiB,
      databaseMiB: sizeMiB(join(cluster.storeFolder, "foreman.db")),
      journalMiB: sizeMiB(join(cluster.storeFolder, "foreman.db-wal")),
    });
  }, EVERY_MS);
  return { samples, stop: () => clearInterval(timer) };
}

function residentMiB(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    return Number.isFinite(kib) ? kib / 1024 : null;
  } catch {
    return null;
  }
}

export const sizeMiB = (path: string): number =>
  (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / MIB;
