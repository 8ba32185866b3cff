/**
 * Bundles that a submitter was told we hold, from then until a committed job names them: removing the
 * last other job that uses one must not take it away in between. Lives as long as the store is open.
 */
import type { JobSpec } from "../../protocol/job-spec.ts";

export interface BlobPromises {
  promise(sha256: string): void;
  isPromised(sha256: string): boolean;
  /** A change of the group under way names this bundle. */
  onNamed(spec: JobSpec): void;
  onCommitted(): void;
  onRolledBack(): void;
}

export function createBlobPromises(): BlobPromises {
  const promised = new Set<string>();
  const named = new Set<string>();
  return {
    promise: (sha256) => void promised.add(sha256),
    isPromised: (sha256) => promised.has(sha256),
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
