/**
 * Builders for the machine's tests: one per noun, with only what matters given by the test, and a
 * foreman in a box whose invariants are checked after every step.
 */

import {
  EMPTY_VALUES,
  expandIndexes,
  type ValueColumn,
} from "../../../../src/runtime/protocol/columns.ts";
import { encodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import {
  asBootId,
  asJobId,
  asWorkerId,
  type BootId,
  firstAssignmentOfEpoch,
  type JobId,
} from "../../../../src/runtime/protocol/ids.ts";
import type { JobSpec, WorkerOffer } from "../../../../src/runtime/protocol/job-spec.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type {
  ForemanAnswer,
  ForemanEffect,
  ForemanEvent,
} from "../../../../src/runtime/scheduler/foreman/events.ts";
import { checkInvariants } from "../../../../src/runtime/scheduler/foreman/invariants.ts";
import type { ForemanState } from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { createForemanState, step } from "../../../../src/runtime/scheduler/foreman/machine.ts";
import {
  DEFAULT_FOREMAN_OPTIONS,
  type ForemanOptions,
  type StepOutput,
} from "../../../../src/runtime/scheduler/foreman/machine-interface.ts";
import { repeatValue } from "../../../../src/runtime/scheduler/foreman/outcomes/settle.ts";
import { anOffer, aSpec } from "../../../support/specs.ts";

export const options = (fields: Partial<ForemanOptions> = {}): ForemanOptions => ({
  ...DEFAULT_FOREMAN_OPTIONS,
  seed: 7,
  firstAssignmentId: firstAssignmentOfEpoch(1),
  onlyFollowed: false,
  ...fields,
});

/** `count` values of two bytes each. */
export const someValues = (count: number): ValueColumn =>
  count === 0 ? EMPTY_VALUES : repeatValue(new Uint8Array([1, 49]), count);

export const failureValues = (code: string, count: number): ValueColumn =>
  repeatValue(encodeFailure({ code, message: `it failed with ${code}` }), count);

type Unstamped = ForemanEvent extends infer Event
  ? Event extends ForemanEvent
    ? Omit<Event, "atMs">
    : never
  : never;

export type EffectOf<Type extends ForemanEffect["type"]> = Extract<ForemanEffect, { type: Type }>;
export type ChangeOf<Type extends Change["type"]> = Extract<Change, { type: Type }>;

export interface Foreman {
  readonly state: ForemanState;
  nowMs: number;
  /** Steps at the present time, checks the invariants, and keeps the output in `last`. */
  send(event: Unstamped): StepOutput;
  /** Lets time pass and wakes the machine. */
  wait(ms: number): StepOutput;
  last: StepOutput;
}

export function aForeman(fields: Partial<ForemanOptions> = {}): Foreman {
  const foreman: Foreman = {
    state: createForemanState(options(fields)),
    nowMs: 1_000_000,
    last: { changes: [], effects: [] },
    send(event) {
      foreman.last = step(foreman.state, { ...event, atMs: foreman.nowMs } as ForemanEvent);
      checkInvariants(foreman.state);
      return foreman.last;
    },
    wait(ms) {
      foreman.nowMs += ms;
      return foreman.send({ type: "clockAdvanced" });
    },
  };
  return foreman;
}

export const effectsOf = <Type extends ForemanEffect["type"]>(
  output: StepOutput,
  type: Type,
): EffectOf<Type>[] =>
  output.effects.filter((effect): effect is EffectOf<Type> => effect.type === type);

export const changesOf = <Type extends Change["type"]>(
  output: StepOutput,
  type: Type,
): ChangeOf<Type>[] =>
  output.changes.filter((change): change is ChangeOf<Type> => change.type === type);

/** The kinds of what was done, in order: what a test that wants "and nothing else" compares. */
export const effectTypes = (output: StepOutput): string[] => output.effects.map(({ type }) => type);

export const eventKinds = (output: StepOutput): string[] =>
  changesOf(output, "eventRecorded").map(({ event }) => event.kind);

/** Those about workers. */
export const workerEvents = (output: StepOutput): string[] =>
  eventKinds(output).filter((kind) => kind.startsWith("worker_"));

export function answerOf(output: StepOutput): ForemanAnswer {
  const [reply] = effectsOf(output, "reply");
  if (!reply) throw new Error("there was no answer");
  return reply.answer;
}

let submissions = 0;

/** A closed job of so many tasks. */
export function submit(
  foreman: Foreman,
  count: number,
  spec: Partial<JobSpec> = {},
  fields: {
    readonly owner?: string;
    readonly submissionId?: string;
    readonly close?: boolean;
    readonly resumable?: boolean;
  } = {},
): JobId {
  const output = foreman.send({
    type: "jobSubmitted",
    token: 1,
    owner: fields.owner ?? "me",
    submissionId: fields.submissionId ?? `s${++submissions}`,
    resumable: fields.resumable ?? false,
    spec: aSpec(spec),
    count,
    values: someValues(count),
    inputCrc32: count,
    close: fields.close ?? true,
  });
  const answer = answerOf(output);
  if (answer.type !== "jobAccepted") throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return asJobId(answer.jobId);
}

export interface TestWorker {
  readonly bootId: BootId;
  readonly workerId: string;
  connectionSeq: number;
  beat: number;
  seq: number;
  readonly offer: WorkerOffer;
}

