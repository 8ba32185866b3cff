/**
 * A tiny worker for random tests: it holds tasks, starts as many as it has slots, finishes them after
 * a while, keeps reports until they are acknowledged, and may lose its connection or die at any time.
 */
import { expandIndexes, u32At } from "../../../../src/runtime/protocol/columns.ts";
import {
  type AssignmentId,
  asBootId,
  asWorkerId,
  type BootId,
  type JobId,
} from "../../../../src/runtime/protocol/ids.ts";
import type { WorkerOffer } from "../../../../src/runtime/protocol/job-spec.ts";
import type {
  ForemanEffect,
  ForemanEvent,
} from "../../../../src/runtime/scheduler/foreman/events.ts";
import { failureValues, someValues } from "./builders.ts";

type Unstamped = ForemanEvent extends infer Event
  ? Event extends ForemanEvent
    ? Omit<Event, "atMs">
    : never
  : never;

interface HeldTask {
  readonly assignmentId: AssignmentId;
  readonly jobId: JobId;
  readonly index: number;
  readonly attempt: number;
  state: "waiting" | "running" | "reported";
  endsAtMs: number;
  isStartTold: boolean;
  startedAtMs: number;
}

export interface ModelWorker {
  readonly workerId: string;
  readonly offer: WorkerOffer;
  bootId: BootId;
  boots: number;
  isConnected: boolean;
  connectionSeq: number;
  beat: number;
  seq: number;
  isAccepting: boolean;
  held: HeldTask[];
  unacknowledged: (Unstamped & { readonly seq: number })[];
  /** On their way to the foreman. */
  outbox: Unstamped[];
  /** On their way here. */
  inbox: ForemanEffect[];
}

export interface Behaviour {
  /** From 0 to 1. */
  random(): number;
  /** A task began; the worker dies of it when this says so. */
  onStart(task: {
    readonly jobId: JobId;
    readonly index: number;
    readonly attempt: number;
  }): "fine" | "deadly";
}

export function createModelWorker(workerId: string, offer: WorkerOffer): ModelWorker {
  return {
    workerId,
    offer,
    bootId: asBootId(`${workerId}-1`),
    boots: 1,
    isConnected: false,
    connectionSeq: 0,
    beat: 0,
    seq: 0,
    isAccepting: true,
    held: [],
    unacknowledged: [],
    outbox: [],
    inbox: [],
  };
}

export function connect(worker: ModelWorker): void {
  worker.isConnected = true;
  worker.connectionSeq++;
  worker.inbox = [];
  worker.isAccepting = true;
  const assignments = new Map<AssignmentId, number[]>();
  for (const { assignmentId, index } of worker.held) {
    assignments.set(assignmentId, [...(assignments.get(assignmentId) ?? []), index]);
  }
  worker.outbox = [
    {
      type: "sessionReady",
      workerId: asWorkerId(worker.workerId),
      bootId: worker.bootId,
      connectionSeq: worker.connectionSeq,
      offer: worker.offer,
      inventory: [...assignments].map(([assignmentId, indexes]) => ({
        assignmentId,
        indexes: Uint32Array.from(indexes),
      })),
    },
    ...worker.unacknowledged,
  ];
}

/** What is under way in both directions is lost. */
export function disconnect(worker: ModelWorker): void {
  worker.isConnected = false;
  worker.outbox = [];
  worker.inbox = [];
}

/** The process dies, or is told to forget everything, and comes back as another boot. */
export function restart(worker: ModelWorker): void {
  disconnect(worker);
  worker.boots++;
  worker.bootId = asBootId(`${worker.workerId}-${worker.boots}`);
  worker.connectionSeq = 0;
  worker.beat = 0;
  worker.seq = 0;
  worker.held = [];
  worker.unacknowledged = [];
}

/** Takes one message from the foreman. */
export function receive(worker: ModelWorker, effect: ForemanEffect): void {
  switch (effect.type) {
    case "assignTasks": {
      const indexes = expandIndexes(effect.indexes, effect.count);
      indexes.forEach((index, row) => {
        worker.held.push({
          assignmentId: effect.assignmentId,
          jobId: effect.jobId,
          index,
          attempt: u32At(effect.attempts, row),
          state: "waiting",
          endsAtMs: 0,
          isStartTold: false,
          startedAtMs: 0,
        });
      });
      break;
    }
    case "acknowledgeReports":
      worker.unacknowledged = worker.unacknowledged.filter(({ seq }) => seq > effect.seq);
      forgetAcknowledged(worker);
      break;
    case "revokeTasks": {
      const returned = takeWaiting(worker, effect.assignmentId, effect.indexes);
      report(worker, {
        type: "tasksReturned",
        bootId: worker.bootId,
        revocation: effect.revocation,
        assignmentId: effect.assignmentId,
        indexes: returned,
        reason: "revoked",
      });
      break;
    }
    case "cancelTasks": {
      const indexes = new Set(effect.indexes);
      worker.held = worker.held.filter(
        (task) =>
          task.assignmentId !== effect.assignmentId ||
          !indexes.has(task.index) ||
          task.state === "reported",
      );
      report(worker, {
        type: "tasksGone",
        bootId: worker.bootId,
        assignmentId: effect.assignmentId,
        indexes: effect.indexes,
      });
      break;
    }
    case "endSession":
      restart(worker);
      break;
    default:
      break;
  }
}

