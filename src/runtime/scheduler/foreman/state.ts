/**
 * The memory of the foreman's machine. Only `step` and `recover` change it, through the files beside
 * this one; everything else reads. Nothing here knows a clock: `nowMs` is the latest event's time.
 *
 *   live job        `jobs`: not ended; leaves for `ended` (its facts only) with its last settlement
 *   assignment      `assignments`, and its session's and its job's sets: has live or fenced rows
 *   session         `sessions`: one worker boot, connected or within its lease
 *   worker          `workers`: a name that had a session, kept while it is remembered
 */
import type { U32Column } from "../../protocol/columns.ts";
import type { AssignmentId, BootId, JobId, WorkerId } from "../../protocol/ids.ts";
import type { JobSpec, WorkerOffer } from "../../protocol/job-spec.ts";
import type { EndedTally, JobTally } from "./aggregates/tally-state.ts";
import type { TaskGrid } from "./aggregates/task-grid.ts";
import type { ReplyToken } from "./events.ts";
import type { JobFacts } from "./facts.ts";
import type { InputSizes } from "./jobs/inputs.ts";
import { createRetention, type RetentionState } from "./jobs/retention-state.ts";
import type { ForemanOptions } from "./machine-interface.ts";
import type { IndexHeap } from "./queues/index-heap.ts";
import type { TaskTable } from "./queues/task-table.ts";
import { createTimeHeap, type TimeHeap } from "./queues/time-heap.ts";
import { createRandom, type RandomState } from "./random.ts";
import { createSeries, FOREMAN_SERIES, type Series } from "./series.ts";

export interface ForemanState {
  readonly options: ForemanOptions;
  readonly random: RandomState;
  nowMs: number;
  nextJobId: number;
  nextAssignmentId: number;
  nextRevocation: number;
  readonly jobs: Map<JobId, LiveJob>;
  readonly ended: Map<JobId, JobFacts>;
  readonly retention: RetentionState;
  /** Of the newest ended jobs, in the order of their ends. */
  readonly endedTallies: Map<JobId, EndedTally>;
  /** Jobs that somebody reads right now, ended or not. */
  readonly read: Set<JobId>;
  /** By how many unfinished jobs a job is named with `--after`. */
  readonly namedBy: Map<JobId, number>;
  /** By owner and submission id; live and ended jobs. */
  readonly submissions: Map<string, JobId>;
  /** Live jobs that wait for this one to complete. */
  readonly dependants: Map<JobId, Set<LiveJob>>;
  /** Jobs that somebody follows; told only where `onlyFollowed` holds. */
  readonly followed: Set<JobId>;
  readonly workers: Map<WorkerId, Worker>;
  readonly sessions: Map<BootId, Session>;
  /** Boots given up, with the blame that is taken back should they return. */
  readonly lostBoots: Map<BootId, LostBoot>;
  readonly assignments: Map<AssignmentId, Assignment>;
  /** Largest priority first. */
  readonly levels: Level[];
  /** With queued tasks that must run without company. */
  readonly aloneJobs: Set<LiveJob>;
  readonly demands: Map<string, Demand>;
  readonly timers: TimeHeap<Timer>;
  /** Grows when a session may serve other jobs than before; dates the sums kept in demands. */
  sessionsVersion: number;
  /** When idle workers look again for something to take over; null: nobody waits. */
  stealCheckAtMs: number | null;
  /** Since this state was made, over all jobs. */
  readonly totals: Totals;
  /** The folder whose disk is full; nothing is started meanwhile. */
  fullFolder: string | null;
}

export interface Totals {
  completed: number;
  failed: number;
  readonly rate: RateRing;
  readonly series: Series;
}

/** Settled tasks by second, over the last RATE_SECONDS. */
export interface RateRing {
  readonly counts: Uint32Array;
  /** The second that was counted last. */
  second: number;
  /** Counted without a long gap since; null: never. */
  sinceMs: number | null;
}

