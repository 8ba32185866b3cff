/**
 * What a seed decides about its world before anything happens: sizes, timings and which faults there
 * are at all. Half of the faults are left out of each world, so that those left meet each other often.
 */
import { createDice, type Dice } from "./chance.ts";

/** Mean times between faults of a kind; null: none in this world. */
export interface FaultRates {
  readonly foremanKillMs: number | null;
  readonly foremanSuspendMs: number | null;
  readonly foremanClockJumpMs: number | null;
  readonly workerKillMs: number | null;
  readonly workerSuspendMs: number | null;
  readonly workerDrainMs: number | null;
  readonly workerOverloadMs: number | null;
  readonly clientKillMs: number | null;
  readonly partitionMs: number | null;
  readonly resetMs: number | null;
  readonly storeFullMs: number | null;
}

export interface StoreFaults {
  readonly commitLatencyMs: number;
  readonly busyChance: number;
  /** The foreman dies just before or just after a commit. */
  readonly crashBeforeChance: number;
  readonly crashAfterChance: number;
  readonly fatalChance: number;
}

export interface WorldOptions {
  readonly seed: number;
  /**
   * `calm`: no worker dies and no line is away for as long as a lease, so that nothing may run twice;
   * `rough`: anything may happen.
   */
  readonly temper: "calm" | "rough";
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly workerCount: number;
  readonly clientCount: number;
  readonly jobCount: number;
  readonly tasksPerJobMax: number;
  readonly taskMsMax: number;
  /** How long faults go on. */
  readonly safetyMs: number;
  readonly faults: FaultRates;
  readonly store: StoreFaults;
  /** A worker's failures that are not its tasks' own. */
  readonly refusalChance: number;
  readonly bundleFailureChance: number;
  /** How often clients steer their jobs; null: never. */
  readonly steeringMs: number | null;
  /** `cc retry --all`, `cc pause --now` and the like: tasks run again because somebody said so. */
  readonly hasRerunOrders: boolean;
}

export function drawOptions(seed: number): WorldOptions {
  const dice = createDice(seed, "options");
  const isCalm = dice.happens(0.35);
  const heartbeatMs = dice.pick([500, 1_000, 3_000]);
  const leaseMs = isCalm ? dice.pick([15_000, 30_000]) : heartbeatMs * dice.pick([3, 5, 10]);
  const safetyMs = dice.pick([10_000, 20_000, 40_000, 80_000]);
  const taskMsMax = dice.pick([20, 200, 2_000, 20_000]);
  return {
    seed,
    temper: isCalm ? "calm" : "rough",
    heartbeatMs,
    leaseMs,
    graceMs: isCalm ? 10_000 : dice.pick([500, 2_000, 5_000]),
    workerCount: dice.whole(1, 4),
    clientCount: dice.whole(1, 2),
    jobCount: dice.whole(1, 5),
    // Many long tasks would only take long.
    tasksPerJobMax: Math.min(dice.pick([3, 10, 40, 100]), Math.ceil(200_000 / taskMsMax)),
    taskMsMax,
    safetyMs,
    faults: isCalm ? drawCalmFaults(dice, safetyMs) : drawRoughFaults(dice, safetyMs),
    store: drawStoreFaults(dice),
    refusalChance: isCalm ? 0 : dice.pick([0, 0, 0.02]),
    bundleFailureChance: dice.pick([0, 0, 0.2]),
    steeringMs: dice.happens(0.7) ? safetyMs / dice.pick([2, 6, 15]) : null,
    hasRerunOrders: !isCalm && dice.happens(0.5),
  };
}

const sometimes = (dice: Dice, meanMs: number): number | null =>
  dice.happens(0.5) ? meanMs * dice.between(0.3, 1.5) : null;

function drawRoughFaults(dice: Dice, safetyMs: number): FaultRates {
  return {
    foremanKillMs: sometimes(dice, safetyMs / 3),
    foremanSuspendMs: sometimes(dice, safetyMs / 2),
    foremanClockJumpMs: sometimes(dice, safetyMs / 2),
    workerKillMs: sometimes(dice, safetyMs / 4),
    workerSuspendMs: sometimes(dice, safetyMs / 3),
    workerDrainMs: sometimes(dice, safetyMs / 2),
    workerOverloadMs: sometimes(dice, safetyMs / 2),
    clientKillMs: sometimes(dice, safetyMs / 3),
    partitionMs: sometimes(dice, safetyMs / 4),
    resetMs: sometimes(dice, safetyMs / 8),
    storeFullMs: sometimes(dice, safetyMs / 2),
  };
}

/** Far enough apart that a worker has come back from one before the next. */
function drawCalmFaults(dice: Dice, safetyMs: number): FaultRates {
  return {
    foremanKillMs: sometimes(dice, safetyMs / 2),
    foremanSuspendMs: sometimes(dice, safetyMs / 2),
    foremanClockJumpMs: sometimes(dice, safetyMs / 2),
    workerKillMs: null,
    workerSuspendMs: sometimes(dice, safetyMs / 3),
    workerDrainMs: null,
    workerOverloadMs: sometimes(dice, safetyMs / 2),
    clientKillMs: sometimes(dice, safetyMs / 3),
    partitionMs: sometimes(dice, safetyMs / 3),
    resetMs: sometimes(dice, safetyMs / 3),
    storeFullMs: sometimes(dice, safetyMs / 2),
  };
}

function drawStoreFaults(dice: Dice): StoreFaults {
  return {
    commitLatencyMs: dice.pick([0, 0, 1, 8]),
    busyChance: dice.pick([0, 0, 0.1]),
    crashBeforeChance: dice.pick([0, 0, 0.003, 0.01]),
    crashAfterChance: dice.pick([0, 0, 0.003, 0.01]),
    fatalChance: dice.pick([0, 0, 0, 0.003]),
  };
}

export function describeOptions({ faults, store, ...rest }: WorldOptions): string {
  const round = (value: unknown): unknown =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value;
  const list = (fields: object): string =>
    Object.entries(fields)
      .filter(([, value]) => value !== null && value !== 0)
      .map(([name, value]) => `${name}=${round(value)}`)
      .join(" ");
  return `${list(rest)}\n  faults: ${list(faults)}\n  store: ${list(store)}`;
}
