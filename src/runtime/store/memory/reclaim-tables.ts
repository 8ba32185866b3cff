/**
 * What the memory store frees when asked: bundles that no job names and events beyond their bound.
 * Rows of a removed job went with it at once.
 */
import type { ReclaimLimits, ReclaimOutcome } from "../store.ts";
import { bundleOf, type MemoryTables } from "./tables.ts";

export function reclaimTables(tables: MemoryTables, limits: ReclaimLimits): ReclaimOutcome {
  let rowsLeft = limits.rowsMax;
  const named = new Set([...tables.jobs.values()].map(({ spec }) => bundleOf(spec)));
  for (const sha256 of tables.blobs.keys()) {
    if (named.has(sha256) || tables.promisedBlobs.has(sha256)) continue;
    if (rowsLeft-- <= 0) return "more";
    tables.blobs.delete(sha256);
  }
  const free = [...tables.events].filter(([, event]) => event.jobId === null);
  const oldestAtMs = limits.nowMs - limits.eventAgeMsMax;
  for (const [at, [seq, event]] of free.entries()) {
    if (at >= free.length - limits.eventsMax && event.atMs >= oldestAtMs) break;
    if (rowsLeft-- <= 0) return "more";
    tables.events.delete(seq);
  }
  return "done";
}
