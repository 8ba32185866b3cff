/**
 * The heart's beat: take what has arrived, step the machine, commit all changes in one transaction,
 * then perform the effects. One commit is in flight; what arrives meanwhile is the next group, so an
 * idle foreman answers at once and a busy one batches by itself. Memory never runs ahead of the store:
 * a busy store holds everything up, a full one (storage/storage-gate.ts) turns new work away before it is
 * stepped, and a broken one stops the foreman with nothing more stepped or answered.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import { type CcError, toCcError } from "../protocol/error.ts";
import type { BootId } from "../protocol/ids.ts";
import type { Change } from "../scheduler/foreman/changes.ts";
import type { ForemanEffect, ForemanEvent } from "../scheduler/foreman/events.ts";
import { type ForemanState, nextWakeAtMs, step } from "../scheduler/foreman/machine.ts";
import type { StepOutput } from "../scheduler/foreman/machine-interface.ts";
import { storageFull } from "../store/storage-error.ts";
import type { Store } from "../store/store.ts";
import type { StorageGate } from "./storage/storage-gate.ts";

/** A group closes at so many tasks or bytes; a larger event is a group of its own. */
const GROUP_TASKS_MAX = 10_000;
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
const BUSY_RETRY_MS = 5;
const BUSY_RETRY_MS_MAX = 100;
const FULL_RETRY_MS = 1_000;

export interface Pump {
  /** Adds an event to the inbox; the pump runs by itself. */
  post(event: UnstampedEvent): void;
  /** Runs effects that do not come from an event (recovery) once their changes are committed. */
  adopt(output: StepOutput): void;
  /** The foreman's time line: wall clock at the start plus monotonic time since. */
  nowMs(): number;
  /** When what is in the inbox now will have been committed and performed; null: nothing is. */
  performed(): Promise<void> | null;
  /** Resolves when the inbox is empty and all is committed and performed. */
  idle(): Promise<void>;
  /** Takes nothing more; commits what is in the inbox. */
  close(): Promise<void>;
}

