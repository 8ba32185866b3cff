/**
 * What must hold after every step, whatever the events. Tests and the simulator call it; it walks over
 * everything and is far too slow for a running foreman.
 */
import { assert } from "../../protocol/error.ts";
import { countInRange, GRID_TASKS_MIN, gridOfStates, rangeCount } from "./aggregates/task-grid.ts";
import { isBlocked } from "./jobs/live-job.ts";
import { indexOfRow } from "./outcomes/assignments.ts";
import { isClaimedAgainst } from "./placement/claims.ts";
import { HELD_TASKS_MAX, loadOf, planCount } from "./placement/credit.ts";
import { isHeldByStorage } from "./placement/storage.ts";
import {
  isSettledState,
  TASK_ALONE,
  TASK_DELAYED,
  TASK_QUEUED,
  TASK_RUNNING,
  TASK_STATE_COUNT,
} from "./queues/task-table.ts";
import { isPlaceable } from "./sessions/serving.ts";
import {
  type Assignment,
  type ForemanState,
  isLiveRow,
  type LiveJob,
  ROW_FENCED,
  ROW_STARTED,
  type Session,
} from "./state.ts";

/** @throws naming the first invariant that is broken. */
export function checkInvariants(state: ForemanState): void {
  for (const job of state.jobs.values()) {
    checkCounters(job);
    checkGrid(job);
    checkQueues(state, job);
    checkRunning(job);
    assert(!state.ended.has(job.jobId), `job ${job.jobId} is live or ended, not both`);
  }
  for (const assignment of state.assignments.values()) checkAssignment(state, assignment);
  for (const session of state.sessions.values()) checkSession(state, session);
  checkLevels(state);
  checkRetention(state);
  checkNobodyWaits(state);
  for (const facts of state.ended.values()) {
    const settled = facts.completed + facts.failed + facts.cancelled;
    assert(settled === facts.inputCount, `ended job ${facts.jobId} has every task settled`);
  }
}

function checkCounters(job: LiveJob): void {
  const counted = new Array<number>(TASK_STATE_COUNT).fill(0);
  for (let index = 0; index < job.tasks.count; index++) {
    const taskState = job.tasks.state[index] as number;
    counted[taskState] = (counted[taskState] as number) + 1;
    const isSettled = isSettledState(taskState);
    assert(
      isSettled === (job.tasks.seq[index] as number) > 0,
      `task ${job.jobId}/${index} has a settlement iff it is settled`,
    );
  }
  for (let taskState = 0; taskState < TASK_STATE_COUNT; taskState++) {
    assert(
      counted[taskState] === job.counts[taskState],
      `job ${job.jobId} counts ${job.counts[taskState]} tasks in state ${taskState}, not ${counted[taskState]}`,
    );
  }
}

/** The ranges of the grid say the same as the tasks in them. */
function checkGrid({ jobId, grid, tasks, counts }: LiveJob): void {
  if (grid === null) {
    const isNeeded = tasks.count > GRID_TASKS_MIN && counts[TASK_QUEUED] !== tasks.count;
    assert(!isNeeded, `job ${jobId} has a grid once something has begun`);
    return;
  }
  const recounted = gridOfStates(tasks.state, tasks.count);
  for (let range = 0; range < rangeCount(grid, tasks.count); range++) {
    for (let state = 0; state < TASK_STATE_COUNT; state++) {
      const held = countInRange(grid, state, range, tasks.count);
      const found = countInRange(recounted, state, range, tasks.count);
      assert(
        held === found,
        `job ${jobId} counts ${held} tasks in state ${state} of range ${range}, not ${found}`,
      );
    }
  }
}

/** Every queued or delayed task can be found by its queue. */
function checkQueues(state: ForemanState, job: LiveJob): void {
  const { queue, tasks } = job;
  const requeued = new Set(queue.requeued.entries.subarray(0, queue.requeued.count));
  const alone = new Set(queue.alone.entries.subarray(0, queue.alone.count));
  const delayed = new Set(queue.delayed.entries);
  for (let index = 0; index < tasks.count; index++) {
    const name = `task ${job.jobId}/${index}`;
    const taskState = tasks.state[index];
    if (taskState === TASK_QUEUED) {
      assert(index >= queue.cursor || requeued.has(index), `${name} can be found`);
    }
    if (taskState === TASK_ALONE) assert(alone.has(index), `${name} waits to run alone`);
    if (taskState === TASK_DELAYED) assert(delayed.has(index), `${name} has an end of back-off`);
  }
  if (delayed.size > 0 && job.counts[TASK_DELAYED] !== 0) {
    assert(job.timerAtMs <= (queue.delayed.atMs[0] as number), `job ${job.jobId} is woken`);
  }
  if (job.notBeforeMs !== null && job.notBeforeMs > state.nowMs) {
    assert(job.timerAtMs <= job.notBeforeMs, `job ${job.jobId} is woken at its start`);
  }
}

/** A running task runs in exactly one live row, and live rows belong to running tasks only. */
function checkRunning(job: LiveJob): void {
  const running = new Set<number>();
  for (const assignment of job.assignments) {
    for (let row = 0; row < assignment.count; row++) {
      if (!isLiveRow(assignment.rows[row] as number)) continue;
      const index = indexOfRow(assignment, row);
      assert(!running.has(index), `task ${job.jobId}/${index} runs once`);
      assert(job.tasks.state[index] === TASK_RUNNING, `task ${job.jobId}/${index} is running`);
      running.add(index);
    }
  }
  assert(running.size === job.counts[TASK_RUNNING], `job ${job.jobId}: all running are assigned`);
}

