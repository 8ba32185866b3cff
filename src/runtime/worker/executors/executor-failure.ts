/** Words for the ends of an executor that are the running task's fault. Pure. */
import type { Failure } from "../../protocol/failure.ts";

export interface ExecutorDeath {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly wasOutOfMemory: boolean;
  /** What the attempt had printed to its console. */
  readonly console: string;
  /** The end of what was written to the process's own stdout and stderr. */
  readonly directOutput: string;
}

export function describeDeath(death: ExecutorDeath): Failure {
  return withOutput(judgeDeath(death), death);
}

export function describeTimeout(timeoutMs: number, console: string): Failure {
  const message = `The task ran longer than its time-out of ${timeoutMs / 1000} s.`;
  return { code: "timeout", message, ...(console === "" ? {} : { console }) };
}

export function describeMemory(memoryBytesMax: number, console: string): Failure {
  const mebibytes = Math.round(memoryBytesMax / 2 ** 20);
  const message = `The task's processes used more memory than the ${mebibytes} MiB it asked for.`;
  return { code: "out_of_memory", message, ...(console === "" ? {} : { console }) };
}

/** A task, this one or one before it in its process, got at the descriptor that only we may write to. */
export function describeBrokenChannel(death: ExecutorDeath): Failure {
  const message =
    "The task's process closed or wrote to the channel over which results are sent, and its result was lost.";
  return withOutput({ code: "exited", message }, death);
}

function judgeDeath({ exitCode, signal, wasOutOfMemory }: ExecutorDeath): Failure {
  if (wasOutOfMemory) {
    const message = "The kernel ended the task's process because the machine ran out of memory.";
    return { code: "out_of_memory", message };
  }
  if (signal !== null) {
    return { code: "signal", message: `The task's process was ended by ${signal}.` };
  }
  const message = `The task's process ended with status ${exitCode ?? "unknown"} before the task did.`;
  return { code: "exited", message };
}

function withOutput(failure: Failure, { console, directOutput }: ExecutorDeath): Failure {
  const output = [console, directOutput].filter((part) => part !== "").join("\n");
  return output === "" ? failure : { ...failure, console: output };
}