export interface LiveJob {
  readonly jobId: JobId;
  readonly owner: string;
  readonly submissionId: string;
  readonly resumable: boolean;
  readonly createdAtMs: number;
  readonly notBeforeMs: number | null;
  spec: JobSpec;
  specVersion: number;
  demand: Demand;
  isPaused: boolean;
  isKept: boolean;
  inputCrc32: number;
  inputsClosedAtMs: number | null;
  nextSettleSeq: number;
  runUs: number;
  /** The rest was cancelled: by request, limit or dependency. */
  isCancelled: boolean;
  readonly tasks: TaskTable;
  /** By task state; they sum up to `tasks.count`. */
  readonly counts: number[];
  /** The same by ranges of indexes; null: the job is small, or nothing of it has begun. */
  grid: TaskGrid | null;
  readonly queue: ReadyQueue;
  readonly inputs: InputSizes;
  /** What has been measured of it; null until the first result. */
  tally: JobTally | null;
  /** Attempts that failed or were lost and were followed, or will be, by another. */
  retries: number;
  /** From when on nothing but a pause kept its tasks from starting. */
  releasedAtMs: number;
  /** Jobs that must complete first. */
  readonly waitingFor: Set<JobId>;
  readonly assignments: Set<Assignment>;
  readonly share: Share;
  readonly pace: Pace;
  /** Workers where tasks failed, up to two: what the default of `--max-fails` asks for. */
  readonly failedOn: Set<WorkerId>;
  /** Workers where tasks completed, up to two. */
  readonly completedOn: Set<WorkerId>;
  /** When an open job whose submitter is gone is given up. */
  detachedUntilMs: number | null;
  /** The session that is being emptied for this job. */
  claimed: Session | null;
  /** The earliest timer set for this job; Infinity: none. */
  timerAtMs: number;
  /** Events about its tasks, recorded and beyond the bound (task-events.ts). */
  taskEvents: number;
  taskEventsLeftOut: number;
}

/** Where a job's ready tasks are: requeued ones, then all queued ones from the cursor on. */
export interface ReadyQueue {
  /** No task below is queued unless it is in a heap. */
  cursor: number;
  readonly requeued: IndexHeap;
  readonly alone: IndexHeap;
  /** Instants of back-offs' ends with the task's index. */
  readonly delayed: TimeHeap<number>;
}

/** A job's part of the slots' time, compared among jobs of equal priority. */
export interface Share {
  /** null while nothing of the job is ready. */
  level: Level | null;
  /** Slot time used up by settled attempts; a newcomer begins at its level's least. */
  servedUs: number;
  /** Estimated for what is assigned. */
  outstandingUs: number;
  /** Sum of the assigned tasks' instants of assignment. */
  assignedAtSumMs: number;
  /** What its level was last sorted by. */
  orderUs: number;
}

export interface Level {
  readonly priority: number;
  /** With ready tasks, neither blocked nor paused; in order of what they had when last looked at. */
  readonly jobs: LiveJob[];
  /** The virtual time reached when its last job left; it only grows. */
  floorUs: number;
}

/** What has been measured of a job's tasks. */
export interface Pace {
  /** null until the first result. */
  meanUs: number | null;
  sampleCount: number;
  readonly rate: RateRing;
}

