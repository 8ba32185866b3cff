/**
 * Bundles that a submitter was told we hold, from then until a committed job names them: removing the
 * last other job that uses one must not take it away in between. Lives as long as the store is open;
 * a promise that nobody redeems within a day lapses.
 */
import type { JobSpec } from "../../protocol/job-spec.ts";

export interface BlobPromises {
  promise(sha256: string): void;
  isPromised(sha256: string): boolean;
  /** Forgets promises that were there at a call so long ago and were not renewed since. */
  lapse(nowMs: number, ageMs: number): void;
  /** A change of the group under way names this bundle. */
  onNamed(spec: JobSpec): void;
  onCommitted(): void;
  onRolledBack(): void;
}

export function createBlobPromises(): BlobPromises {
  /** With the instant at which `lapse` first saw each; null: not yet. */
  const promised = new Map<string, number | null>();
  const named = new Set<string>();
  return {
    promise: (sha256) => void promised.set(sha256, null),
    isPromised: (sha256) => promised.has(sha256),
    lapse(nowMs, ageMs) {
      for (const [sha256, seenAtMs] of promised) {
        if (seenAtMs === null) promised.set(sha256, nowMs);
        else if (seenAtMs <= nowMs - ageMs) promised.delete(sha256);
      }
    },
    onNamed({ work }) {
      if (work.kind === "function") named.add(work.bundle_sha256);
    },
    onCommitted() {
      for (const sha256 of named) promised.delete(sha256);
      named.clear();
    },
    onRolledBack: () => named.clear(),
  };
}
