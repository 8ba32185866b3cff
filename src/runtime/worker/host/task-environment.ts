/**
 * What a task sees of the environment: an allow-list of the worker's own, then the job's `--env`, then
 * the documented task variables. Never passed on: the worker's CC_* (keys, addresses), BUN_* and
 * NODE_* (they would change how our own executable runs), LD_PRELOAD and LD_LIBRARY_PATH (they belong
 * to the worker's start, not to the task). A job may set any of them for itself but CC_*, which are
 * ours.
 */
import { INPUT_ENV_BYTES_MAX } from "../../protocol/limits.ts";

export type Environment = Readonly<Record<string, string>>;

/** Of the machine and the account; nothing here can hold a secret of the worker's. */
const INHERITED_NAMES = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "TERM",
]);

/** Where the worker's own environment has no PATH, as under some service managers. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What every task inherits; made once a worker. */
export function inheritEnvironment(own: Readonly<Record<string, string | undefined>>): Environment {
  const inherited: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    if (INHERITED_NAMES.has(name) || name.startsWith("LC_")) inherited[name] = value;
  }
  return inherited;
}

/** With the job's own variables; made once a job. */
export function jobEnvironment(
  inherited: Environment,
  job: { readonly env: Environment; readonly cpus: number; readonly workerId: string },
): Environment {
  const own = Object.entries(job.env).filter(([name]) => !name.startsWith("CC_"));
  return {
    ...inherited,
    // A slot is a core: without this each task of a numeric library takes the whole machine.
    OMP_NUM_THREADS: String(job.cpus),
    ...Object.fromEntries(own),
    CC_WORKER_ID: job.workerId,
  };
}

export interface TaskVariables {
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
  /** From 1. */
  readonly slot: number;
  /** As the placeholder `{}` shows it; null when it is not text. */
  readonly inputText: string | null;
  readonly inputFile: string;
}

/** With the task's variables; made once a command. */
export function taskEnvironment(job: Environment, task: TaskVariables): Record<string, string> {
  const environment: Record<string, string> = {
    ...job,
    CC_JOB_ID: String(task.jobId),
    CC_TASK_ID: `${task.jobId}/${task.index}`,
    CC_TASK_INDEX: String(task.index),
    CC_ATTEMPT: String(task.attempt),
    CC_SLOT: String(task.slot),
    CC_INPUT_FILE: task.inputFile,
  };
  if (task.inputText !== null && fitsEnvironment(task.inputText)) {
    environment["CC_INPUT"] = task.inputText;
  }
  return environment;
}

/**
 * For the executor of a job's functions: BUN_* would be obeyed by our own executable at its start
 * (BUN_OPTIONS=--preload runs a file before it), so the executor sets those only for the author's
 * code.
 */
export function executorEnvironment(
  job: Environment,
  slot: number,
): { readonly atStart: Record<string, string>; readonly afterStart: Record<string, string> } {
  const atStart: Record<string, string> = { CC_SLOT: String(slot) };
  const afterStart: Record<string, string> = {};
  for (const [name, value] of Object.entries(job)) {
    (name.startsWith("BUN_") || name.startsWith("NODE_") ? afterStart : atStart)[name] = value;
  }
  return { atStart, afterStart };
}

function fitsEnvironment(text: string): boolean {
  if (text.includes("\0")) return false;
  // A UTF-16 unit takes at most three bytes, so that most texts need no counting.
  if (text.length * 3 <= INPUT_ENV_BYTES_MAX) return true;
  return Buffer.byteLength(text) <= INPUT_ENV_BYTES_MAX;
}
