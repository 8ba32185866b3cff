/**
 * Has the engine collect garbage as if the machine were small. By itself it lets the heap of a foreman
 * grow to several times what lives in it, by the share of a large machine's memory. The engine reads
 * this only when a process starts, so a foreman is started with it, or starts itself anew once; so does
 * the monitor.
 */
import { isCompiled } from "./self.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = "BUN_JSC_forceRAMSize";
/**
 * Measured over jobs of a million tasks: at most 285 MiB instead of 400 MiB, at 0-3 % of the throughput.
 * With half of it 215 MiB, but the collector then takes up to a tenth.
 */
const ASSUMED_RAM_BYTES = 256 * 1024 * 1024;
/** For the monitor, which keeps what a screen shows: 90 MiB in all instead of 120, at no more work. */
export const MONITOR_RAM_BYTES = 64 * 1024 * 1024;

/** For a foreman that is started as a child. */
export function withSmallHeap(env: Environment, ramBytes = ASSUMED_RAM_BYTES): Environment {
  return { ...env, [VARIABLE]: env[VARIABLE] ?? String(ramBytes) };
}

/** For children of a foreman that are none themselves. */
export function withoutSmallHeap(env: Environment): Environment {
  const { [VARIABLE]: _, ...rest } = env;
  return rest;
}

/** Replaces this process by itself with a small heap, unless it has one; same number, same files. */
export function restartWithSmallHeap(env: Environment, ramBytes = ASSUMED_RAM_BYTES): void {
  if (!isCompiled || env[VARIABLE] !== undefined || process.execve === undefined) return;
  const passedOn: Record<string, string> = {};
  for (const [name, value] of Object.entries(withSmallHeap(env, ramBytes))) {
    if (value !== undefined) passedOn[name] = value;
  }
  try {
    process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], passedOn);
  } catch {
    // The file is gone or may not be run any more: a large heap serves as well.
  }
}