/** What a task needs of a worker. Equal needs share one object. */
export interface Demand {
  readonly queue: string;
  readonly role: string | null;
  readonly labels: readonly (readonly [string, string])[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly resources: readonly (readonly [string, number])[];
  readonly timeRequestMs: number;
  /** Amounts beyond slots are reserved, so tasks wait here and not at a worker. */
  readonly isReserving: boolean;
  /** Sums over the sessions that could run it, as of `sumsVersion`. */
  sumsVersion: number;
  sessionCount: number;
  slotCount: number;
}

export interface Worker {
  readonly workerId: WorkerId;
  readonly firstSeenAtMs: number;
  /** The newest boot, which may be lost. */
  bootId: BootId;
  offer: WorkerOffer;
  lastSeenAtMs: number;
  isPaused: boolean;
  /** Paused with `--now`: also what turns out to have begun comes back. In memory only. */
  isGivingBack: boolean;
  setAsideUntilMs: number | null;
  setAsideReason: string | null;
  /** It was set aside and has not completed a task since: it gets one at a time. */
  isOnProbation: boolean;
  completed: number;
  failed: number;
  /** Its last boot ended because of `cc drain`. In memory only, for explanations. */
  wasDrained: boolean;
  /** Results of it that came too late and were refused. */
  stale: number;
  /** Events about what it said of jobs that are not live. */
  looseEvents: number;
  /** What the log was told of its taking nothing (willingness.ts). */
  readonly unwilling: { isTold: boolean; notAgainBeforeMs: number };
  /** Failures since the last success, by job. */
  readonly failuresInRow: Map<JobId, number>;
}

export interface Session {
  readonly bootId: BootId;
  readonly worker: Worker;
  offer: WorkerOffer;
  /** Known from the store only; its reports' numbers before are not known. */
  readonly isRecovered: boolean;
  connectionSeq: number;
  isConnected: boolean;
  connectedAtMs: number;
  /** Since when its heartbeats come without a long gap: what it said before has arrived. */
  audibleSinceMs: number;
  leaseEndsAtMs: number;
  /** After a close: when the worker must be back. */
  graceEndsAtMs: number | null;
  lastBeat: number;
  lastHeartbeatAtMs: number | null;
  cpuPercent: number | null;
  memoryPercent: number | null;
  /** The last report taken in. */
  reportSeq: number;
  isAccepting: boolean;
  /** Why it takes nothing. */
  reason: string | null;
  /** What it has said of its end; null: it stays. */
  draining: "requested" | "stopping" | null;
  /** It was told to drain, or to stay, and has not answered yet. */
  drainOrder: DrainOrder | null;
  /** Instant at which its `--time-limit` ends. */
  endsAtMs: number | null;
  /** It handed tasks back by itself, or did not get what was sent: no new ones before. */
  restsUntilMs: number;
  /** Connections in a row after which it had not got what we had sent. */
  unheardConnections: number;
  readonly assignments: Map<AssignmentId, Assignment>;
  /** Live rows by job. */
  readonly holdings: Map<JobId, Holding>;
  heldTasks: number;
  /** Slots of live rows. */
  heldSlots: number;
  /** Slots of cancelled tasks whose processes may not be gone yet. */
  fencedSlots: number;
  reservedMemoryBytes: number;
  readonly reservedResources: Map<string, number>;
  /** Runs a task that must be alone. */
  isAlone: boolean;
  /** Emptied for this job: others of its priority and below get nothing here. */
  claim: Claim | null;
  /** Assignments of others from which tasks were asked back for this session. */
  readonly awaited: Set<Assignment>;
  readonly matches: Map<Demand, boolean>;
  timerAtMs: number;
}

export interface DrainOrder {
  readonly undo: boolean;
  /** Requests to be answered with it. */
  readonly tokens: ReplyToken[];
}

export interface Holding {
  readonly job: LiveJob;
  count: number;
}

export interface Claim {
  readonly job: LiveJob;
  readonly kind: "alone" | "room";
}

/** Row states of an assignment. Rows 1 to 4 are live: the task runs under this assignment. */
export const ROW_LEFT = 0;
export const ROW_WAITING = 1;
/** Asked back; only the worker's answer frees it. */
export const ROW_REVOKING = 2;
/** The worker would not give it back: it has begun, or is about to. */
export const ROW_PINNED = 3;
export const ROW_STARTED = 4;
/** The task is not this row's any more, but its process may still be there. */
export const ROW_FENCED = 5;

export const isLiveRow = (row: number): boolean => row >= ROW_WAITING && row <= ROW_STARTED;

export interface Assignment {
  readonly assignmentId: AssignmentId;
  readonly job: LiveJob;
  readonly session: Session;
  readonly demand: Demand;
  readonly count: number;
  /** Of consecutive indexes the first; -1 where `indexes` lists them in ascending order. */
  readonly first: number;
  readonly indexes: Uint32Array | null;
  readonly attempts: U32Column;
  readonly rows: Uint8Array;
  liveCount: number;
  fencedCount: number;
  /** Live rows not known to have started. */
  waitingCount: number;
  /** It has a row in the store. */
  isStored: boolean;
  /** The number of the order, under way, to give back waiting tasks; 0: none. */
  revocation: number;
  readonly assignedAtMs: number;
  /** What each task was charged to its job in advance. */
  readonly chargedUs: number;
  /** By row; only while the row is STARTED. */
  readonly startedAtMs: Map<number, number>;
}

export interface LostBoot {
  readonly lostAtMs: number;
  readonly reportSeq: number;
  readonly points: readonly {
    readonly jobId: JobId;
    readonly kind: "crash" | "loss";
    readonly indexes: Uint32Array;
  }[];
}

export type Timer =
  | { readonly kind: "job"; readonly job: LiveJob }
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "worker"; readonly worker: Worker }
  | { readonly kind: "unseen"; readonly worker: Worker }
  /** A started task's time-out has long passed. */
  | { readonly kind: "backstop"; readonly assignment: Assignment; readonly row: number };

export const RATE_SECONDS = 16;

export function createRateRing(): RateRing {
  return { counts: new Uint32Array(RATE_SECONDS), second: 0, sinceMs: null };
}

/** An empty foreman: no jobs, no workers. */
export function createState(options: ForemanOptions): ForemanState {
  return {
    options,
    random: createRandom(options.seed),
    nowMs: 0,
    nextJobId: 1,
    nextAssignmentId: options.firstAssignmentId,
    nextRevocation: 1,
    jobs: new Map(),
    ended: new Map(),
    retention: createRetention(),
    endedTallies: new Map(),
    read: new Set(),
    namedBy: new Map(),
    submissions: new Map(),
    dependants: new Map(),
    followed: new Set(),
    workers: new Map(),
    sessions: new Map(),
    lostBoots: new Map(),
    assignments: new Map(),
    levels: [],
    aloneJobs: new Set(),
    demands: new Map(),
    timers: createTimeHeap(),
    sessionsVersion: 1,
    stealCheckAtMs: null,
    totals: {
      completed: 0,
      failed: 0,
      rate: createRateRing(),
      series: createSeries(FOREMAN_SERIES, 0),
    },
    fullFolder: null,
  };
}

export const submissionKey = (owner: string, submissionId: string): string =>
  `${owner}\u0000${submissionId}`;
