/**
 * Runs batches of commands, one command a batch: fills in the template, the environment and the input
 * file, starts it and says how it ended. A command whose input does not fit its template fails alone;
 * what this machine cannot do goes back.
 */
import { setPriority } from "node:os";
import { indexAt, u32At, valueAt } from "../../protocol/columns.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { encodeFailure, type Failure } from "../../protocol/failure.ts";
import { inputText } from "../../protocol/placeholder.ts";
import { decodeValue } from "../../protocol/value.ts";
import type { BatchOrder, ResultChunk } from "../../scheduler/agent/events.ts";
import type { BatchRunner, RunnerListener } from "../batch-runner.ts";
import type { ScratchSpace } from "../host/scratch.ts";
import { taskEnvironment } from "../host/task-environment.ts";
import type { CommandPlan, JobPlan } from "../job-plans.ts";
import type { Printed } from "../logs/printed.ts";
import type { OutputUploads } from "../outputs/output-uploads.ts";
import type { ProcessHost } from "../processes/process-host.ts";
import type { CommandEnd } from "./command-end.ts";
import { type RunningCommand, startCommand } from "./command-process.ts";
import type { OpenUpload } from "./command-stdout.ts";

export interface CommandRunnerOptions {
  readonly host: ProcessHost;
  readonly scratch: ScratchSpace;
  /** Null: ours. */
  readonly niceness: number | null;
  readonly outputs: Pick<OutputUploads, "open">;
  readonly listener: RunnerListener;
}

interface RunningTask {
  readonly command: RunningCommand;
  isCancelled: boolean;
}

const encoder = new TextEncoder();

export function createCommandRunner(options: CommandRunnerOptions): BatchRunner {
  const { scratch, listener } = options;
  const running = new Map<number, RunningTask>();
  /** Folders on their way out; the end of the worker waits for them. */
  const removals = new Set<Promise<void>>();

  function run(order: BatchOrder, plan: JobPlan, timeoutMs: number): void {
    const { batchId } = order;
    let folder: string | null = null;
    try {
      // The caller has asked for commands only.
      const command = plan.command as CommandPlan;
      if (command.hasScratch) folder = scratch.createFolder();
      start(order, { plan, command, folder, timeoutMs });
    } catch (thrown) {
      if (folder !== null) removeFolder(folder);
      endUnstarted(batchId, thrown);
    }
  }

  function start(order: BatchOrder, parts: StartParts): void {
    const { batchId } = order;
    const onPrinted = (printed: Printed): void => listener.onPrinted(batchId, 0, printed);
    const filled = fillRequest(order, parts, scratch);
    const request = { ...filled, openUpload: uploadOf(order), onPrinted };
    const command = startCommand(request, options.host);
    const task: RunningTask = { command, isCancelled: false };
    running.set(batchId, task);
    if (options.niceness !== null) lowerPriority(command.pid, options.niceness);
    void command.ended.then((end) => {
      running.delete(batchId);
      if (parts.folder !== null) removeFolder(parts.folder);
      report(batchId, task, end);
    });
  }

  function uploadOf({ assignmentId, jobId, indexes, attempts }: BatchOrder): OpenUpload {
    const index = indexAt(indexes, 0);
    const task = { assignmentId, jobId, index, attempt: u32At(attempts, 0) };
    return (onRefused) => options.outputs.open(task, onRefused);
  }

  function report(batchId: number, task: RunningTask, end: CommandEnd): void {
    switch (end.kind) {
      case "refused":
        listener.onBatchEnded(batchId, end.error.code);
        return;
      case "cancelled":
        if (task.isCancelled) listener.onRowsGone(batchId, Uint32Array.of(0));
        break;
      case "completed":
        listener.onResults(batchId, [chunkOf(end.value, end.runUs, null)]);
        break;
      case "failed":
        listener.onResults(batchId, [chunkOf(end.value, end.runUs, end.failure)]);
        break;
    }
    listener.onBatchEnded(batchId, null);
  }

  /** A wrong input is the task's fault, a disk the machine's. */
  function endUnstarted(batchId: number, thrown: unknown): void {
    const { code, message } = toCcError(thrown);
    if (!(thrown instanceof CcError) || code === "worker_storage") {
      listener.onBatchEnded(batchId, code);
      return;
    }
    const failure: Failure = { code, message, permanent: true };
    listener.onResults(batchId, [chunkOf(encodeFailure(failure), 0, failure)]);
    listener.onBatchEnded(batchId, null);
  }

  function removeFolder(folder: string): void {
    // What cannot be removed now goes with the whole scratch space.
    const removal = scratch.removeFolder(folder).catch(() => {});
    removals.add(removal);
    void removal.then(() => removals.delete(removal));
  }

  return {
    run,
    // The only row has started.
    recall: () => 1,
    cancelRows(batchId) {
      const task = running.get(batchId);
      if (task === undefined) return;
      task.isCancelled = true;
      task.command.cancel();
    },
    kill: (batchId) => running.get(batchId)?.command.cancel(),
    inspect(batchId) {
      const task = running.get(batchId);
      if (task === undefined) return null;
      const { startedAtMs, pid } = task.command;
      return { row: 0, runningUs: (performance.now() - startedAtMs) * 1000, leaderPid: pid };
    },
    *leaderPids() {
      for (const { command } of running.values()) yield command.pid;
    },
    async close() {
      for (const { command } of running.values()) command.cancel();
      await Promise.all([...running.values()].map(({ command }) => command.ended));
      await Promise.all(removals);
    },
  };
}

