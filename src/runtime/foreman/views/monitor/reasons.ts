/**
 * Why jobs stand, for lists of them. An answer is a look at every worker, so with many workers it is kept
 * for a moment; with few ones it is always new.
 */
import type { JobId } from "../../../protocol/ids.ts";
import type { WhyView } from "../../../protocol/views.ts";
import { whyJob } from "../../../scheduler/foreman/explain/explain.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";

const KEPT_MS_PER_WORKER = 2;
const KEPT_MS_MAX = 2_000;
const KEPT_MAX = 2_000;

export interface Reasons {
  of(jobId: JobId): WhyView;
}

export function createReasons(parts: { readonly state: ForemanState; nowMs(): number }): Reasons {
  const { state } = parts;
  const kept = new Map<JobId, { readonly atMs: number; readonly why: WhyView }>();
  return {
    of(jobId) {
      const nowMs = parts.nowMs();
      const keptMs = Math.min(KEPT_MS_MAX, state.sessions.size * KEPT_MS_PER_WORKER);
      const known = kept.get(jobId);
      if (known && nowMs - known.atMs < keptMs) return known.why;
      const why = whyJob(state, jobId);
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(jobId, { atMs: nowMs, why });
      return why;
    },
  };
}
