/**
 * `ctx`, the second argument of a task. One is made per task, on the hot path, so making it stores
 * three fields and everything else comes into being when it is first asked for.
 */
import { format } from "node:util";
import { createRandom } from "./seeded-random.ts";

/** What every task of a job in this process shares; made once, then passed to each `createContext`. */
export interface ContextShared {
  readonly job: { readonly id: number; readonly name: string; readonly queue: string };
  readonly metadata: Readonly<Record<string, string>>;
  /** What `setup` returned; undefined while `setup` itself runs. */
  readonly setup: unknown;
  /** u32; the job's `--seed`. */
  readonly seed: number;
  /** Makes a fresh folder for this attempt and returns its path; called at most once per context. */
  readonly openFolder: (index: number, attempt: number) => string;
  /** Takes one line of `ctx.log`, kept as console output is. */
  readonly log: (line: string) => void;
}

/** Keeps what is ours out of the author's sight: symbols show in neither `JSON` nor `Object.keys`. */
const SHARED = Symbol("shared");
const INDEX = Symbol("index");
const LAZY = Symbol("lazy");

interface Lazy {
  abort?: AbortController;
  task?: { readonly id: string; readonly index: number };
  random?: () => number;
  log?: (...values: unknown[]) => void;
  folder?: string;
}

export class TaskContext {
  /** From 1; a retry has a higher number. */
  readonly attempt: number;
  readonly [SHARED]: ContextShared;
  readonly [INDEX]: number;
  [LAZY]: Lazy | undefined;

  constructor(shared: ContextShared, index: number, attempt: number) {
    this.attempt = attempt;
    this[SHARED] = shared;
    this[INDEX] = index;
    this[LAZY] = undefined;
  }

  get job(): ContextShared["job"] {
    return this[SHARED].job;
  }

  get task(): { readonly id: string; readonly index: number } {
    const lazy = lazyOf(this);
    lazy.task ??= { id: `${this[SHARED].job.id}/${this[INDEX]}`, index: this[INDEX] };
    return lazy.task;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this[SHARED].metadata;
  }

  get setup(): unknown {
    return this[SHARED].setup;
  }

  get signal(): AbortSignal {
    return abortOf(this).signal;
  }

  get dir(): string {
    const lazy = lazyOf(this);
    lazy.folder ??= this[SHARED].openFolder(this[INDEX], this.attempt);
    return lazy.folder;
  }

  /** A getter, so that `const { random } = ctx` works. */
  get random(): () => number {
    const lazy = lazyOf(this);
    lazy.random ??= createRandom(this[SHARED].seed, this[INDEX]);
    return lazy.random;
  }

  get log(): (...values: unknown[]) => void {
    const lazy = lazyOf(this);
    const { log } = this[SHARED];
    lazy.log ??= (...values) => log(format(...values));
    return lazy.log;
  }
}

export function createContext(shared: ContextShared, index: number, attempt: number): TaskContext {
  return new TaskContext(shared, index, attempt);
}

/** What `setup` gets: it belongs to no task, so it has neither attempt nor folder nor random numbers. */
export type SetupContext = Pick<TaskContext, "job" | "metadata" | "signal" | "log">;

export function createSetupContext(shared: ContextShared, signal: AbortSignal): SetupContext {
  return {
    job: shared.job,
    metadata: shared.metadata,
    signal,
    log: (...values) => shared.log(format(...values)),
  };
}

/** Aborts `ctx.signal`, also when the task asks for it only later; a second abort changes nothing. */
export function abortContext(context: TaskContext, reason: unknown): void {
  abortOf(context).abort(reason);
}

/** The folder of `ctx.dir` if the task has asked for it, so that it can be removed. */
export function openedFolder(context: TaskContext): string | undefined {
  return context[LAZY]?.folder;
}

function lazyOf(context: TaskContext): Lazy {
  context[LAZY] ??= {};
  return context[LAZY];
}

function abortOf(context: TaskContext): AbortController {
  const lazy = lazyOf(context);
  lazy.abort ??= new AbortController();
  return lazy.abort;
}
