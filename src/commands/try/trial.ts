/** What `cc try` runs, wherever it came from, and how it ended. Types and words only. */
import type { JobModule } from "../../runtime/job-module/job-module.ts";
import type { CommandWork } from "../../runtime/protocol/command-template.ts";
import type { Failure } from "../../runtime/protocol/failure.ts";
import type { InputShape } from "../../runtime/protocol/job-spec.ts";

/** What a tried task sees as `CC_WORKER_ID`. */
export const WORKER_NAME = "cc-try";

/** One task, complete. */
export interface Trial {
  /** `17/3`; null for the first input of a job file, which is no task yet. */
  readonly taskId: string | null;
  readonly job: { readonly id: number; readonly name: string; readonly queue: string };
  readonly index: number;
  readonly attempt: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly seed: number;
  /** The job's own variables, before placeholders are filled in. */
  readonly env: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly input: unknown;
  readonly work: TrialWork;
}

export type TrialWork = FunctionTrial | CommandTrial;

export interface FunctionTrial {
  readonly kind: "function";
  /** Runs the author's top-level code where that has not happened yet; what it throws fails the task. */
  load(): Promise<JobModule>;
}

export interface CommandTrial {
  readonly kind: "command";
  readonly work: CommandWork;
  readonly shape: InputShape;
}

export interface TrialEnd {
  readonly runMs: number;
  /** null: it completed. */
  readonly failure: Failure | null;
  /** A function's encoded value; null where there is none. */
  readonly value: Uint8Array | null;
  /** Of a command; null for functions, and where it never started. */
  readonly command: CommandTrialEnd | null;
  /** Ctrl-C, or another request to end it. */
  readonly interrupted: boolean;
}

export interface CommandTrialEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Under `--json`; else it went to the terminal, or is too large for a row. */
  readonly stdout: Uint8Array | null;
  /** Of all it printed; 0 where that went to the terminal. */
  readonly stdoutByteCount: number;
}
