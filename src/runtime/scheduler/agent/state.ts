/**
 * The memory of a worker's agent. Only `step` and what it calls change it.
 *
 * A row of an assignment is in one of these states, kept in `Assignment.rowState`:
 *   WAITING    here and not handed over; listed in `waiting`. May be revoked.
 *   HANDED     in a batch of a lane. -> REPORTED by a result, WAITING when it came back unstarted
 *   CANCELLING in a batch, fenced by the foreman. -> SETTLED when its processes are gone
 *   REPORTED   in a report that the foreman has not acknowledged. -> SETTLED
 *   SETTLED    of no concern any more; an assignment of only these is forgotten.
 *
 * The worker's mode: working -> draining (the foreman's order, signal, idle) -> stopped, or working or
 * draining -> aborting (second signal, time limit) -> stopped. It goes back to working only from a
 * drain that the foreman ordered and undoes.
 */
import type { IndexColumn, U32Column, ValueColumn } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type { WorkerOffer } from "../../protocol/job-spec.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { AgentJob } from "./events.ts";

export const WAITING = 0;
export const HANDED = 1;
export const CANCELLING = 2;
export const REPORTED = 3;
export const SETTLED = 4;

export interface AgentOptions {
  readonly workerId: WorkerId;
  /** As announced; `time_left_ms` is computed from `timeLimitAtMs`. */
  readonly offer: WorkerOffer;
  /** Start no new task above these per cents of the machine. */
  readonly cpuPercentMax: number;
  readonly memoryPercentMax: number;
  /** Stop after so long without a task; null: never. */
  readonly idleTimeoutMs: number | null;
  /** Stop then; null: never. */
  readonly timeLimitAtMs: number | null;
  /** Results of attempts that ran so long are spooled too; absent: none are. */
  readonly spoolAfterUs?: number;
  /** What earlier boots of this worker have left in the spool. */
  readonly spooled?: readonly SpooledResult[];
  readonly startedAtMs: number;
}

/** A result that an earlier boot has finished and nobody has acknowledged. */
export interface SpooledResult {
  readonly spoolId: number;
  /** To which it belongs. */
  readonly foremanId: string;
  /** As it was sent, if it was; only its `seq` means nothing any more. */
  readonly message: MessageOf<"task_result">;
}

/** Rows `from` until `to` of an assignment. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

export interface JobRecord {
  readonly jobId: JobId;
  /** As the latest assignment said. */
  priority: number;
  /** Assignments with waiting rows, in the order they came. */
  readonly queue: Set<Assignment>;
  waitingCount: number;
  /** Slot-time given to it here, for fairness among jobs of equal priority. */
  virtualUs: number;
  /** A moving mean over its finished tasks; null until one has finished. */
  meanRunUs: number | null;
  meanWeight: number;
}

export interface Assignment {
  readonly assignmentId: AssignmentId;
  readonly job: JobRecord;
  readonly version: AgentJob;
  readonly count: number;
  readonly indexes: IndexColumn;
  readonly attempts: U32Column;
  readonly values: ValueColumn;
  /** Of `values`, one more than rows. */
  readonly offsets: Uint32Array;
  readonly timeoutMs: number;
  readonly rowState: Uint8Array;
  /** The WAITING rows, ascending and disjoint. */
  waiting: RowRange[];
  waitingCount: number;
  /** Rows that are not SETTLED. */
  heldCount: number;
  /** Made when a single task is first asked for. */
  rowOfIndex: Map<number, number> | null;
}

export interface Batch {
  readonly batchId: number;
  readonly assignment: Assignment;
  readonly lane: Lane;
  readonly fromRow: number;
  /** Shrinks when rows are recalled. */
  toRow: number;
  /** Rows without an outcome. */
  openCount: number;
  cancellingCount: number;
  /** What fairness was charged in advance, and what the rows then took. */
  readonly estimateUs: number;
  actualUs: number;
  /** When to look whether a task runs long; null: not now. */
  inspectAtMs: number | null;
  /** The row reported as started, counted within the batch; -1: none. */
  startedRow: number;
  isRecallAsked: boolean;
  /** `aborting`: its rows go back. `orphaned`: its session is over, nobody waits for it. */
  fate: "running" | "aborting" | "orphaned";
}

/** The slots a batch occupies; a second, short batch may wait behind it so that they never idle. */
export interface Lane {
  readonly slots: readonly number[];
  readonly batches: Batch[];
}

