/** One warm executor as its worker sees it: what starts it, what it is given, what it says. */
import type { BatchFrame, JobFrame } from "../../executor/frames.ts";
import type { ProcessHost } from "../processes/process-host.ts";
import type { ProcessTree } from "../processes/process-tree.ts";
import type { LedgerListener } from "./executor-ledger.ts";
import type { OnPrinted } from "./executor-log.ts";

export interface ExecutorListener extends LedgerListener {
  onPrinted: OnPrinted;
  /** What user code did while no task was to blame; for the worker's log. */
  onNotice(text: string): void;
  /** Its tree has gone and all its batches have ended; called once. */
  onGone(): void;
}

export interface ExecutorChildOptions {
  /** The command that runs `runExecutor`. */
  readonly command: readonly string[];
  readonly bundlePath: string;
  readonly environment: {
    readonly atStart: Readonly<Record<string, string>>;
    readonly afterStart: Readonly<Record<string, string>>;
  };
  /** Its working folder, where those of `ctx.dir` are made; the caller removes it afterwards. */
  readonly scratchFolder: string;
  /** Resident memory of the whole tree; null: no limit. */
  readonly memoryBytesMax: number | null;
  readonly host: ProcessHost;
  readonly listener: ExecutorListener;
}

export interface ExecutorBatch extends Omit<BatchFrame, "slot"> {
  readonly job: JobFrame;
  /** Of each row, counted from its own start; 0: none. */
  readonly timeoutMs: number;
}

export interface ExecutorChild {
  readonly pid: number;
  readonly tree: ProcessTree;
  /** 0 to 2; a third would be a fault of the caller. */
  readonly batchCount: number;
  /** Still takes batches; false from the moment it is being stopped. */
  readonly isUsable: boolean;
  run(batch: ExecutorBatch): void;
  /** Rows from the answer on never start. At once, however busy the executor is. */
  recall(batchId: number): number;
  /** Unstarted rows are reported gone at once; a running one is ended, kindly first. */
  cancelRows(batchId: number, rows: Uint32Array, reason: string): void;
  /** What runs now and for how long; null when nothing does. */
  inspect(): { readonly batchId: number; readonly row: number; readonly runningUs: number } | null;
  /** What tasks have printed and could not send yet, since they never pause. */
  collectPrinted(): void;
  /** Ends it at once; what runs is not reported. */
  kill(): void;
  /** Lets an idle executor end itself, a busy one is killed. Resolves when it has gone. */
  close(): Promise<void>;
}
