/**
 * The nemesis: lets each kind of fault of this world come at random, and knows how to take all of them
 * back. In a calm world nothing lasts as long as a lease, and faults keep their distance.
 */
import type { Dice } from "./chance.ts";
import type { ClientHost } from "./client-host.ts";
import type { Dialler } from "./dialling.ts";
import type { ForemanHost } from "./foreman-host.ts";
import { block, heal, type Line } from "./network.ts";
import type { WorldOptions } from "./options.ts";
import type { StoreHost } from "./store-host.ts";
import type { Story } from "./story.ts";
import type { Timeline, WallClock } from "./timeline.ts";
import type { WorkerHost } from "./worker-host.ts";

export interface Nemesis {
  begin(): void;
  /** No further faults; everything that is broken is mended. */
  stop(): void;
  onForemanDeath(): void;
  onWorkerDeath(worker: WorkerHost): void;
}

export interface NemesisParts {
  readonly timeline: Timeline;
  readonly options: WorldOptions;
  readonly dice: Dice;
  readonly story: Story;
  readonly foreman: ForemanHost;
  readonly foremanWall: WallClock;
  readonly store: StoreHost;
  readonly workers: readonly WorkerHost[];
  readonly clients: readonly ClientHost[];
}

const DAY_MS = 86_400_000;

export function createNemesis(parts: NemesisParts): Nemesis {
  const { timeline, options, dice, story, foreman, store, workers, clients } = parts;
  const { faults, leaseMs } = options;
  const isCalm = options.temper === "calm";
  let isOver = false;
  /** In a calm world: no fault before, so that workers find back in between. */
  let quietUntilMs = 0;

  /** Again and again, until the faults end. */
  function recur(meanMs: number | null, strike: () => void): void {
    if (meanMs === null) return;
    timeline.after(dice.waitMs(meanMs), () => {
      if (isOver) return;
      if (!isCalm || timeline.nowMs >= quietUntilMs) {
        if (isCalm) quietUntilMs = timeline.nowMs + 2 * leaseMs;
        strike();
      }
      recur(meanMs, strike);
    });
  }
  const later = (ms: number, run: () => void): void =>
    void timeline.after(ms, () => {
      if (!isOver) run();
    });
  const upTo = (ms: number): number => dice.draw() ** 2 * ms;

  function onForemanDeath(): void {
    later(isOver ? 0 : 50 + upTo(isCalm ? 5_000 : 20_000), foreman.start);
  }

  function suspendForeman(): void {
    foreman.suspend();
    later(upTo(90_000), foreman.resume);
  }

  function partition(): void {
    const host = dice.pick<{ readonly name: string; readonly line: Line }>([
      ...workers,
      ...workers,
      ...clients,
    ]);
    const { toForeman, fromForeman } = host.line;
    const way = dice.pick(["both", "out", "in"] as const);
    story.tell(() => `${host.name}: its line is cut (${way})`);
    if (way !== "in") block(toForeman, timeline.nowMs);
    if (way !== "out") block(fromForeman, timeline.nowMs);
    later(upTo(isCalm ? 4_000 : 60_000), () => {
      story.tell(() => `${host.name}: its line is whole again`);
      heal(toForeman, timeline.nowMs);
      heal(fromForeman, timeline.nowMs);
    });
  }

  function reset(): void {
    const host = dice.pick<{ readonly name: string; readonly dialler: Dialler | null }>([
      ...workers,
      ...workers,
      ...clients,
    ]);
    const connection = host.dialler?.connection;
    if (!connection) return;
    const kind = dice.pick(["both", "both", "peer", "foreman"] as const);
    story.tell(() => `${host.name}: its connection is reset (${kind})`);
    if (kind === "both") connection.reset();
    else connection.resetOneEnd(kind, upTo(isCalm ? 3_000 : 20_000));
  }

  function killWorker(): void {
    const worker = dice.pick(workers);
    worker.kill("is killed");
    onWorkerDeath(worker);
  }

  function onWorkerDeath(worker: WorkerHost): void {
    // A supervisor starts it at once, or somebody comes by later.
    timeline.after(isOver ? 100 : dice.happens(0.5) ? 200 : upTo(40_000), worker.start);
  }

  function suspendWorker(): void {
    const worker = dice.pick(workers);
    if (worker.process === null || worker.process.isSuspended) return;
    worker.suspend();
    later(upTo(isCalm ? 5_000 : 60_000), worker.resume);
  }

  function overload(): void {
    const worker = dice.pick(workers);
    worker.setOverload(true);
    later(upTo(20_000), () => worker.setOverload(false));
  }

  function killClient(): void {
    const client = dice.pick(clients);
    client.kill("is killed");
    timeline.after(50 + upTo(20_000), client.start);
  }

  function fillDisk(): void {
    story.tell(() => "store: the disk is full");
    store.setFull(true);
    later(upTo(20_000), () => {
      story.tell(() => "store: the disk has room again");
      store.setFull(false);
    });
  }

  function jumpClock(): void {
    const byMs = dice.pick([-DAY_MS, -60_000, -3_000, 3_000, 60_000, DAY_MS]);
    story.tell(() => `foreman: its wall clock jumps by ${byMs / 1000} s`);
    parts.foremanWall.offsetMs += byMs;
  }

  return {
    onForemanDeath,
    onWorkerDeath,
    begin() {
      recur(faults.foremanKillMs, () => {
        foreman.kill("is killed");
        onForemanDeath();
      });
      recur(faults.foremanSuspendMs, suspendForeman);
      recur(faults.foremanClockJumpMs, jumpClock);
      recur(faults.workerKillMs, killWorker);
      recur(faults.workerSuspendMs, suspendWorker);
      recur(faults.workerDrainMs, () => dice.pick(workers).stop(dice.pick(["drain", "abort"])));
      recur(faults.workerOverloadMs, overload);
      recur(faults.clientKillMs, killClient);
      recur(faults.partitionMs, partition);
      recur(faults.resetMs, reset);
      recur(faults.storeFullMs, fillDisk);
    },
    stop() {
      story.tell(() => "— the faults end");
      isOver = true;
      store.stopFaults();
      foreman.resume();
      foreman.start();
      for (const worker of workers) {
        worker.stopFaults();
        worker.resume();
        worker.start();
        worker.setOverload(false);
      }
      for (const client of clients) {
        client.start();
        client.stopSteering();
      }
      for (const { line } of [...workers, ...clients]) {
        heal(line.toForeman, timeline.nowMs);
        heal(line.fromForeman, timeline.nowMs);
      }
    },
  };
}