interface StartParts {
  readonly plan: JobPlan;
  readonly command: CommandPlan;
  readonly folder: string | null;
  readonly timeoutMs: number;
}

function fillRequest(
  order: BatchOrder,
  { plan, command, folder, timeoutMs }: StartParts,
  scratch: ScratchSpace,
): Parameters<typeof startCommand>[0] {
  const { spec } = plan;
  const index = indexAt(order.indexes, 0);
  const slot = order.slots[0] as number;
  const value = spec.input.none ? undefined : decodeValue(valueAt(order.values, 0));
  const filled = command.fill({ value, index, slot });
  const text = textOf(value);
  const environment = taskEnvironment(plan.environment, {
    jobId: order.jobId,
    index,
    attempt: u32At(order.attempts, 0),
    slot,
    inputText: text,
    inputFile: scratch.writeInput(
      slot,
      text === null ? (value as Uint8Array) : encoder.encode(text),
    ),
  });
  for (const [name, fill] of command.variables) environment[name] = fill({ value, index, slot });
  return {
    argv: filled.argv,
    cwd: folder ?? filled.cwd,
    scratchFolder: folder,
    environment,
    stdin: typeof filled.stdin === "string" ? encoder.encode(filled.stdin) : filled.stdin,
    timeoutMs,
    memoryBytesMax: spec.memory_bytes,
  };
}

/** Null for bytes that are no text; those go into the file as they are. */
function textOf(value: unknown): string | null {
  if (!(value instanceof Uint8Array)) return inputText(value);
  try {
    return inputText(value);
  } catch {
    return null;
  }
}

function chunkOf(value: Uint8Array, runUs: number, failure: Failure | null): ResultChunk {
  return {
    status: failure === null ? "completed" : "failed",
    rows: { first: 0 },
    count: 1,
    runUs: Math.min(0xffffffff, Math.round(runUs)),
    codes: failure === null ? null : [failure.code],
    permanent: failure?.permanent ? 1 : 0,
    values: { lengths: value.byteLength, data: value },
  };
}

/** It may have ended already, and then there is nothing to lower. */
export function lowerPriority(pid: number, niceness: number): void {
  if (pid === 0) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // Gone.
  }
}
