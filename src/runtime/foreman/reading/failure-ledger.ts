/**
 * What failed, job by job, in groups: kept up to date with each commit, where the failures' values are at
 * hand. Only a bounded number is looked into a second, so that a flood of failures costs the foreman
 * next to nothing; who looks at such a job gets the rest read from the log, also bounded.
 *
 *   current   its count is that of the job's failed tasks, as committed
 *   behind    it is not: the foreman was restarted, failed tasks were queued again, or room was needed;
 *             `refresh` reads the log anew while `groupsOf` still tells what is known
 */
import type { Clock } from "../../platform/clock.ts";
import { indexAt, u32At } from "../../protocol/columns.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { JobFacts, Settlement } from "../../scheduler/foreman/facts.ts";
import type { Store } from "../../store/store.ts";
import {
  addFailure,
  createFailureGroups,
  type FailedTask,
  type FailureGroups,
} from "./failure-groups.ts";
import type { JobReader } from "./job-reader.ts";
import type { ResultsSource } from "./results-reader.ts";
import { walkSettlements } from "./settlement-walk.ts";
import { FAILURES_PER_TURN, nextTurn } from "./turns.ts";

/** Looked into with commits, of all jobs and of one: some milliseconds a second at most. */
const LOOKS_PER_SECOND = 500;
const LOOKS_PER_SECOND_OF_JOB = 200;
/** Looked into for one job when its log is read. */
const LOOKS_PER_REFRESH = 20_000;
/** Who keeps looking at a job with more failures than could be looked into has them read so often. */
const REFRESH_INTERVAL_MS = 60_000;
/** Of all jobs' groups; the jobs that began to fail first make room. */
const BYTES_MAX = 16 * 1024 * 1024;

export interface FailureLedger {
  /** Sees each group of changes once it is committed; never throws. */
  onCommitted(changes: readonly Change[]): void;
  /** What is known now; null: nothing. */
  groupsOf(jobId: JobId): FailureGroups | null;
  /** Resolves at once when the groups are current, else when the log has been read. */
  refresh(facts: JobFacts): Promise<void>;
}

interface Entry {
  groups: FailureGroups;
  /** Failed tasks by the job's row as committed; null: no row was committed since it is known. */
  failed: number | null;
  /** Looks left of this second. */
  looks: number;
  refreshedAtMs: number | null;
  refreshing: Refreshing | null;
}

interface Refreshing {
  readonly groups: FailureGroups;
  /** Tasks were queued again meanwhile. */
  isOutdated: boolean;
  readonly done: Promise<void>;
}

