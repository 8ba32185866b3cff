/** Facts and changes for the store's tests; a test spells out only what matters to it. */

import {
  compactIndexes,
  type IndexColumn,
  indexAt,
  type U32Column,
  type ValueColumn,
  ValueColumnBuilder,
  valueAt,
} from "../../../src/runtime/protocol/columns.ts";
import {
  asAssignmentId,
  asBootId,
  asJobId,
  asWorkerId,
  type JobId,
} from "../../../src/runtime/protocol/ids.ts";
import type { JobSpec, WorkerOffer } from "../../../src/runtime/protocol/job-spec.ts";
import type { AttemptEndFacts, Change } from "../../../src/runtime/scheduler/foreman/changes.ts";
import type {
  AssignmentFacts,
  JobFacts,
  JobFold,
  Settlement,
  TaskExceptionFacts,
  WorkerFacts,
} from "../../../src/runtime/scheduler/foreman/facts.ts";
import type { ReclaimLimits } from "../../../src/runtime/store/store.ts";
import { aSpec, commandWork, functionWork } from "../../support/specs.ts";

export const NOW_MS = 1_700_000_000_000;
export const W1 = asWorkerId("w1");
export const BOOT1 = asBootId("boot-1");
export const JOB1 = asJobId(1);

/** Enough for everything at once; nothing is old. */
export function reclaimLimits(overrides: Partial<ReclaimLimits> = {}): ReclaimLimits {
  return {
    rowsMax: 1_000,
    bytesMax: 2 ** 20,
    pagesMax: 64,
    quiet: true,
    nowMs: NOW_MS,
    eventsMax: 1_000,
    eventAgeMsMax: 86_400_000,
    ...overrides,
  };
}

export function commandSpec(overrides: Partial<JobSpec> = {}): JobSpec {
  return aSpec({
    name: "true",
    work: commandWork(["true"]),
    env: { TOKEN: { value: "a\u0000b “quoted”", secret: true } },
    seed: 7,
    ...overrides,
  });
}

export function functionSpec(bundleSha256: string): JobSpec {
  return commandSpec({ work: functionWork(bundleSha256) });
}

export function jobFacts(jobId: number, overrides: Partial<JobFacts> = {}): JobFacts {
  return {
    jobId: asJobId(jobId),
    owner: "me",
    submissionId: `submission-${jobId}`,
    resumable: false,
    spec: commandSpec(),
    specVersion: 1,
    inputCount: 0,
    inputCrc32: 0xffff_ffff,
    inputsClosedAtMs: null,
    paused: false,
    keep: false,
    state: "running",
    completed: 0,
    failed: 0,
    cancelled: 0,
    nextSettleSeq: 1,
    createdAtMs: NOW_MS,
    notBeforeMs: null,
    finishedAtMs: null,
    runUs: 0,
    ...overrides,
  };
}

/** Values whose bytes are the texts themselves. */
export function valuesOf(texts: readonly string[]): ValueColumn {
  const builder = new ValueColumnBuilder();
  for (const text of texts) builder.pushValue(new TextEncoder().encode(text));
  return builder.take();
}

export function textsOf(values: ValueColumn, count: number): string[] {
  return Array.from({ length: count }, (_, row) => new TextDecoder().decode(valueAt(values, row)));
}

export function listOf(indexes: IndexColumn, count: number): number[] {
  return Array.from({ length: count }, (_, row) => indexAt(indexes, row));
}

export function settlement(overrides: {
  readonly indexes: readonly number[];
  readonly seq: number;
  readonly jobId?: JobId;
  readonly status?: Settlement["status"];
  readonly attempts?: U32Column;
  readonly runUs?: U32Column;
  readonly texts?: readonly string[];
}): Settlement {
  const { indexes, seq } = overrides;
  return {
    jobId: overrides.jobId ?? JOB1,
    seq,
    status: overrides.status ?? "completed",
    workerId: W1,
    bootId: BOOT1,
    settledAtMs: NOW_MS + seq,
    count: indexes.length,
    indexes: compactIndexes(Uint32Array.from(indexes)),
    attempts: overrides.attempts ?? 1,
    runUs: overrides.runUs ?? 0,
    values: valuesOf(overrides.texts ?? indexes.map((index) => `${seq}:${index}`)),
  };
}

export function settled(overrides: Parameters<typeof settlement>[0]): Change {
  return { type: "settled", settlement: settlement(overrides) };
}

export function reopened(seq: number, indexes: readonly number[], jobId = JOB1): Change {
  const column = compactIndexes(Uint32Array.from(indexes));
  return { type: "reopened", jobId, seq, atMs: NOW_MS, count: indexes.length, indexes: column };
}

export function restCancelled(seq: number, inputCount: number, count: number): Change {
  const value = new TextEncoder().encode("cancelled");
  return { type: "restCancelled", jobId: JOB1, seq, count, inputCount, settledAtMs: NOW_MS, value };
}

export function inputs(jobId: number, firstIndex: number, texts: readonly string[]): Change {
  const values = valuesOf(texts);
  const count = texts.length;
  return { type: "inputsAppended", jobId: asJobId(jobId), firstIndex, count, values };
}

export function assignment(id: number, overrides: Partial<AssignmentFacts> = {}): AssignmentFacts {
  return {
    assignmentId: asAssignmentId(id),
    jobId: JOB1,
    workerId: W1,
    bootId: BOOT1,
    count: 3,
    indexes: { first: 0 },
    attempts: 1,
    assignedAtMs: NOW_MS,
    ...overrides,
  };
}

export function exception(
  index: number,
  overrides: Partial<TaskExceptionFacts> = {},
): TaskExceptionFacts {
  return { index, attempt: 1, failures: 1, crashes: 0, losses: 0, notBeforeMs: null, ...overrides };
}

export function attemptEnd(
  index: number,
  attempt: number,
  overrides: Partial<AttemptEndFacts> = {},
): AttemptEndFacts {
  return {
    index,
    attempt,
    outcome: "failed",
    code: "error",
    workerId: W1,
    bootId: BOOT1,
    runUs: 12,
    endedAtMs: NOW_MS,
    error: new Uint8Array([5, 1, 2, 3]),
    ...overrides,
  };
}

export function workerFacts(workerId: string, overrides: Partial<WorkerFacts> = {}): WorkerFacts {
  const offer: WorkerOffer = {
    slots: 2,
    queues: ["*"],
    roles: [],
    labels: { zone: "a" },
    resources: { gpu: 0.5 },
    memory_bytes: 1e9,
    time_left_ms: null,
    sandbox: "process",
    host: "here",
    platform: "linux-x64",
    version: "0.1.0",
    pid: 42,
  };
  return {
    workerId: asWorkerId(workerId),
    bootId: BOOT1,
    offer,
    paused: false,
    firstSeenAtMs: NOW_MS,
    lastSeenAtMs: NOW_MS,
    setAsideUntilMs: null,
    ...overrides,
  };
}

/** The fold as text: a letter a task and, where settled, its attempt and row. */
export function foldText(fold: JobFold): string {
  const letters = "-CFX";
  return Array.from(fold.status, (status, index) => {
    const attempt = fold.attempt[index];
    return `${letters[status]}${attempt}@${fold.seq[index]}`;
  }).join(" ");
}
