/** How many files and connections this process may have open: the system's limit, as it stands. */
import { readFileSync } from "node:fs";

/**
 * The soft limit, which the runtime has raised to the hard one at its start; null where the system does
 * not tell it.
 */
export function openFileLimit(): number | null {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "latin1");
  } catch {
    // Not Linux, or a sandbox without /proc.
    return null;
  }
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) return null;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
