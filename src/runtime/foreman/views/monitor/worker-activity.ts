/**
 * What observed workers tell of their slots, kept while somebody looks: the lanes of the last two
 * minutes and what runs now. It asks for as long as it is asked, and forgets a worker soon afterwards.
 * Of a worker that cannot tell nothing is known.
 *
 * A worker's states: unobserved -> asked (observe was sent) -> telling -> unobserved.
 */
import type { BootId, WorkerId } from "../../../protocol/ids.ts";
import { LANE_SECONDS } from "../../../protocol/limits.ts";
import { LANE_FAILED, LANE_FIRST_JOB, LANE_IDLE } from "../../../protocol/messages/worker.ts";
import type { MessageOf } from "../../../protocol/messages.ts";
import type { LaneView, WorkerMonitorView } from "../../../protocol/monitor-views.ts";

type Activity = MessageOf<"activity">;
export type ActivityTask = Activity["tasks"][number];

export interface WorkerActivity {
  /** Somebody looks at this worker now. */
  watch(workerId: WorkerId): void;
  /** null: nothing was told, or not of this boot. */
  of(workerId: WorkerId, bootId: BootId): Told | null;
  onActivity(workerId: WorkerId, bootId: BootId, message: Activity): void;
}

export interface Told {
  readonly tasks: readonly ActivityTask[];
  lanes(nameOf: (jobId: number) => string): Pick<WorkerMonitorView, "lanes" | "lane_jobs">;
}

export interface WorkerActivityParts {
  /** Asks the worker for its activity, if it can tell; does nothing otherwise. */
  observe(workerId: WorkerId, seconds: number): void;
  nowMs(): number;
}

/** Asked again while somebody looks, which is every few seconds at least. */
const OBSERVE_SECONDS = 20;
const ASK_AGAIN_MS = 5_000;
/** What is older says nothing of now. */
const STALE_MS = 5_000;
const FORGET_AFTER_MS = 30_000;

/** A screen has no rows for more; they are told anew each second. */
const LANES_SHOWN_MAX = 256;

const IDLE = 0;
const FAILED = -1;
const OTHER = -2;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NO_LETTER = "?";

interface Observed {
  bootId: BootId | null;
  watchedAtMs: number;
  askedAtMs: number;
  toldAtMs: number;
  /** Slot by slot, the newest last. */
  lanes: Int32Array[];
  tasks: readonly ActivityTask[];
  /** By job, for as long as it is in a lane. */
  readonly letters: Map<number, string>;
}

export function createWorkerActivity(parts: WorkerActivityParts): WorkerActivity {
  const observed = new Map<WorkerId, Observed>();

  function watch(workerId: WorkerId): void {
    const nowMs = parts.nowMs();
    forgetOthers(nowMs);
    const entry = observed.get(workerId) ?? newObserved();
    observed.set(workerId, entry);
    entry.watchedAtMs = nowMs;
    if (nowMs - entry.askedAtMs < ASK_AGAIN_MS) return;
    entry.askedAtMs = nowMs;
    parts.observe(workerId, OBSERVE_SECONDS);
  }

  function forgetOthers(nowMs: number): void {
    for (const [workerId, { watchedAtMs }] of observed) {
      if (nowMs - watchedAtMs > FORGET_AFTER_MS) observed.delete(workerId);
    }
  }

  return {
    watch,
    of(workerId, bootId) {
      const entry = observed.get(workerId);
      if (!entry || entry.bootId !== bootId) return null;
      if (parts.nowMs() - entry.toldAtMs > STALE_MS) return null;
      return { tasks: entry.tasks, lanes: (nameOf) => draw(entry, nameOf) };
    },
    onActivity(workerId, bootId, message) {
      // It may go on for a while after the last one has stopped looking.
      const entry = observed.get(workerId);
      if (!entry) return;
      if (entry.bootId !== bootId || entry.lanes.length !== message.slots) {
        entry.bootId = bootId;
        entry.lanes = Array.from({ length: message.slots }, () => new Int32Array(0));
      }
      entry.lanes = entry.lanes.map((lane, slot) => continued(lane, slot, message));
      entry.tasks = message.tasks;
      entry.toldAtMs = parts.nowMs();
    },
  };
}

const newObserved = (): Observed => ({
  bootId: null,
  watchedAtMs: 0,
  askedAtMs: Number.NEGATIVE_INFINITY,
  toldAtMs: Number.NEGATIVE_INFINITY,
  lanes: [],
  tasks: [],
  letters: new Map(),
});

/** The lane with the seconds that were told of, the oldest ones falling out. */
function continued(lane: Int32Array, slot: number, { seconds, lanes, jobs }: Activity): Int32Array {
  const told = lanes.subarray(slot * seconds, (slot + 1) * seconds);
  const kept = lane.subarray(Math.max(0, lane.length + seconds - LANE_SECONDS));
  const longer = new Int32Array(kept.length + seconds);
  longer.set(kept);
  told.forEach((byte, at) => {
    longer[kept.length + at] = valueOfByte(byte, jobs);
  });
  return longer;
}

function valueOfByte(byte: number, jobs: readonly number[]): number {
  if (byte === LANE_IDLE) return IDLE;
  return byte === LANE_FAILED ? FAILED : (jobs[byte - LANE_FIRST_JOB] ?? OTHER);
}

function draw(
  entry: Observed,
  nameOf: (jobId: number) => string,
): Pick<WorkerMonitorView, "lanes" | "lane_jobs"> {
  giveLetters(entry);
  const { lanes, letters } = entry;
  const letterOf = (value: number): string => {
    if (value === IDLE) return ".";
    return value === FAILED ? "!" : (letters.get(value) ?? NO_LETTER);
  };
  const views: LaneView[] = lanes.slice(0, LANES_SHOWN_MAX).map((lane, at) => ({
    slot: at + 1,
    lane: Array.from(lane, letterOf).join(""),
  }));
  const lane_jobs = Object.fromEntries(
    [...letters].map(([jobId, letter]) => [letter, { job_id: jobId, name: nameOf(jobId) }]),
  );
  return { lanes: views, lane_jobs };
}

/** A job keeps its letter while it is to be seen; then another may have it. */
function giveLetters({ lanes, letters }: Observed): void {
  const seen = new Set<number>();
  for (const lane of lanes) for (const value of lane) if (value > IDLE) seen.add(value);
  for (const jobId of letters.keys()) if (!seen.has(jobId)) letters.delete(jobId);
  const taken = new Set(letters.values());
  const free = [...LETTERS].filter((letter) => !taken.has(letter));
  for (const jobId of [...seen].sort((a, b) => a - b)) {
    const letter = letters.has(jobId) ? undefined : free.shift();
    if (letter !== undefined) letters.set(jobId, letter);
  }
}
