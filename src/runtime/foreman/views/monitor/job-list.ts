/**
 * The monitor's list of jobs: all unfinished ones and the newest that have ended. Filter and sort look at
 * the machine's own counters; only rows inside the window are made. Unfinished jobs come first, then the
 * ended ones, of both the newest first.
 */
import { usageError } from "../../../protocol/error.ts";
import type { JobId } from "../../../protocol/ids.ts";
import type { ListWindow } from "../../../protocol/messages/client.ts";
import type { JobRowView, WindowView } from "../../../protocol/monitor-views.ts";
import { matchesRow, parseRowFilter } from "../../../protocol/row-filter.ts";
import { JOB_STATES, type JobState } from "../../../protocol/views.ts";
import { liveState } from "../../../scheduler/foreman/jobs/live-job.ts";
import type { ForemanState } from "../../../scheduler/foreman/machine.ts";
import type { JobRows } from "./job-rows.ts";
import { cutWindow, sortForWindow } from "./list-window.ts";

/** Of ended jobs so many are looked at; `cc jobs` lists them all. */
const ENDED_SHOWN_MAX = 1_000;

export interface JobList {
  /** @throws CcError `bad_filter` */
  window(window: ListWindow): WindowView<JobRowView>;
  /** Jobs there are, by state. */
  counts(): Readonly<Record<JobState, number>>;
  /** A job has ended, came back or was forgotten. */
  touchEnded(): void;
}

export function createJobList(parts: {
  readonly state: ForemanState;
  readonly rows: JobRows;
}): JobList {
  const { state, rows } = parts;
  let ended: {
    readonly newest: readonly JobId[];
    readonly counts: Record<JobState, number>;
  } | null = null;

  function lookAtEnded() {
    const counts = Object.fromEntries(JOB_STATES.map((name) => [name, 0])) as Record<
      JobState,
      number
    >;
    for (const { state: name } of state.ended.values()) counts[name]++;
    const newest = [...state.ended.keys()].sort(newestFirst).slice(0, ENDED_SHOWN_MAX);
    ended = { newest, counts };
    return ended;
  }

  function window(asked: ListWindow): WindowView<JobRowView> {
    const parsed = parseRowFilter(asked.filter, "jobs");
    if (!parsed.ok) throw usageError("bad_filter", parsed.message);
    const { newest } = ended ?? lookAtEnded();
    // A step may be ahead of what was committed, and of what was noted of it here.
    const known = newest.filter((jobId) => state.ended.has(jobId));
    const all = [...unfinished(state), ...known];
    const matching =
      parsed.filter.words.length === 0
        ? all
        : all.filter((jobId) => matchesRow(parsed.filter, rows.filterRow(jobId)));
    const total = all.length;
    const sorted = sortForWindow(matching, asked, rows.keyFor(asked.sort));
    return cutWindow(sorted, asked, { total, idOf: String, rowOf: rows.rowOf });
  }

  return {
    window,
    counts() {
      const counts = { ...(ended ?? lookAtEnded()).counts };
      for (const job of state.jobs.values()) counts[liveState(job)]++;
      return counts;
    },
    touchEnded() {
      ended = null;
    },
  };
}

/** They come in order but for those that a retry brought back. */
function unfinished({ jobs }: ForemanState): JobId[] {
  const ids = [...jobs.keys()].reverse();
  const isInOrder = ids.every((id, at) => at === 0 || id < (ids[at - 1] as number));
  return isInOrder ? ids : ids.sort(newestFirst);
}

const newestFirst = (a: number, b: number): number => b - a;