/** Finished rows on their way into one `task_result`. */
export interface PendingResults {
  readonly assignment: Assignment;
  readonly status: "completed" | "failed";
  readonly indexes: IndexColumn[];
  readonly rows: IndexColumn[];
  readonly counts: number[];
  readonly attempts: U32Column[];
  readonly runUs: U32Column[];
  readonly permanent: U32Column[];
  readonly codes: string[];
  readonly values: ValueColumn[];
  totalCount: number;
  byteCount: number;
  readonly endedAtMs: number;
}

export type ReportMessage = MessageOf<
  "task_started" | "task_result" | "tasks_returned" | "tasks_gone"
>;

/** A report until it is acknowledged. */
export interface Report {
  readonly message: ReportMessage;
  /** Rows that become SETTLED then; null for results of an earlier boot too. */
  readonly assignment: Assignment | null;
  /** Under which it is spooled; null: it is not. */
  spoolId: number | null;
  readonly rows: readonly IndexColumn[];
  readonly counts: readonly number[];
  readonly endedAtMs: number;
  readonly byteCount: number;
  readonly rowCount: number;
}

export type AgentConnection =
  | { readonly kind: "down" }
  | { readonly kind: "up"; beat: number; beatAtMs: number; nextBeatAtMs: number };

export type AgentMode =
  | { readonly kind: "working" }
  | {
      readonly kind: "draining" | "aborting";
      readonly reason: string;
      /** By the foreman, which may undo it and is waited for until it has acknowledged everything. */
      readonly isOrdered: boolean;
      /** When all has ended but acknowledgements are missing: wait no longer than this. */
      giveUpAtMs: number | null;
    }
  | { readonly kind: "stopped" };

export interface AgentState {
  readonly options: AgentOptions;
  mode: AgentMode;
  connection: AgentConnection;
  /** null until a session has begun, and after the foreman has ended it. */
  foremanId: string | null;
  bootId: BootId | null;
  connectionSeq: number;
  heartbeatMs: number;
  leaseMs: number;
  /** Anything at all came from the foreman. */
  lastHeardAtMs: number;
  /** Why no new task is started; null: it may be. */
  overload: string | null;
  /** What is wrong with the disk that tasks need; null: nothing. */
  storageTrouble: string | null;
  /** Since when others use more of the CPU than the limit; null: they do not. */
  cpuBusySinceMs: number | null;
  cpuPercent: number;
  memoryPercent: number;
  /** From a beat to its echo, the last time; null: none was measured. */
  roundTripUs: number | null;
  readonly jobs: Map<JobId, JobRecord>;
  readonly assignments: Map<AssignmentId, Assignment>;
  waitingCount: number;
  readonly bundles: Map<string, "fetching" | "ready">;
  /** Ascending. */
  freeSlots: number[];
  readonly lanes: Set<Lane>;
  readonly batches: Map<number, Batch>;
  nextBatchId: number;
  readonly pending: Map<string, PendingResults>;
  pendingBytes: number;
  pendingRows: number;
  flushAtMs: number | null;
  lastFlushAtMs: number;
  /** Ascending by `seq`, without gaps. */
  unacknowledged: Report[];
  unacknowledgedBytes: number;
  unacknowledgedRows: number;
  nextReportSeq: number;
  acknowledgedSeq: number;
  /** Since when it has held no task; null while it holds one. */
  idleSinceMs: number | null;
  /** Of earlier boots, until the first session begins. */
  spooled: readonly SpooledResult[];
  nextSpoolId: number;
}

export function createAgentState(options: AgentOptions): AgentState {
  const { slots } = options.offer;
  return {
    options,
    mode: { kind: "working" },
    connection: { kind: "down" },
    foremanId: null,
    bootId: null,
    connectionSeq: 0,
    heartbeatMs: 0,
    leaseMs: 0,
    lastHeardAtMs: options.startedAtMs,
    overload: null,
    storageTrouble: null,
    cpuBusySinceMs: null,
    cpuPercent: 0,
    memoryPercent: 0,
    roundTripUs: null,
    jobs: new Map(),
    assignments: new Map(),
    waitingCount: 0,
    bundles: new Map(),
    freeSlots: Array.from({ length: slots }, (_, i) => i + 1),
    lanes: new Set(),
    batches: new Map(),
    nextBatchId: 1,
    pending: new Map(),
    pendingBytes: 0,
    pendingRows: 0,
    flushAtMs: null,
    lastFlushAtMs: Number.NEGATIVE_INFINITY,
    unacknowledged: [],
    unacknowledgedBytes: 0,
    unacknowledgedRows: 0,
    nextReportSeq: 1,
    acknowledgedSeq: 0,
    idleSinceMs: options.startedAtMs,
    spooled: options.spooled ?? [],
    nextSpoolId: 1 + Math.max(0, ...(options.spooled ?? []).map(({ spoolId }) => spoolId)),
  };
}
