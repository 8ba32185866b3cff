/**
 * Clients of the world: each submits its jobs in batches, closes and follows them, and steers them now
 * and then. A request without an answer is repeated, a client that was killed types the same lines
 * again. What they are told is judged here, in terms of what they asked and of nothing else.
 */
import { CcError } from "../../src/runtime/protocol/error.ts";
import type { MessageOf } from "../../src/runtime/protocol/messages.ts";
import type { Peer } from "../../src/runtime/transport/channel.ts";
import type { Dice } from "./chance.ts";
import {
  AnswerLost,
  type ClientConnection,
  createClientConnection,
  type Question,
} from "./client-connection.ts";
import { type Dialler, dialForeman } from "./dialling.ts";
import { followJob } from "./following.ts";
import type { ForemanHost } from "./foreman-host.ts";
import { BUNDLE_BYTES, BUNDLE_SHA256, encodeInputs, type JobPlan } from "./jobs.ts";
import type { Ledger } from "./ledger.ts";
import type { Line } from "./network.ts";
import type { WorldOptions } from "./options.ts";
import type { DurableRecord } from "./record.ts";
import { steerJob } from "./steering.ts";
import type { Story } from "./story.ts";
import type { Process, Timeline, WallClock } from "./timeline.ts";
import { demand, Violation } from "./violation.ts";

export interface ClientHost {
  readonly name: string;
  readonly line: Line;
  readonly process: Process | null;
  readonly dialler: Dialler | null;
  start(): void;
  kill(why: string): void;
  /** Steers no more. */
  stopSteering(): void;
  /** Every job of its own is submitted, closed and followed to the end. */
  readonly isDone: boolean;
  /** Keys of jobs that are not done. */
  readonly open: readonly string[];
  /** @throws Violation that it saw. */
  check(): void;
}

export interface ClientHostParts {
  readonly name: string;
  readonly plans: readonly JobPlan[];
  readonly workerNames: readonly string[];
  readonly timeline: Timeline;
  readonly options: WorldOptions;
  readonly dice: Dice;
  readonly line: Line;
  readonly wall: WallClock;
  readonly foreman: ForemanHost;
  readonly record: DurableRecord;
  readonly ledger: Ledger;
  readonly story: Story;
}

/** What a client does, with the means of its process. */
export interface ClientContext extends ClientHostParts {
  readonly process: Process;
  /** Until it is answered, however often it must be repeated. */
  askUntilAnswered(question: Question): Promise<Answer>;
  pause(ms: number): Promise<void>;
  isSteering(): boolean;
  /** Outlives the process: what the user remembers of the job. */
  memoryOf(key: string): JobMemory;
}

export type Answer =
  | {
      readonly kind: "answer";
      readonly message: import("../../src/runtime/protocol/messages.ts").Message;
    }
  | { readonly kind: "refused"; readonly error: CcError };

export interface JobMemory {
  jobId: number | null;
  /** Inputs that were acknowledged. */
  acknowledgedCount: number;
  /** Tasks that anybody asked to run again, or to take back: all bets on counts are off. */
  isRetried: boolean;
  isDone: boolean;
}

export function createClientHost(parts: ClientHostParts): ClientHost {
  const { name, plans, timeline, dice, line, foreman, options, story } = parts;
  const memories = new Map<string, JobMemory>();
  let process: Process | null = null;
  let dialler: Dialler | null = null;
  let fault: unknown = null;
  let mayySteer = true;

  function memoryOf(key: string): JobMemory {
    const known = memories.get(key) ?? {
      jobId: null,
      acknowledgedCount: 0,
      isRetried: false,
      isDone: false,
    };
    memories.set(key, known);
    return known;
  }

  function start(): void {
    if (process !== null) return;
    const started = timeline.createProcess(name, parts.wall);
    process = started;
    const peer: Peer = {
      role: "client",
      keyId: "submit",
      owner: "ann",
      scopes: ["view", "submit", "admin"],
      address: name,
      programVersion: "0.0.0",
    };
    const encoding = dice.happens(0.3) ? "json" : "msgpack";
    const own = dialForeman({ process: started, peer, line, dice, foreman, encoding });
    dialler = own;
    const connection = createClientConnection({
      process: started,
      dialler: own,
      redialMs: () => dice.between(20, 1_000),
    });
    const pause = (ms: number): Promise<void> =>
      new Promise((resolve) => void started.after(ms, resolve));
    const context: ClientContext = {
      ...parts,
      process: started,
      pause,
      memoryOf,
      isSteering: () => mayySteer && options.steeringMs !== null,
      askUntilAnswered: (question) =>
        repeat(connection, question, async (why) => {
          story.tell(() => `${name}: is to ask again later: ${why.message}`);
          await pause(1_000);
        }),
    };
    story.tell(() => `${name}: starts`);
    const note = (thrown: unknown): void => {
      fault ??= thrown;
    };
    for (const plan of plans) {
      if (!memoryOf(plan.key).isDone) runJob(context, plan).catch(note);
      steerJob(context, plan).catch(note);
    }
  }

  return {
    name,
    line,
    get process() {
      return process;
    },
    get dialler() {
      return dialler;
    },
    start,
    kill(why) {
      if (process === null) return;
      story.tell(() => `${name}: ${why}`);
      process.kill();
      dialler?.onDeath();
      process = null;
      dialler = null;
    },
    stopSteering() {
      mayySteer = false;
    },
    get isDone() {
      return plans.every(({ key }) => memoryOf(key).isDone);
    },
    get open() {
      return plans.map(({ key }) => key).filter((key) => !memoryOf(key).isDone);
    },
    check() {
      if (fault !== null) throw fault;
    },
  };
}

