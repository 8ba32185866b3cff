/**
 * Which waiting tasks start next, where, and how many at a time. Larger priority first; among equal
 * ones the job with the least slot-time; within a job in order of arrival. A task that needs more
 * slots than are free holds the rest back until it fits: otherwise small tasks would starve it.
 */
import { sliceU32, sliceValues } from "../../protocol/columns.ts";
import { handNextRows } from "./assignments.ts";
import type { AgentEffect, BatchOrder } from "./events.ts";
import { hasReportRoom } from "./reports.ts";
import type { AgentState, Assignment, Batch, JobRecord, Lane } from "./state.ts";

/**
 * A lane holds up to two batches of this much work, together about 50 ms: enough to hide the way to
 * the executor and back, little enough that what waits stays revocable and urgent tasks start soon.
 */
export const BATCH_TARGET_US = 25_000;
/** What a task costs besides its own run: decode, call, encode. */
const TASK_OVERHEAD_US = 2;
/** Charged to a job in advance while nothing is known of its tasks. */
const UNKNOWN_RUN_US = 1_000;
export const BATCH_ROWS_MAX = 4_096;
const BATCH_BYTES_MAX = 1024 * 1024;
/** A task that runs so long is reported as started, and what waits behind it is called back. */
export const LONG_RUN_MS = 50;

/** Starts whatever may start now. */
export function fillSlots(state: AgentState, atMs: number, effects: AgentEffect[]): void {
  if (!mayStart(state, atMs)) return;
  while (state.waitingCount > 0 && hasReportRoom(state)) {
    const assignment = selectAssignment(state);
    if (assignment === null) return;
    const lane = openLane(state, assignment) ?? findLaneToFollow(state, assignment);
    if (lane === null) return;
    startBatch(state, { assignment, lane, atMs }, effects);
  }
}

/** Whether a new task may start at all. */
export function mayStart(state: AgentState, atMs: number): boolean {
  return (
    state.mode.kind === "working" &&
    state.overload === null &&
    state.storageTrouble === null &&
    // After a lease of silence the foreman has given the tasks to others.
    atMs < state.lastHeardAtMs + state.leaseMs
  );
}

/** A moving mean that follows a change within some thirty tasks. */
export function recordDurations(job: JobRecord, totalUs: number, count: number): void {
  const weight = Math.min(job.meanWeight, 32);
  job.meanRunUs = ((job.meanRunUs ?? 0) * weight + totalUs) / (weight + count);
  job.meanWeight = weight + count;
}

function selectAssignment(state: AgentState): Assignment | null {
  let best: Assignment | null = null;
  for (const job of state.jobs.values()) {
    if (job.waitingCount === 0 || (best !== null && !isBefore(job, best.job))) continue;
    best = firstReady(state, job) ?? best;
  }
  return best;
}

function isBefore(job: JobRecord, other: JobRecord): boolean {
  if (job.priority !== other.priority) return job.priority > other.priority;
  if (job.virtualUs !== other.virtualUs) return job.virtualUs < other.virtualUs;
  return job.jobId < other.jobId;
}

function firstReady(state: AgentState, job: JobRecord): Assignment | null {
  for (const assignment of job.queue) {
    const { bundleSha256 } = assignment.version;
    if (bundleSha256 === null || state.bundles.get(bundleSha256) === "ready") return assignment;
  }
  return null;
}

function openLane(state: AgentState, assignment: Assignment): Lane | null {
  const { slotsPerTask } = assignment.version;
  if (state.freeSlots.length < slotsPerTask) return null;
  const lane: Lane = { slots: state.freeSlots.splice(0, slotsPerTask), batches: [] };
  state.lanes.add(lane);
  return lane;
}