export function aWorker(
  foreman: Foreman,
  workerId = "w1",
  fields: Partial<WorkerOffer> = {},
  bootId = `${workerId}-boot1`,
): TestWorker {
  const worker: TestWorker = {
    bootId: asBootId(bootId),
    workerId,
    connectionSeq: 1,
    beat: 0,
    seq: 0,
    offer: anOffer(fields),
  };
  connect(foreman, worker);
  return worker;
}

export function connect(
  foreman: Foreman,
  worker: TestWorker,
  inventory: readonly EffectOf<"assignTasks">[] = [],
): StepOutput {
  return foreman.send({
    type: "sessionReady",
    workerId: asWorkerId(worker.workerId),
    bootId: worker.bootId,
    connectionSeq: worker.connectionSeq++,
    offer: worker.offer,
    inventory: inventory.map(({ assignmentId, indexes, count }) => ({
      assignmentId,
      indexes: expandIndexes(indexes, count),
    })),
  });
}

export function beat(foreman: Foreman, worker: TestWorker): StepOutput {
  return foreman.send({
    type: "heartbeatReceived",
    bootId: worker.bootId,
    connectionSeq: worker.connectionSeq - 1,
    beat: ++worker.beat,
    freeSlots: 0,
    cpuPercent: 0,
    memoryPercent: 0,
  });
}

/** Lets time pass in small steps with heartbeats of these workers. */
export function passTime(
  foreman: Foreman,
  ms: number,
  workers: readonly TestWorker[],
): StepOutput[] {
  const outputs: StepOutput[] = [];
  for (let left = ms; left > 0; left -= 1_000) {
    outputs.push(foreman.wait(Math.min(1_000, left)));
    for (const worker of workers) outputs.push(beat(foreman, worker));
  }
  return outputs;
}

export const assignmentsIn = (output: StepOutput, worker?: TestWorker): EffectOf<"assignTasks">[] =>
  effectsOf(output, "assignTasks").filter(
    ({ bootId }) => worker === undefined || bootId === worker.bootId,
  );

export const indexesIn = (assign: EffectOf<"assignTasks">): number[] => [
  ...expandIndexes(assign.indexes, assign.count),
];

interface ReportFields {
  /** Which of the assignment's tasks; all when left out. */
  readonly only?: readonly number[];
  readonly runUs?: number;
  readonly seq?: number;
}

export function complete(
  foreman: Foreman,
  worker: TestWorker,
  assign: EffectOf<"assignTasks">,
  fields: ReportFields = {},
): StepOutput {
  return report(foreman, worker, assign, {
    ...fields,
    status: "completed",
    code: null,
    permanent: false,
  });
}

export function fail(
  foreman: Foreman,
  worker: TestWorker,
  assign: EffectOf<"assignTasks">,
  fields: ReportFields & { readonly code?: string; readonly permanent?: boolean } = {},
): StepOutput {
  const { code = "error", permanent = false } = fields;
  return report(foreman, worker, assign, { ...fields, status: "failed", code, permanent });
}

function report(
  foreman: Foreman,
  worker: TestWorker,
  assign: EffectOf<"assignTasks">,
  fields: ReportFields & {
    readonly status: "completed" | "failed";
    readonly code: string | null;
    readonly permanent: boolean;
  },
): StepOutput {
  const all = indexesIn(assign);
  const chosen = fields.only ?? all;
  const { code, status } = fields;
  const attempts = Uint32Array.from(chosen, (index) => {
    const row = all.indexOf(index);
    return typeof assign.attempts === "number" ? assign.attempts : (assign.attempts[row] as number);
  });
  return foreman.send({
    type: "attemptsReported",
    bootId: worker.bootId,
    seq: fields.seq ?? ++worker.seq,
    assignmentId: assign.assignmentId,
    jobId: assign.jobId,
    status,
    count: chosen.length,
    indexes: Uint32Array.from(chosen),
    attempts,
    runUs: fields.runUs ?? 1_000,
    codes: code === null ? null : chosen.map(() => code),
    permanent: fields.permanent ? 1 : 0,
    values: code === null ? someValues(chosen.length) : failureValues(code, chosen.length),
  });
}

export function start(
  foreman: Foreman,
  worker: TestWorker,
  assign: EffectOf<"assignTasks">,
  only: readonly number[] = indexesIn(assign),
): StepOutput {
  return foreman.send({
    type: "tasksStarted",
    bootId: worker.bootId,
    seq: ++worker.seq,
    assignmentId: assign.assignmentId,
    indexes: Uint32Array.from(only),
    runningUs: 50_000,
  });
}

export function giveBack(
  foreman: Foreman,
  worker: TestWorker,
  assign: Pick<EffectOf<"assignTasks">, "assignmentId">,
  only: readonly number[],
  fields: { readonly revocation?: number; readonly reason?: string } = {},
): StepOutput {
  return foreman.send({
    type: "tasksReturned",
    bootId: worker.bootId,
    seq: ++worker.seq,
    revocation: fields.revocation ?? null,
    assignmentId: assign.assignmentId,
    indexes: Uint32Array.from(only),
    reason: fields.reason ?? "revoked",
  });
}

export function clear(
  foreman: Foreman,
  worker: TestWorker,
  assign: Pick<EffectOf<"assignTasks">, "assignmentId">,
  only: readonly number[],
): StepOutput {
  return foreman.send({
    type: "tasksGone",
    bootId: worker.bootId,
    seq: ++worker.seq,
    assignmentId: assign.assignmentId,
    indexes: Uint32Array.from(only),
  });
}

export const statesOf = (foreman: Foreman, jobId: JobId): number[] => [
  ...(foreman.state.jobs.get(jobId)?.counts ?? []),
];
