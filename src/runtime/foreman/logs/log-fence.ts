/**
 * Whose words about an attempt are its log: those of the session that holds it, or that has just reported
 * its end. What a lost worker says late, and what nobody was asked to run, is refused; another attempt of
 * the task may be under way elsewhere.
 */
import { type IndexColumn, type U32Column, u32At } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId } from "../../protocol/ids.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import { attemptOfRow, rowOfIndex } from "../../scheduler/foreman/outcomes/assignments.ts";
import { type Assignment, type ForemanState, ROW_LEFT } from "../../scheduler/foreman/state.ts";
import type { Store } from "../../store/store.ts";

export interface Speaker {
  readonly bootId: BootId;
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
}

export interface LogFence {
  /** Whether the session may speak for such an attempt now; ask it of each part. */
  gateFor(speaker: Speaker): (index: number, attempt: number) => boolean;
  /** The same by what is recorded, for what was ended before our start. */
  agreesWithRecord(speaker: Speaker, index: number, attempt: number): Promise<boolean>;
  /** Sees what was committed: ends of attempts. */
  onCommitted(changes: readonly Change[], nowMs: number): void;
}

/** Attempts of one boot that ended together. */
interface RecentEnd {
  readonly bootId: BootId;
  readonly atMs: number;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
}

/** What a worker still has to say of an attempt that has ended comes soon, unless it was away. */
const RECENT_MS = 30_000;
const RECENT_ROWS_MAX = 262_144;
/** Batches of a job that are looked through for one part. */
const LOOKED_MAX = 256;

export function createLogFence(state: ForemanState, store: Store): LogFence {
  const recent = new Map<JobId, RecentEnd[]>();
  let recentRows = 0;
  let lookAgainAtMs = 0;

  function remember(jobId: JobId, end: RecentEnd): void {
    const ends = recent.get(jobId);
    if (ends === undefined) recent.set(jobId, [end]);
    else ends.push(end);
    recentRows += end.count;
  }

  /** The oldest first, and where there are very many also younger ones. */
  function forgetOld(nowMs: number): void {
    lookAgainAtMs = nowMs + RECENT_MS / 10;
    for (const [jobId, ends] of recent) {
      let gone = 0;
      for (const { atMs, count } of ends) {
        if (nowMs - atMs < RECENT_MS && recentRows <= RECENT_ROWS_MAX) break;
        recentRows -= count;
        gone++;
      }
      if (gone === ends.length) recent.delete(jobId);
      else if (gone > 0) ends.splice(0, gone);
    }
  }

  function hasJustEnded({ jobId, bootId }: Speaker, index: number, attempt: number): boolean {
    const ends = recent.get(jobId) ?? [];
    for (let at = ends.length - 1, looked = 0; at >= 0 && looked < LOOKED_MAX; at--, looked++) {
      const end = ends[at] as RecentEnd;
      if (end.bootId !== bootId) continue;
      const row = rowIn(end, index);
      if (row >= 0 && u32At(end.attempts, row) === attempt) return true;
    }
    return false;
  }

  return {
    gateFor(speaker) {
      const assignment = state.assignments.get(speaker.assignmentId) ?? null;
      const isTheirs =
        assignment !== null &&
        assignment.session.bootId === speaker.bootId &&
        assignment.job.jobId === speaker.jobId;
      return (index, attempt) =>
        (isTheirs && holds(assignment, index, attempt)) || hasJustEnded(speaker, index, attempt);
    },
    async agreesWithRecord({ jobId, bootId }, index, attempt) {
      const history = await store.readTaskHistory(jobId, index);
      const settled = history.some(
        (end) =>
          end.status !== "cancelled" && end.bootId === bootId && u32At(end.attempts, 0) === attempt,
      );
      if (settled) return true;
      const ends = await store.readAttemptEnds(jobId, index, attempt + 1);
      return ends.some(
        (end) => end.outcome === "failed" && end.bootId === bootId && end.attempt === attempt,
      );
    },
    onCommitted(changes, nowMs) {
      for (const change of changes) {
        if (change.type === "settled" && change.settlement.status !== "cancelled") {
          const { jobId, bootId, count, indexes, attempts } = change.settlement;
          remember(jobId, { bootId, atMs: nowMs, count, indexes, attempts });
        } else if (change.type === "attemptsEnded") {
          for (const { bootId, index, attempt, outcome } of change.rows) {
            if (outcome !== "failed") continue;
            const indexes = { first: index };
            remember(change.jobId, { bootId, atMs: nowMs, count: 1, indexes, attempts: attempt });
          }
        } else if (change.type === "jobRemoved") {
          for (const { count } of recent.get(change.jobId) ?? []) recentRows -= count;
          recent.delete(change.jobId);
        }
      }
      if (nowMs >= lookAgainAtMs || recentRows > RECENT_ROWS_MAX) forgetOld(nowMs);
    },
  };
}

/** Also of a task that was cancelled and whose processes are still being ended. */
function holds(assignment: Assignment, index: number, attempt: number): boolean {
  const row = rowOfIndex(assignment, index);
  if (row < 0 || assignment.rows[row] === ROW_LEFT) return false;
  return attemptOfRow(assignment, row) === attempt;
}

function rowIn({ indexes, count }: RecentEnd, index: number): number {
  if (indexes instanceof Uint32Array) return indexes.indexOf(index);
  return index >= indexes.first && index < indexes.first + count ? index - indexes.first : -1;
}