/** A lane of the same code whose only batch is short: the next one goes behind it. */
function findLaneToFollow(state: AgentState, { job, version }: Assignment): Lane | null {
  if (version.kind !== "function" || job.meanRunUs === null) return null;
  let best: Lane | null = null;
  let bestOpen = Number.POSITIVE_INFINITY;
  const openMax = BATCH_TARGET_US / costUs(job);
  for (const lane of state.lanes) {
    const front = lane.batches[0];
    if (front === undefined || lane.batches.length > 1 || front.fate !== "running") continue;
    if (front.assignment.job !== job || !isSameCode(front.assignment, version)) continue;
    if (front.isRecallAsked || front.openCount > openMax || front.openCount >= bestOpen) continue;
    best = lane;
    bestOpen = front.openCount;
  }
  return best;
}

function isSameCode(assignment: Assignment, version: Assignment["version"]): boolean {
  return (
    assignment.version.specVersion === version.specVersion &&
    assignment.version.bundleSha256 === version.bundleSha256
  );
}

const costUs = (job: JobRecord): number => (job.meanRunUs ?? UNKNOWN_RUN_US) + TASK_OVERHEAD_US;

/** One until durations are known; never so many that other slots would run dry meanwhile. */
function planRowCount(state: AgentState, { job, version }: Assignment): number {
  if (version.kind === "command" || job.meanRunUs === null) return 1;
  const fitting = Math.floor(BATCH_TARGET_US / costUs(job));
  const laneCount = Math.max(1, Math.floor(state.options.offer.slots / version.slotsPerTask));
  const share = Math.ceil(job.waitingCount / (2 * laneCount));
  return Math.max(1, Math.min(fitting, share, BATCH_ROWS_MAX));
}

function startBatch(
  state: AgentState,
  at: { readonly assignment: Assignment; readonly lane: Lane; readonly atMs: number },
  effects: AgentEffect[],
): void {
  const { assignment, lane, atMs } = at;
  const { job, version } = assignment;
  const { from, to } = handNextRows(state, assignment, {
    rowsMax: planRowCount(state, assignment),
    bytesMax: BATCH_BYTES_MAX,
  });
  const front = lane.batches[0];
  const batch: Batch = {
    batchId: state.nextBatchId++,
    assignment,
    lane,
    fromRow: from,
    toRow: to,
    openCount: to - from,
    cancellingCount: 0,
    estimateUs: (to - from) * costUs(job) * version.slotsPerTask,
    actualUs: 0,
    inspectAtMs: front === undefined ? atMs + LONG_RUN_MS : null,
    startedRow: -1,
    isRecallAsked: false,
    fate: "running",
  };
  job.virtualUs += batch.estimateUs;
  lane.batches.push(batch);
  state.batches.set(batch.batchId, batch);
  effects.push({ type: "runBatch", order: toOrder(batch, front?.batchId ?? null) });
}

function toOrder(batch: Batch, behind: number | null): BatchOrder {
  const { assignment, lane, fromRow, toRow, batchId } = batch;
  const { indexes } = assignment;
  return {
    batchId,
    assignmentId: assignment.assignmentId,
    jobId: assignment.job.jobId,
    specVersion: assignment.version.specVersion,
    slots: lane.slots,
    behind,
    count: toRow - fromRow,
    indexes:
      indexes instanceof Uint32Array
        ? indexes.subarray(fromRow, toRow)
        : { first: indexes.first + fromRow },
    attempts: sliceU32(assignment.attempts, fromRow, toRow),
    values: sliceValues(assignment.values, fromRow, toRow, assignment.offsets),
    timeoutMs: assignment.timeoutMs,
  };
}

/** The batch has no row left: its lane goes on with the next one, or is free. */
export function closeBatch(state: AgentState, batch: Batch, atMs: number): void {
  const { lane, assignment } = batch;
  assignment.job.virtualUs += batch.actualUs - batch.estimateUs;
  state.batches.delete(batch.batchId);
  lane.batches.splice(lane.batches.indexOf(batch), 1);
  const next = lane.batches[0];
  if (next !== undefined) {
    next.inspectAtMs ??= atMs + LONG_RUN_MS;
    return;
  }
  state.lanes.delete(lane);
  state.freeSlots = [...state.freeSlots, ...lane.slots].sort((a, b) => a - b);
}
