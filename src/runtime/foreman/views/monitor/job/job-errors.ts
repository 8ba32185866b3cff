/** What failed in a job, in groups, and what the groups have in common. */
import { formatTaskId, type JobId } from "../../../../protocol/ids.ts";
import type { ErrorGroupRowView } from "../../../../protocol/monitor-views.ts";
import type { WhyView } from "../../../../protocol/views.ts";
import { couldRun } from "../../../../scheduler/foreman/placement/demand.ts";
import type { ForemanState, LiveJob, Session } from "../../../../scheduler/foreman/state.ts";
import {
  type FailureGroup,
  type FailureGroups,
  groupsByCount,
} from "../../../reading/failure-groups.ts";
import { errorGroupView } from "../../job-views.ts";
import { shortened } from "./texts.ts";

const GROUPS_SHOWN_MAX = 50;
const WORKERS_SHOWN_MAX = 10;

/** Fewer failures may be chance. */
const ADVISED_FAILURES_MIN = 3;
const ADVISED_SHARE = 0.6;
/** So much more than what its part of the slots would bring. */
const ADVISED_FACTOR = 1.5;
/** Said of a worker's memory or CPU from so many per cent on. */
const HIGH_PERCENT = 80;

/** The most first. */
export function errorRows(jobId: JobId, groups: FailureGroups | null): ErrorGroupRowView[] {
  if (groups === null) return [];
  return groupsByCount(groups)
    .slice(0, GROUPS_SHOWN_MAX)
    .map((group) => errorRow(jobId, group));
}

function errorRow(jobId: JobId, group: FailureGroup): ErrorGroupRowView {
  const byWorker = [...group.byWorker].sort((a, b) => b[1] - a[1]).slice(0, WORKERS_SHOWN_MAX);
  return {
    ...errorGroupView(jobId, group),
    message: shortened(group.message),
    group_id: group.groupId,
    last_at: new Date(group.lastAtMs).toISOString(),
    task_ids: group.newest.map(({ index }) => formatTaskId(jobId, index)),
    by_worker: byWorker.map(([worker, count]) => ({ worker, count })),
    exit_code: group.exitCode,
  };
}

/** Said when one of several workers has most of a live job's failures. */
export function adviceOnErrors(
  state: ForemanState,
  job: LiveJob,
  groups: FailureGroups | null,
): WhyView | null {
  if (groups === null || groups.count < ADVISED_FAILURES_MIN) return null;
  const [worst] = [...countByWorker(groups)].sort((a, b) => b[1] - a[1]);
  if (worst === undefined || worst[1] < groups.count * ADVISED_SHARE) return null;
  const able = [...state.sessions.values()].filter(
    (session) => session.isConnected && couldRun(session, job.demand),
  );
  const session = able.find(({ worker }) => worker.workerId === worst[0]);
  // Alone it would have them all, and one that leaves needs no advice.
  if (session === undefined || session.draining !== null || able.length < 2) return null;
  const slots = able.reduce((sum, { offer }) => sum + offer.slots, 0);
  const fairShare = session.offer.slots / slots;
  if (worst[1] / groups.count < Math.min(0.95, fairShare * ADVISED_FACTOR)) return null;
  return {
    code: "failures_on_one_worker",
    sentence: `${worst[1]} of ${groups.count} failures are on ${worst[0]}${describeLoad(session)}.`,
    hint: `cc drain ${worst[0]}`,
  };
}

function countByWorker({ byKey }: FailureGroups): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { byWorker } of byKey.values()) {
    for (const [worker, count] of byWorker) counts.set(worker, (counts.get(worker) ?? 0) + count);
  }
  return counts;
}

function describeLoad({ memoryPercent, cpuPercent }: Session): string {
  if (memoryPercent !== null && memoryPercent >= HIGH_PERCENT) {
    return `, whose memory is at ${Math.round(memoryPercent)} %`;
  }
  return cpuPercent !== null && cpuPercent >= HIGH_PERCENT
    ? `, whose CPU is at ${Math.round(cpuPercent)} %`
    : "";
}
