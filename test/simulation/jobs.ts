/**
 * The jobs of a world: what clients submit and how each task behaves when it runs. A task's behaviour
 * travels in its input, so that a task that gets a wrong input is seen at once.
 */
import { type ValueColumn, ValueColumnBuilder } from "../../src/runtime/protocol/columns.ts";
import type { JobSpec } from "../../src/runtime/protocol/job-spec.ts";
import { decodeValue, encodeValue } from "../../src/runtime/protocol/value.ts";
import { aSpec, functionWork } from "../support/specs.ts";
import { createDice, type Dice } from "./chance.ts";
import type { WorldOptions } from "./options.ts";

/** What a task does, as its input says. */
export interface TaskInput {
  readonly job: string;
  readonly index: number;
  readonly runMs: number;
  /** So many first attempts fail. */
  readonly failures: number;
  /** A failure says that retrying is pointless. */
  readonly isPermanent: boolean;
  /** It takes its worker down in so many first attempts. */
  readonly kills: number;
}

export interface TaskOutput {
  readonly job: string;
  readonly index: number;
  readonly attempt: number;
  readonly square: number;
}

export interface JobPlan {
  /** The user's idempotency key, unique in the world. */
  readonly key: string;
  readonly spec: JobSpec;
  readonly count: number;
  readonly batchCount: number;
  readonly resumable: boolean;
  readonly startsAtMs: number;
  readonly order: "index" | "settled";
  readonly inputs: readonly TaskInput[];
  /** Keys of jobs that must complete first; their ids are known once they are accepted. */
  readonly afterKeys: readonly string[];
}

export const BUNDLE_BYTES = new TextEncoder().encode("export default (input) => input;\n");
export const BUNDLE_SHA256 = new Bun.CryptoHasher("sha256").update(BUNDLE_BYTES).digest("hex");

export function drawJobs(options: WorldOptions, client: number): JobPlan[] {
  const dice = createDice(options.seed, `jobs of ${client}`);
  const plans: JobPlan[] = [];
  const count = Math.ceil(options.jobCount / options.clientCount);
  for (let number = 0; number < count; number++) {
    plans.push(drawJob(options, dice, { key: `c${client}-j${number}`, earlier: plans }));
  }
  return plans;
}

function drawJob(
  options: WorldOptions,
  dice: Dice,
  { key, earlier }: { readonly key: string; readonly earlier: readonly JobPlan[] },
): JobPlan {
  const count = dice.happens(0.05) ? 0 : dice.whole(1, options.tasksPerJobMax);
  const maxCrashes = dice.pick([1, 2, 3, 3]);
  const retries = dice.pick([0, 0, 1, 3]);
  const failing = dice.pick([0, 0, 0.1, 0.5]);
  const killing = options.temper === "rough" && dice.happens(0.2) ? 0.05 : 0;
  const inputs = Array.from({ length: count }, (_, index) =>
    drawInput(options, dice, { key, index, failing, killing, retries }),
  );
  const afterKeys = earlier.length > 0 && dice.happens(0.15) ? [dice.pick(earlier).key] : [];
  return {
    key,
    spec: drawSpec(dice, { retries, maxCrashes }),
    count,
    batchCount: dice.pick([1, 5, 50, 1_000]),
    resumable: true,
    startsAtMs: dice.happens(0.5) ? 0 : dice.between(0, options.safetyMs * 0.7),
    order: dice.happens(0.6) ? "index" : "settled",
    inputs,
    afterKeys,
  };
}

function drawInput(
  { taskMsMax }: WorldOptions,
  dice: Dice,
  of: {
    readonly key: string;
    readonly index: number;
    readonly failing: number;
    readonly killing: number;
    readonly retries: number;
  },
): TaskInput {
  return {
    job: of.key,
    index: of.index,
    // Most are short, some are long.
    runMs: Math.round(taskMsMax * dice.draw() ** 3),
    failures: dice.happens(of.failing) ? dice.whole(1, of.retries + 2) : 0,
    isPermanent: dice.happens(0.1),
    kills: dice.happens(of.killing) ? dice.whole(1, 4) : 0,
  };
}

function drawSpec(
  dice: Dice,
  { retries, maxCrashes }: { readonly retries: number; readonly maxCrashes: number },
): JobSpec {
  return aSpec({
    work: functionWork(BUNDLE_SHA256),
    priority: dice.pick([0, 0, 0, 10, -10]),
    retries,
    backoff_seconds: dice.pick([0, 0.1, 1, 8]),
    max_crashes: maxCrashes,
    max_fails: dice.pick([
      { kind: "none" },
      { kind: "none" },
      { kind: "default" },
      { kind: "count", count: 5 },
      { kind: "percent", percent: 40 },
    ] as const),
    max_running: dice.pick([null, null, null, 1, 3]),
    delay_seconds: dice.pick([0, 0, 0, 2]),
    timeout_seconds: dice.pick([null, null, 2, 30]),
    cpus: dice.pick([1, 1, 1, 2]),
    resources: dice.happens(0.1) ? { gpu: 1 } : {},
  });
}

export function encodeInputs(inputs: readonly TaskInput[]): ValueColumn {
  const builder = new ValueColumnBuilder();
  for (const { job, index, runMs, failures, isPermanent, kills } of inputs) {
    encodeValue([job, index, runMs, failures, isPermanent ? 1 : 0, kills], builder);
  }
  return builder.take();
}

export function decodeInput(bytes: Uint8Array): TaskInput {
  const [job, index, runMs, failures, permanent, kills] = decodeValue(bytes) as [
    string,
    ...number[],
  ];
  return {
    job,
    index: index ?? -1,
    runMs: runMs ?? 0,
    failures: failures ?? 0,
    isPermanent: permanent === 1,
    kills: kills ?? 0,
  };
}

/** What the task's function returns. */
export function outputOf(input: TaskInput, attempt: number): TaskOutput {
  return { job: input.job, index: input.index, attempt, square: input.index * input.index + 1 };
}