export function createFailureLedger(parts: {
  readonly store: Pick<Store, "sketchSettlements">;
  readonly jobs: Pick<JobReader, "resultsSource">;
  readonly clock: Pick<Clock, "defer">;
  nowMs(): number;
}): FailureLedger {
  /** In the order in which the jobs began to fail. */
  const entries = new Map<JobId, Entry>();
  let bytes = 0;
  let looks = LOOKS_PER_SECOND;
  let second = 0;

  function onCommitted(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === "settled") {
        if (change.settlement.status === "failed") take(change.settlement);
      } else if (change.type === "jobChanged") noteRow(change.facts);
      else if (change.type === "reopened") noteReopened(change.jobId);
      else if (change.type === "jobRemoved") forget(change.jobId);
    }
  }

  function take(settlement: Settlement): void {
    newSecond(settlement.settledAtMs);
    const entry = entries.get(settlement.jobId) ?? addEntry(settlement.jobId);
    const { groups, refreshing } = entry;
    const bytesBefore = groups.bytes;
    forEachFailure(settlement, (task) => {
      const mayLook = looks > 0 && entry.looks > 0;
      const isDecoded = addFailure(groups, task, mayLook);
      if (refreshing !== null) addFailure(refreshing.groups, task, mayLook);
      if (!isDecoded) return;
      looks--;
      entry.looks--;
    });
    bytes += groups.bytes - bytesBefore;
    makeRoom(settlement.jobId);
  }

  function newSecond(atMs: number): void {
    const now = Math.floor(atMs / 1000);
    if (now === second) return;
    second = now;
    looks = LOOKS_PER_SECOND;
    for (const entry of entries.values()) entry.looks = LOOKS_PER_SECOND_OF_JOB;
  }

  function addEntry(jobId: JobId): Entry {
    const entry: Entry = {
      groups: createFailureGroups(),
      failed: null,
      looks: LOOKS_PER_SECOND_OF_JOB,
      refreshedAtMs: null,
      refreshing: null,
    };
    entries.set(jobId, entry);
    return entry;
  }

  function makeRoom(newest: JobId): void {
    for (const [jobId, entry] of entries) {
      if (bytes <= BYTES_MAX) return;
      if (entry.refreshing === null && jobId !== newest) forget(jobId);
    }
  }

  function noteRow(facts: JobFacts): void {
    const entry = entries.get(facts.jobId);
    if (!entry) return;
    entry.failed = facts.failed;
    // Nothing is left of what had failed: that is known without a look at the log.
    if (facts.failed === 0) replaceGroups(entry, createFailureGroups());
  }

  function noteReopened(jobId: JobId): void {
    const refreshing = entries.get(jobId)?.refreshing;
    if (refreshing) refreshing.isOutdated = true;
  }

  function replaceGroups(entry: Entry, groups: FailureGroups): void {
    bytes += groups.bytes - entry.groups.bytes;
    entry.groups = groups;
  }

  function forget(jobId: JobId): void {
    const entry = entries.get(jobId);
    if (!entry) return;
    entries.delete(jobId);
    bytes -= entry.groups.bytes;
  }

  async function refresh(facts: JobFacts): Promise<void> {
    const known = entries.get(facts.jobId);
    if (known?.refreshing) return known.refreshing.done;
    if (!isBehind(known, facts)) return;
    const entry = known ?? addEntry(facts.jobId);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const refreshing = { groups: createFailureGroups(), isOutdated: false, done };
    // It knows what is committed at this instant; from now on commits add the rest.
    const source = parts.jobs.resultsSource(facts.jobId);
    entry.refreshing = refreshing;
    try {
      await readAnew(facts, await source, refreshing.groups);
      if (!refreshing.isOutdated && entries.get(facts.jobId) === entry) {
        replaceGroups(entry, refreshing.groups);
      }
    } finally {
      entry.refreshedAtMs = parts.nowMs();
      entry.refreshing = null;
      resolve();
      makeRoom(facts.jobId);
    }
  }

  function isBehind(entry: Entry | undefined, facts: JobFacts): boolean {
    if (!entry) return facts.failed > 0;
    const { groups, refreshedAtMs } = entry;
    const sinceMs = refreshedAtMs === null ? null : parts.nowMs() - refreshedAtMs;
    const failed = entry.failed ?? facts.failed;
    // What a reading could not mend another one soon after would not mend either.
    if (groups.count !== failed) return sinceMs === null || sinceMs > REFRESH_INTERVAL_MS / 10;
    const hasMore = groups.lookedInto < Math.min(groups.count, LOOKS_PER_REFRESH);
    return hasMore && (sinceMs === null || sinceMs > REFRESH_INTERVAL_MS);
  }

  async function readAnew(
    { jobId, nextSettleSeq }: JobFacts,
    source: ResultsSource | null,
    groups: FailureGroups,
  ): Promise<void> {
    let looked = 0;
    await walkSettlements(parts, { jobId, beforeSeq: nextSettleSeq }, async (sketch) => {
      if (sketch.status !== "failed" || sketch.values === null) return;
      const failures: FailedTask[] = [];
      forEachFailure({ ...sketch, values: sketch.values }, (task) => failures.push(task));
      for (const task of failures) {
        // Tasks that were queued again have not failed any more.
        if (source?.seqOf(task.index) !== sketch.seq) continue;
        const isDecoded = addFailure(groups, task, looked < LOOKS_PER_REFRESH);
        if (isDecoded && ++looked % FAILURES_PER_TURN === 0) await nextTurn(parts.clock);
      }
    });
  }

  return {
    onCommitted,
    groupsOf: (jobId) => entries.get(jobId)?.groups ?? null,
    refresh,
  };
}

function forEachFailure(
  settlement: Pick<Settlement, "count" | "indexes" | "workerId" | "settledAtMs" | "values">,
  visit: (task: FailedTask) => void,
): void {
  const { count, indexes, workerId, settledAtMs: atMs, values } = settlement;
  let at = 0;
  for (let row = 0; row < count; row++) {
    const end = at + u32At(values.lengths, row);
    visit({ index: indexAt(indexes, row), workerId, atMs, value: values.data.subarray(at, end) });
    at = end;
  }
}