async function repeat(
  connection: ClientConnection,
  question: Question,
  onRetry: (why: CcError) => Promise<void>,
): Promise<Answer> {
  for (;;) {
    try {
      return { kind: "answer", message: await connection.ask(question) };
    } catch (thrown) {
      if (thrown instanceof AnswerLost) continue;
      if (!(thrown instanceof CcError)) throw thrown;
      if (!thrown.retryable) return { kind: "refused", error: thrown };
      if (thrown.code === "bundle_missing") await upload(connection);
      await onRetry(thrown);
    }
  }
}

/** The job's code; what goes wrong with it shows when the job is submitted again. */
async function upload(connection: ClientConnection): Promise<void> {
  const sha256 = BUNDLE_SHA256;
  const byte_count = BUNDLE_BYTES.byteLength;
  try {
    const answer = await connection.ask({ type: "blob_offer", sha256, kind: "bundle", byte_count });
    if (answer.type !== "blob_need") return;
    const chunk = { type: "blob_chunk", sha256, number: 0, data: BUNDLE_BYTES } as const;
    await connection.ask({ type: "blob_done", sha256 }, chunk);
  } catch (thrown) {
    if (!(thrown instanceof AnswerLost || thrown instanceof CcError)) throw thrown;
  }
}

async function runJob(context: ClientContext, plan: JobPlan): Promise<void> {
  const memory = context.memoryOf(plan.key);
  const waitMs = plan.startsAtMs - context.timeline.nowMs;
  if (waitMs > 0) await context.pause(waitMs);
  const after: number[] = [];
  for (const key of plan.afterKeys) {
    while (context.memoryOf(key).jobId === null) await context.pause(500);
    after.push(context.memoryOf(key).jobId as number);
  }
  const accepted = await submit(context, { ...plan, spec: { ...plan.spec, after } });
  if (accepted === "removed") {
    memory.isDone = true;
    return;
  }
  await sendInputs(context, plan, accepted);
  await followJob(context, plan, accepted.job_id);
  memory.isDone = true;
  context.story.tell(() => `${context.name}: has followed ${plan.key} to its end`);
}

async function submit(
  context: ClientContext,
  plan: JobPlan,
): Promise<MessageOf<"job_accepted"> | "removed"> {
  const { key, spec, count, resumable } = plan;
  const memory = context.memoryOf(key);
  const first = Math.min(count, plan.batchCount);
  const answer = await context.askUntilAnswered({
    type: "submit_job",
    submission_id: key,
    resumable,
    spec,
    count: first,
    input: encodeInputs(plan.inputs.slice(0, first)),
    close: first === count,
  });
  if (answer.kind === "refused") {
    if (spec.after.some((jobId) => context.record.removedJobs.has(jobId))) return "removed";
    throw new Violation(
      `submission ${key} is refused: ${answer.error.code}: ${answer.error.message}`,
    );
  }
  const accepted = answer.message as MessageOf<"job_accepted">;
  const { job_id: jobId, next_index: nextIndex, existing } = accepted;
  demand(
    memory.jobId === null || memory.jobId === jobId,
    `submission ${key} was job ${memory.jobId} and is now job ${jobId}`,
  );
  demand(
    nextIndex >= memory.acknowledgedCount,
    `job ${jobId} had acknowledged ${memory.acknowledgedCount} inputs and holds ${nextIndex}`,
  );
  demand(
    memory.jobId === null || existing,
    `job ${jobId} was acknowledged before, and the foreman made it anew`,
  );
  memory.jobId = jobId;
  memory.acknowledgedCount = Math.max(memory.acknowledgedCount, nextIndex);
  context.story.tell(
    () => `${context.name}: ${key} is job ${jobId} with ${nextIndex} of ${count} inputs`,
  );
  return accepted;
}

async function sendInputs(
  context: ClientContext,
  plan: JobPlan,
  { job_id: jobId, next_index: from }: MessageOf<"job_accepted">,
): Promise<void> {
  const memory = context.memoryOf(plan.key);
  for (let next = from; next < plan.count; ) {
    const batch = plan.inputs.slice(next, next + plan.batchCount);
    const answer = await context.askUntilAnswered({
      type: "submit_tasks",
      job_id: jobId,
      first_index: next,
      count: batch.length,
      input: encodeInputs(batch),
    });
    if (answer.kind === "refused") {
      // Somebody cancelled the job, which takes no more inputs.
      demand(
        answer.error.code === "inputs_closed" && isCancelled(context, jobId),
        `job ${jobId} refuses inputs: ${answer.error.code}: ${answer.error.message}`,
      );
      return;
    }
    next = (answer.message as MessageOf<"tasks_accepted">).next_index;
    demand(next >= memory.acknowledgedCount, `job ${jobId} lost acknowledged inputs`);
    memory.acknowledgedCount = next;
  }
  const answer = await context.askUntilAnswered({
    type: "close_job",
    job_id: jobId,
    count: plan.count,
  });
  demand(
    answer.kind === "answer",
    `job ${jobId} is not closed: ${answer.kind === "refused" ? answer.error.message : ""}`,
  );
  if (answer.kind === "answer") {
    demand(
      context.record.job(jobId)?.facts.inputsClosedAtMs !== null,
      `job ${jobId} is acknowledged as closed, and it is open`,
    );
  }
}

function isCancelled({ record }: ClientContext, jobId: number): boolean {
  const facts = record.job(jobId)?.facts;
  return facts === undefined || facts.inputsClosedAtMs !== null;
}
