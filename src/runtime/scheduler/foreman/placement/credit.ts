/**
 * How many tasks of a job a session should be given now. Batches begin with one task a slot; once
 * durations are known an assignment is about 50 ms of work a slot, and a session holds up to about
 * 200 ms ahead. Only tasks of at least the job's priority count, so what is urgent need not wait for
 * anything to be taken back.
 */
import { BATCH_TASKS_MAX } from "../../../protocol/limits.ts";
import { meanInputBytes } from "../jobs/inputs.ts";
import { countOf } from "../jobs/live-job.ts";
import { TASK_QUEUED, TASK_RUNNING } from "../queues/task-table.ts";
import { servingSums } from "../sessions/serving.ts";
import type { ForemanState, LiveJob, Session } from "../state.ts";
import { couldRun, hasTimeLeft } from "./demand.ts";

/** Work a slot in one assignment. */
export const BATCH_US = 50_000;
/** Work a slot that a session may hold: it hides the way to the worker and back, and stays revocable. */
export const AHEAD_US = 200_000;
/** Tasks longer than this do not queue at a worker but for one a session. */
export const LONG_TASK_US = 1_000_000;
/** Of tasks longer than this not even one waits there. */
const VERY_LONG_TASK_US = 10_000_000;
/** Tasks that a session may hold, however short. */
export const HELD_TASKS_MAX = 32_768;
/** Of a job's average inputs, held by one session. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** A session holds at most so many times what was measured before. */
const RAMP_FACTOR = 4;
/** Small jobs that may stand at a worker beside a large one's tasks, for each of its slots. */
const NEWCOMERS_PER_SLOT = 4;

export interface Load {
  /** Slots that its tasks want, running or waiting. */
  slots: number;
  workUs: number;
  tasks: number;
  /** Slots of tasks that will not be over soon. */
  longSlots: number;
}

/** What limits the number of a job's tasks, all in tasks of that job but the load. */
interface Room {
  readonly load: Load;
  /** Slots that nothing of at least its priority wants. */
  readonly free: number;
  readonly wanted: number;
  readonly room: number;
}

/** What the session holds of at least the priority. */
export function loadOf(session: Session, priority: number): Load {
  const { fencedSlots } = session;
  const load: Load = {
    slots: fencedSlots,
    workUs: fencedSlots * AHEAD_US,
    tasks: 0,
    longSlots: fencedSlots,
  };
  for (const { job, count } of session.holdings.values()) {
    if (job.spec.priority < priority) continue;
    const slots = count * job.demand.cpus;
    load.slots += slots;
    load.tasks += count;
    load.workUs += slots * occupyingUs(job);
    if (occupyingUs(job) === AHEAD_US) load.longSlots += slots;
  }
  return load;
}

/** 0: nothing now. */
export function planCount(
  state: ForemanState,
  session: Session,
  job: LiveJob,
  load: Load = loadOf(session, job.spec.priority),
): number {
  const { demand } = job;
  const wanted = Math.min(countOf(job, TASK_QUEUED), runnableCount(job));
  if (wanted <= 0 || !couldRun(session, demand)) return 0;
  if (!hasTimeLeft(session, demand, state.nowMs)) return 0;
  const free = Math.max(0, Math.floor((session.offer.slots - load.slots) / demand.cpus));
  if (session.worker.isOnProbation) return session.heldTasks === 0 ? Math.min(1, free) : 0;
  const room = Math.min(wanted, reservableCount(session, job), queueRoom(session, job, load));
  if (waitsHere(job)) return Math.min(room, free, BATCH_TASKS_MAX);
  const count = countAhead(state, session, job, { load, free, wanted, room });
  // What waits at a worker may start in a gap, so it waits there only behind all that outranks it.
  return count > free && isOutranked(state, session, job) ? free : count;
}

function countAhead(
  state: ForemanState,
  session: Session,
  job: LiveJob,
  { load, free, wanted, room }: Room,
): number {
  if (job.pace.meanUs === null) {
    return Math.min(room, free > 0 || !isNewcomerWelcome(session, job, load) ? free : 1);
  }
  const ahead = aheadCount(session, job, load, free);
  const count = Math.min(room, Math.max(free, Math.min(ahead, shareCount(state, session, job))));
  const batch = batchCount(session, job, free);
  // Many small assignments cost more than a worker that is a little less ahead.
  if (free === 0 && count < batch / 2 && wanted > count) return 0;
  return Math.min(count, batch);
}

/** Whether tasks of a higher priority are ready that could be given to the session. */
function isOutranked(state: ForemanState, session: Session, job: LiveJob): boolean {
  for (const level of state.levels) {
    if (level.priority <= job.spec.priority) return false;
    const isAbove = level.jobs.some(
      (other) =>
        runnableCount(other) > 0 &&
        couldRun(session, other.demand) &&
        reservableCount(session, other) > 0,
    );
    if (isAbove) return true;
  }
  return false;
}