/** Ends what is due and starts what fits. */
export function work(worker: ModelWorker, nowMs: number, behaviour: Behaviour): void {
  for (const task of worker.held) {
    if (task.state !== "running") continue;
    if (task.endsAtMs <= nowMs) finish(worker, task, behaviour);
    else if (!task.isStartTold && nowMs - task.startedAtMs >= 50) tellStart(worker, task, nowMs);
  }
  let busy = worker.held.filter((task) => task.state === "running").length;
  for (const task of [...worker.held]) {
    if (task.state !== "waiting" || busy >= worker.offer.slots) continue;
    task.state = "running";
    task.startedAtMs = nowMs;
    task.endsAtMs = nowMs + (behaviour.random() < 0.1 ? 3_000 : 120) * behaviour.random();
    busy++;
    if (behaviour.onStart(task) === "fine") continue;
    restart(worker);
    return;
  }
}

/** The worker hands back some of what waits, or all that it has. */
export function handBack(worker: ModelWorker, reason: string): void {
  const [first] = worker.held;
  if (!first) return;
  const mine = worker.held.filter(
    (task) =>
      task.assignmentId === first.assignmentId &&
      (task.state === "waiting" || (reason === "aborted" && task.state === "running")),
  );
  for (const task of mine) task.state = "reported";
  report(worker, {
    type: "tasksReturned",
    bootId: worker.bootId,
    revocation: null,
    assignmentId: first.assignmentId,
    indexes: Uint32Array.from(mine, ({ index }) => index),
    reason,
  });
}

function takeWaiting(
  worker: ModelWorker,
  assignmentId: AssignmentId,
  indexes: Uint32Array,
): Uint32Array {
  const wanted = new Set(indexes);
  const taken = worker.held.filter(
    (task) =>
      task.assignmentId === assignmentId && task.state === "waiting" && wanted.has(task.index),
  );
  for (const task of taken) task.state = "reported";
  return Uint32Array.from(taken, ({ index }) => index);
}

function finish(worker: ModelWorker, task: HeldTask, behaviour: Behaviour): void {
  task.state = "reported";
  const hasFailed = behaviour.random() < 0.2;
  const code = behaviour.random() < 0.05 ? "worker_storage" : "error";
  report(worker, {
    type: "attemptsReported",
    bootId: worker.bootId,
    assignmentId: task.assignmentId,
    jobId: task.jobId,
    status: hasFailed ? "failed" : "completed",
    count: 1,
    indexes: { first: task.index },
    attempts: task.attempt,
    runUs: Math.floor(behaviour.random() * 10_000),
    codes: hasFailed ? [code] : null,
    permanent: behaviour.random() < 0.1 ? 1 : 0,
    values: hasFailed ? failureValues(code, 1) : someValues(1),
  });
}

function tellStart(worker: ModelWorker, task: HeldTask, nowMs: number): void {
  task.isStartTold = true;
  report(worker, {
    type: "tasksStarted",
    bootId: worker.bootId,
    assignmentId: task.assignmentId,
    indexes: Uint32Array.of(task.index),
    runningUs: Math.round((nowMs - task.startedAtMs) * 1000),
  });
}

type WithoutSeq<Event> = Event extends { readonly seq: number } ? Omit<Event, "seq"> : never;

function report(worker: ModelWorker, event: WithoutSeq<Unstamped>): void {
  const numbered = { ...event, seq: ++worker.seq } as Unstamped & { readonly seq: number };
  worker.unacknowledged.push(numbered);
  if (worker.isConnected) worker.outbox.push(numbered);
}

/** A reported task is held until the report that names it is acknowledged. */
function forgetAcknowledged(worker: ModelWorker): void {
  const pending = new Set<string>();
  for (const message of worker.unacknowledged) {
    if (message.type === "attemptsReported") {
      const first = message.indexes instanceof Uint32Array ? -1 : message.indexes.first;
      pending.add(`${message.assignmentId}/${first}`);
    } else if (message.type === "tasksReturned") {
      for (const index of message.indexes) pending.add(`${message.assignmentId}/${index}`);
    }
  }
  worker.held = worker.held.filter(
    (task) => task.state !== "reported" || pending.has(`${task.assignmentId}/${task.index}`),
  );
}