interface PerformedWaiter {
  readonly untilCount: number;
  readonly promise: Promise<void>;
  readonly release: () => void;
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
  ? Omit<Union, Key>
  : never;
/** An event as the shell posts it; the pump stamps it when it is stepped. */
export type UnstampedEvent = DistributiveOmit<ForemanEvent, "atMs">;

type Beat = Extract<UnstampedEvent, { readonly type: "heartbeatReceived" }>;

export interface PumpParts {
  readonly state: ForemanState;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gate: StorageGate;
  /** Whether the event is new work that a full disk has no room for; it has been answered then. */
  turnAway(event: UnstampedEvent): boolean;
  /** Sees the changes of a group once they are committed, before its effects. */
  onCommitted(changes: readonly Change[]): void;
  perform(effect: ForemanEffect): void;
  /** The store is broken: nothing may be acknowledged any more. */
  onFatal(error: CcError): void;
}

export function createPump(parts: PumpParts): Pump {
  const { state, store, clock, logger, gate } = parts;
  const startedAtMs = clock.nowMs() - clock.monotonicMs();
  // Whole milliseconds, as the store keeps them.
  const nowMs = (): number => Math.floor(startedAtMs + clock.monotonicMs());

  /** Of each session only the last beat says anything, however long a commit is held up. */
  const beats = new Map<BootId, Beat>();
  const urgent: UnstampedEvent[] = [];
  let inbox: UnstampedEvent[] = [];
  let inboxAt = 0;
  let adopted: StepOutput[] = [];
  let running = false;
  let closed = false;
  /** `close` was called: a full disk is not waited for any more. */
  let closing = false;
  let idleWaiters: (() => void)[] = [];
  /** Of events in the inbox, since the start. */
  let postedCount = 0;
  let steppedCount = 0;
  let performedCount = 0;
  /** In the order of their counts. */
  let performedWaiters: PerformedWaiter[] = [];
  let wakeTimer: Timer | null = null;

  function post(event: UnstampedEvent): void {
    // A commit that waits for room would hold up the answer, too.
    if (closed || (gate.isFull && parts.turnAway(event))) return;
    // Heartbeats first: a long inbox must not cost a lease. And before more is begun, a full disk.
    if (event.type === "heartbeatReceived") noteBeat(event);
    else if (event.type === "storageChanged") urgent.push(event);
    else {
      inbox.push(event);
      postedCount++;
    }
    schedule();
  }

  function noteBeat(event: Beat): void {
    const held = beats.get(event.bootId);
    // A connection that was given up may still have something to say.
    if (held && held.connectionSeq > event.connectionSeq) return;
    beats.set(event.bootId, event);
  }

  function schedule(): void {
    if (running) return;
    running = true;
    // After the sockets that are readable now, so that their frames form one group.
    clock.defer(() => void run());
  }

  async function run(): Promise<void> {
    try {
      while (hasWork()) await turn();
    } catch (thrown) {
      closed = true;
      // The machine is ahead of the store by what was not committed: nobody may hear of it.
      urgent.length = 0;
      beats.clear();
      inbox = [];
      inboxAt = 0;
      adopted = [];
      parts.onFatal(toCcError(thrown));
    }
    running = false;
    armTimer();
    const waiters = idleWaiters;
    idleWaiters = [];
    for (const wake of waiters) wake();
  }

  const hasWork = (): boolean =>
    beats.size + urgent.length + adopted.length > 0 || inboxAt < inbox.length;

  async function turn(): Promise<void> {
    const { changes, effects } = stepGroup();
    if (changes.length > 0) await commit(changes);
    parts.onCommitted(changes);
    for (const effect of effects) parts.perform(effect);
    performedCount = steppedCount;
    let releasedCount = 0;
    for (const { untilCount, release } of performedWaiters) {
      if (untilCount > performedCount) break;
      releasedCount++;
      release();
    }
    performedWaiters = performedWaiters.slice(releasedCount);
  }

  function performed(): Promise<void> | null {
    if (performedCount === postedCount) return null;
    const last = performedWaiters.at(-1);
    if (last?.untilCount === postedCount) return last.promise;
    const { promise, resolve: release } = Promise.withResolvers<void>();
    performedWaiters.push({ untilCount: postedCount, promise, release });
    return promise;
  }

  function stepGroup(): StepOutput {
    const changes: Change[] = [];
    const effects: ForemanEffect[] = [];
    const take = (output: StepOutput): void => {
      for (const change of output.changes) changes.push(change);
      for (const effect of output.effects) effects.push(effect);
    };
    for (const output of adopted) take(output);
    adopted = [];
    const atMs = nowMs();
    for (const event of [...beats.values(), ...urgent.splice(0)]) {
      take(step(state, { ...event, atMs } as ForemanEvent));
    }
    beats.clear();
    let tasks = 0;
    let bytes = 0;
    while (inboxAt < inbox.length && tasks < GROUP_TASKS_MAX && bytes < GROUP_BYTES_MAX) {
      const event = inbox[inboxAt++] as UnstampedEvent;
      steppedCount++;
      if (parts.turnAway(event)) continue;
      tasks += "count" in event ? event.count : 1;
      bytes += "values" in event ? event.values.data.byteLength : 0;
      take(step(state, { ...event, atMs } as ForemanEvent));
    }
    if (inboxAt === inbox.length) {
      inbox = [];
      inboxAt = 0;
    }
    return { changes, effects };
  }

  async function commit(changes: readonly Change[]): Promise<void> {
    let busyMs = BUSY_RETRY_MS;
    for (;;) {
      const outcome = await store.commit(changes);
      if (outcome === "ok") return;
      if (outcome === "busy") {
        await delay(busyMs);
        busyMs = Math.min(busyMs * 2, BUSY_RETRY_MS_MAX);
      } else if (!gate.onFull()) {
        if (closing) throw storageFull("record what had arrived");
        logger.error("the store is full: nothing is acknowledged until there is space", {
          code: "storage_full",
        });
        await delay(FULL_RETRY_MS);
      }
    }
  }

  /** Comes back when the machine has a deadline; the only timer of the scheduler. */
  function armTimer(): void {
    wakeTimer?.cancel();
    wakeTimer = null;
    if (closed) return;
    const wakeAtMs = nextWakeAtMs(state);
    if (wakeAtMs === null) return;
    const delayMs = Math.min(Math.max(0, wakeAtMs - nowMs()), 60_000);
    wakeTimer = clock.setTimer(delayMs, () => post({ type: "clockAdvanced" }));
  }

  const delay = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.setTimer(ms, resolve));

  async function idle(): Promise<void> {
    while (running || hasWork()) {
      await new Promise<void>((resolve) => {
        idleWaiters.push(resolve);
        schedule();
      });
    }
  }

  return {
    post,
    nowMs,
    performed,
    idle,
    adopt(output) {
      // Of a broken or closed store nothing more is asked.
      if (closed) return;
      adopted.push(output);
      schedule();
    },
    async close() {
      closing = true;
      await idle();
      closed = true;
      wakeTimer?.cancel();
    },
  };
}
