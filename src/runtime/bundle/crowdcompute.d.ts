/**
 * Types of the module "crowdcompute" for job files. Written by `cc init`, so that an editor checks a
 * job file without anything being installed; run it again in an empty folder for a newer copy.
 */
declare module "crowdcompute" {
  /**
   * What travels between this machine and the workers: whatever JSON carries, plus `undefined`,
   * `Date`, `bigint`, `Uint8Array`, `Map`, `Set`, `NaN`, `Infinity` and `-0`. At most 8 MiB each.
   * Functions, cycles and class instances are refused.
   */
  export type Carried =
    | undefined
    | null
    | boolean
    | number
    | string
    | bigint
    | Date
    | Uint8Array
    | readonly Carried[]
    | ReadonlyMap<Carried, Carried>
    | ReadonlySet<Carried>
    | { readonly [key: string]: Carried };

  /** The second argument of a task. `Setup` is what `setup` returned. */
  export interface Context<Setup = unknown> {
    /** Aborted when the task is cancelled or its time is up; `signal.reason` says why. */
    readonly signal: AbortSignal;
    /** Which execution of this task it is, from 1; a retry has a higher number. */
    readonly attempt: number;
    readonly job: {
      readonly id: number;
      readonly name: string;
      readonly queue: string;
    };
    readonly task: {
      /** `17/3`: the job's id and the task's index. The same in every attempt. */
      readonly id: string;
      /** The number of the input, from 0. */
      readonly index: number;
    };
    /** What was given with `--metadata` or `options.metadata`. */
    readonly metadata: Readonly<Record<string, string>>;
    /** What `setup` returned in this process. */
    readonly setup: Setup;
    /**
     * A number of [0, 1). The sequence depends only on `--seed` and the task's index: it is the same
     * in every attempt and every rerun.
     */
    random(): number;
    /** A fresh folder of this attempt's own, made when first used and removed afterwards. */
    readonly dir: string;
    /** Kept as console output is. Formats its values as `console.log` does. */
    log(...values: unknown[]): void;
  }

  /** The argument of `setup`, which belongs to a process and to no task. */
  export type SetupContext = Pick<Context, "job" | "metadata" | "signal" | "log">;

  /** The default export of a job file: runs one task. */
  export type Task<Input, Value = unknown, Setup = unknown> = (
    input: Input,
    ctx: Context<Setup>,
  ) => Value | Promise<Value>;

  /** `export const inputs`, or what a function of that name returns. One task for each value. */
  export type InputSource<Input = unknown> = Iterable<Input> | AsyncIterable<Input>;

  /** `export function inputs(args)`; `args` are the words after `--`. Runs where you submit. */
  export type Inputs<Input = unknown> =
    | InputSource<Input>
    | ((args: string[]) => InputSource<Input> | Promise<InputSource<Input>>);

  /** `export const reduce`: folds the results in input order, where they are read. */
  export type Reduce<Total, Value> = (
    total: Total,
    value: Value,
    index: number,
  ) => Total | Promise<Total>;

  /** `export const classifyError`: what to record of an error, and whether a retry makes sense. */
  export type ClassifyError = (
    error: unknown,
  ) => { code?: string; permanent?: boolean } | undefined;

  /** `export const options`: the names of the flags of `cc submit`, camelCase. Flags override them. */
  export interface JobOptions {
    /** The job's name on screens; the file's name without it. */
    name?: string;
    /** A remark kept with the job. */
    note?: string;
    /** A dotted name such as `math.primes`; workers subscribe with patterns. */
    queue?: string;
    /** Only workers with this role. */
    role?: string;
    /** Facts for the tasks, as `ctx.metadata`. */
    metadata?: Record<string, string | number>;
    /** -100 to 100, larger first. */
    priority?: number | "low" | "normal" | "high" | "critical";
    /** Further attempts after a failed one; lost workers never count. 0 by default. */
    retries?: number;
    /** Base of the wait before a retry, doubled each time: `"1s"`. */
    backoff?: Duration;
    /** Ends a task that runs longer. None by default. */
    timeout?: Duration;
    /** Gives up a task whose workers died so often. 3 by default. */
    maxCrashes?: number;
    /** Cancels the rest after so many failed tasks: `10`, `"5%"` or `"none"`. */
    maxFails?: number | `${number}%` | "none";
    /** Runs at most so many tasks at a time. */
    maxRunning?: number;
    /** Starts nothing before so long from now. */
    delay?: Duration;
    /** Only workers with so much of their time limit left. */
    timeRequest?: Duration;
    /** Slots a task. 1 by default. */
    cpus?: number;
    /** Memory reserved a task: `"4G"`; beyond it the task fails as `out_of_memory`. */
    mem?: Size;
    /** What a task takes of a worker's resources: `{ gpu: 1 }`. */
    resource?: Record<string, number>;
    /** Only workers with these labels. */
    workerLabel?: Record<string, string>;
    /** Set for the tasks; `null` takes the variable's value of where you submit and hides it. */
    env?: Record<string, string | number | null>;
    /** For commands: their folder. */
    cwd?: string;
    /** For commands: a fresh folder each. */
    scratch?: boolean;
    /** For commands: run by `/bin/sh`, placeholders quoted. */
    shell?: boolean;
    /** Of `ctx.random()`: 0 to 4294967295. 0 by default. */
    seed?: number;
    /** So many inputs a task; the task gets an array of them. */
    chunk?: number;
  }

  /** An amount of time with its unit: `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1h30m"`, `"1d"`. */
  export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}${string}` | "0";

  /** An amount of memory, 1024-based: `"512M"`, `"4G"`, or a number of bytes. */
  export type Size = `${number}${string}` | number;

  /** Thrown by a task whose input can never succeed: it is not retried, however many retries are left. */
  export class PermanentError extends Error {
    constructor(message: string, options?: { code?: string; cause?: unknown });
    /** Recorded as the failure's code: a short word such as `bad_input`; `error` without it. */
    readonly code: string | undefined;
  }
}