/** What may go stands in exactly one place, and the first of each queue is a true entry. */
function checkRetention({ retention, ended, namedBy }: ForemanState): void {
  const { completed, failed, parked } = retention;
  for (const { jobId, keep } of ended.values()) {
    const places = [completed.endedAtMs.has(jobId), failed.endedAtMs.has(jobId), parked.has(jobId)];
    const count = places.filter(Boolean).length;
    assert(count === (keep ? 0 : 1), `ended job ${jobId} waits for retention in ${count} places`);
  }
  const waiting = completed.endedAtMs.size + failed.endedAtMs.size + parked.size;
  assert(waiting <= ended.size, "only ended jobs wait for retention");
  for (const { byEnd, endedAtMs } of [completed, failed]) {
    const [first] = byEnd.entries;
    assert(
      (first === undefined) === (endedAtMs.size === 0),
      "a queue of ended jobs has a first one",
    );
    assert(
      first === undefined || endedAtMs.get(first) === byEnd.atMs[0],
      "the first of ended jobs is in its queue",
    );
  }
  for (const [jobId, count] of namedBy) assert(count > 0, `job ${jobId} is named by somebody`);
}

function checkAssignment(state: ForemanState, assignment: Assignment): void {
  const name = `assignment ${assignment.assignmentId}`;
  const { rows, session } = assignment;
  const live = rows.filter(isLiveRow).length;
  const fenced = rows.filter((row) => row === ROW_FENCED).length;
  const started = rows.filter((row) => row === ROW_STARTED).length;
  assert(live === assignment.liveCount, `${name} counts its live rows`);
  assert(fenced === assignment.fencedCount, `${name} counts its fenced rows`);
  assert(live - started === assignment.waitingCount, `${name} counts its waiting rows`);
  assert(started === assignment.startedAtMs.size, `${name} knows when its rows started`);
  assert(live + fenced > 0, `${name} is not empty`);
  assert(state.sessions.get(session.bootId) === session, `${name} has a session`);
  assert(
    session.assignments.get(assignment.assignmentId) === assignment,
    `${name} is its session's`,
  );
  assert(
    live === 0 || state.jobs.get(assignment.job.jobId) === assignment.job,
    `${name} has a job`,
  );
  assert(live > 0 === assignment.isStored, `${name} is stored while it is live`);
}

function checkSession(state: ForemanState, session: Session): void {
  const name = `session ${session.bootId}`;
  let tasks = 0;
  let slots = 0;
  let fencedSlots = 0;
  let memory = 0;
  for (const { demand, liveCount, fencedCount } of session.assignments.values()) {
    tasks += liveCount;
    slots += liveCount * demand.cpus;
    fencedSlots += fencedCount * demand.cpus;
    memory += (liveCount + fencedCount) * demand.memoryBytes;
  }
  assert(session.heldTasks === tasks, `${name} holds ${tasks} tasks, not ${session.heldTasks}`);
  assert(session.heldSlots === slots, `${name} counts its slots`);
  assert(session.fencedSlots === fencedSlots, `${name} counts its fenced slots`);
  assert(session.reservedMemoryBytes === memory, `${name} counts its reserved memory`);
  let held = 0;
  for (const { job, count } of session.holdings.values()) {
    assert(count > 0 && state.jobs.get(job.jobId) === job, `${name} holds tasks of live jobs`);
    held += count;
  }
  assert(held === tasks, `${name} holds its tasks by job`);
  checkBounds(session, name);
}

function checkBounds(session: Session, name: string): void {
  const priorities = new Set([...session.holdings.values()].map(({ job }) => job.spec.priority));
  assert(
    session.heldTasks <= Math.max(1, priorities.size) * HELD_TASKS_MAX + session.offer.slots,
    `${name} holds a bounded number of tasks`,
  );
  for (const amount of session.reservedResources.values()) {
    assert(amount >= 0, `${name} reserves no negative amount`);
  }
  if (session.isAlone) assert(session.heldTasks <= 1, `${name} runs its task alone`);
  assert(
    session.claim === null || session.claim.job.claimed === session,
    `${name} knows its claim`,
  );
}

/** No slot stays free while a task is ready that it could take. */
function checkNobodyWaits(state: ForemanState): void {
  if (isHeldByStorage(state)) return;
  for (const session of state.sessions.values()) {
    if (!isPlaceable(session, state.nowMs)) continue;
    for (const job of state.levels.flatMap((level) => level.jobs)) {
      if (isClaimedAgainst(session, job)) continue;
      const load = loadOf(session, job.spec.priority);
      if (load.slots + job.demand.cpus > session.offer.slots) continue;
      const count = planCount(state, session, job, load);
      assert(
        count === 0,
        `session ${session.bootId} could take ${count} tasks of job ${job.jobId}`,
      );
    }
  }
}

function checkLevels(state: ForemanState): void {
  const standing = new Set<LiveJob>();
  for (const level of state.levels) {
    for (const job of level.jobs) {
      assert(job.share.level === level, `job ${job.jobId} knows its level`);
      assert(job.spec.priority === level.priority, `job ${job.jobId} stands in its priority`);
      standing.add(job);
    }
  }
  for (const job of state.jobs.values()) {
    const mayStart = !job.isPaused && !isBlocked(job, state.nowMs);
    const isReady = mayStart && (job.counts[TASK_QUEUED] as number) > 0;
    if (state.options.onlyFollowed) continue;
    assert(standing.has(job) === isReady, `job ${job.jobId} stands in a level iff it is ready`);
  }
}