/** How many more the job's `--max-running` lets start. */
export function runnableCount(job: LiveJob): number {
  const { max_running: limit } = job.spec;
  return limit === null ? Number.POSITIVE_INFINITY : limit - countOf(job, TASK_RUNNING);
}

/** The least a job's task occupies a slot, as far as planning ahead is concerned. */
export function occupyingUs({ pace }: LiveJob): number {
  return Math.min(AHEAD_US, pace.meanUs ?? AHEAD_US);
}

/** Tasks that stay with the foreman until a slot is free for them. */
function waitsHere(job: LiveJob): boolean {
  const { meanUs } = job.pace;
  // Waiting at a worker they would reserve amounts; or a lost worker would be their end.
  if (job.demand.isReserving || job.spec.max_crashes === 1) return true;
  return meanUs !== null && meanUs > VERY_LONG_TASK_US;
}

/** What the worker's own `--queue-size` leaves room for, beside what its slots run. */
function queueRoom({ offer }: Session, { demand }: LiveJob, load: Load): number {
  const size = offer.queue_size ?? null;
  if (size === null) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor(offer.slots / demand.cpus) + size - load.tasks);
}

/** How many fit beside the amounts in use. */
function reservableCount(session: Session, { demand }: LiveJob): number {
  if (!demand.isReserving) return Number.POSITIVE_INFINITY;
  let count = Number.POSITIVE_INFINITY;
  if (demand.memoryBytes > 0) {
    const freeBytes = session.offer.memory_bytes - session.reservedMemoryBytes;
    count = Math.floor(freeBytes / demand.memoryBytes);
  }
  for (const [name, amount] of demand.resources) {
    const free = (session.offer.resources[name] ?? 0) - (session.reservedResources.get(name) ?? 0);
    count = Math.min(count, Math.floor((free + 1e-6) / amount));
  }
  return Math.max(0, count);
}

const heldCount = (session: Session, job: LiveJob): number =>
  session.holdings.get(job.jobId)?.count ?? 0;

function aheadCount(session: Session, job: LiveJob, load: Load, free: number): number {
  const { slots } = session.offer;
  const { cpus } = job.demand;
  const meanUs = job.pace.meanUs ?? AHEAD_US;
  if (meanUs > LONG_TASK_US) return load.slots < slots + cpus ? Math.max(1, free) : 0;
  const byWork = (AHEAD_US * slots - load.workUs) / (occupyingUs(job) * cpus);
  const bySlots = (2 * slots - load.slots) / cpus;
  const held = heldCount(session, job);
  const byBytes = HELD_BYTES_MAX / meanInputBytes(job.inputs, job.tasks.count) - held;
  // A few samples say little: what is held grows with what has been measured.
  const byRamp = RAMP_FACTOR * job.pace.sampleCount - held;
  const byLoad = Math.max(byWork, bySlots);
  const ahead = Math.min(byLoad, HELD_TASKS_MAX - load.tasks, byBytes, byRamp);
  return Math.max(isNewcomerWelcome(session, job, load) ? 1 : 0, Math.floor(ahead));
}

/**
 * A job of which nothing runs yet gets one task in beside the many of another, where slots come free
 * soon: the worker shares its slots among jobs too.
 */
function isNewcomerWelcome(session: Session, job: LiveJob, load: Load): boolean {
  const { slots } = session.offer;
  return (
    countOf(job, TASK_RUNNING) === 0 &&
    load.longSlots < slots &&
    session.holdings.size < NEWCOMERS_PER_SLOT * slots
  );
}

/** This session's part of what is left of the job, less what it holds of it. */
function shareCount(state: ForemanState, session: Session, job: LiveJob): number {
  const { slotCount } = servingSums(state, job.demand);
  const remaining = countOf(job, TASK_QUEUED) + countOf(job, TASK_RUNNING);
  const part = session.offer.slots / Math.max(slotCount, session.offer.slots);
  return Math.max(0, Math.ceil(remaining * part) - heldCount(session, job));
}

/** About 50 ms of work a slot, and no more than half of what the session may hold at all. */
function batchCount(session: Session, job: LiveJob, free: number): number {
  const { slots, queue_size: queueSize = null } = session.offer;
  const { cpus } = job.demand;
  const byWork = (BATCH_US * slots) / ((job.pace.meanUs ?? AHEAD_US) * cpus);
  const heldMax = Math.min(
    HELD_TASKS_MAX,
    HELD_BYTES_MAX / meanInputBytes(job.inputs, job.tasks.count),
    queueSize === null ? Number.POSITIVE_INFINITY : slots / cpus + queueSize,
  );
  const batch = Math.ceil(Math.min(byWork, heldMax / 2));
  return Math.min(BATCH_TASKS_MAX, Math.max(free, batch));
}
