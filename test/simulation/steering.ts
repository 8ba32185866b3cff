/**
 * A client's user changes things now and then: cancels, retries, pauses, sets; asks how the job stands;
 * takes workers out and back. What is acknowledged must be durable at that moment.
 */
import type { MessageOf } from "../../src/runtime/protocol/messages.ts";
import type { Answer, ClientContext } from "./client-host.ts";
import type { JobPlan } from "./jobs.ts";
import { taskName } from "./ledger.ts";
import { demand } from "./violation.ts";

export async function steerJob(context: ClientContext, plan: JobPlan): Promise<void> {
  const { dice, options } = context;
  const memory = context.memoryOf(plan.key);
  while (context.isSteering()) {
    await context.pause(dice.waitMs(options.steeringMs ?? 1_000));
    const { jobId } = memory;
    if (jobId === null || !context.isSteering()) continue;
    const act = dice.pick(ACTS);
    await act(context, plan, jobId);
  }
  await restore(context, plan);
}

/** Nothing may be left paused: nobody would take it up again. */
async function restore(context: ClientContext, plan: JobPlan): Promise<void> {
  const { jobId } = context.memoryOf(plan.key);
  if (jobId !== null) {
    await context.askUntilAnswered({ type: "update_job", job_id: jobId, patch: { paused: false } });
  }
  for (const name of context.workerNames) {
    await pauseWorker(context, name, false);
    await drainWorker(context, name, true);
  }
}

type Act = (context: ClientContext, plan: JobPlan, jobId: number) => Promise<void>;

const cancelAll: Act = async (context, plan, jobId) => {
  context.story.tell(() => `${context.name}: cancels job ${jobId}`);
  const answer = await context.askUntilAnswered({ type: "cancel_job", job_id: jobId });
  if (!isStatus(answer)) return;
  context.story.tell(() => `${context.name}: hears that job ${jobId} is cancelled`);
  if (context.memoryOf(plan.key).isRetried) return;
  const tasks = context.record.job(jobId)?.tasks ?? [];
  const open = tasks.findIndex(({ settled }) => settled === null);
  demand(open < 0, "its cancellation is acknowledged, and it is open", taskName(jobId, open));
};

const cancelSome: Act = async (context, plan, jobId) => {
  const index = drawIndexes(context, plan, jobId);
  if (index.length === 0) return;
  context.story.tell(() => `${context.name}: cancels ${name(jobId, index)}`);
  const answer = await context.askUntilAnswered({ type: "cancel_job", job_id: jobId, index });
  if (!isStatus(answer) || context.memoryOf(plan.key).isRetried) return;
  for (const each of index) {
    const task = context.record.task(jobId, each);
    demand(
      task === null || task.settled !== null,
      "its cancellation is acknowledged, and it is open",
      taskName(jobId, each),
    );
  }
};

const retry: Act = async (context, plan, jobId) => {
  const { dice, options, record } = context;
  const isAll = options.hasRerunOrders && dice.happens(0.3);
  const some = dice.happens(0.6) ? drawIndexes(context, plan, jobId) : null;
  context.memoryOf(plan.key).isRetried = true;
  context.ledger.allowReruns(jobId);
  context.story.tell(
    () => `${context.name}: retries ${some === null ? `job ${jobId}` : name(jobId, some)}`,
  );
  const before = countReopened(context, jobId);
  const answer = await context.askUntilAnswered({
    type: "retry_job",
    job_id: jobId,
    all: isAll,
    ...(some === null ? {} : { index: some }),
  });
  if (!isStatus(answer)) return;
  const { affected } = answer.message as MessageOf<"job_status">;
  demand(
    record.job(jobId) === null || countReopened(context, jobId) - before >= affected,
    `job ${jobId}: ${affected} tasks are acknowledged as queued again, and ${countReopened(context, jobId) - before} were`,
  );
};

const patch: Act = async (context, _plan, jobId) => {
  const { dice } = context;
  const chosen = dice.pick([
    { priority: dice.pick([-10, 0, 10, 50]) },
    { max_running: dice.pick([null, 1, 2]) },
    { retries: dice.whole(0, 3) },
    { backoff_seconds: dice.pick([0, 0.5, 2]) },
    { max_crashes: dice.whole(2, 4) },
    { timeout_seconds: dice.pick([null, 30]) },
    { note: "seen" },
    { keep: true },
  ]);
  context.story.tell(() => `${context.name}: sets ${JSON.stringify(chosen)} of job ${jobId}`);
  await context.askUntilAnswered({ type: "update_job", job_id: jobId, patch: chosen });
};

const pause: Act = async (context, _plan, jobId) => {
  const paused = context.dice.happens(0.4);
  context.story.tell(() => `${context.name}: ${paused ? "pauses" : "resumes"} job ${jobId}`);
  const answer = await context.askUntilAnswered({
    type: "update_job",
    job_id: jobId,
    patch: { paused },
  });
  const isGone = context.record.removedJobs.has(jobId);
  demand(answer.kind === "answer" || isGone, `job ${jobId} cannot be paused`);
};

/** The counters of every answer are those of its tasks. */
const look: Act = async (context, _plan, jobId) => {
  const answer = await context.askUntilAnswered({ type: "get_job", job_id: jobId });
  if (!isStatus(answer)) return;
  const view = (answer.message as MessageOf<"job_status">).job as {
    readonly state: string;
    readonly tasks: Readonly<Record<string, number>>;
  } | null;
  if (view === null) return;
  const { total, ...counts } = view.tasks;
  let sum = 0;
  for (const count of Object.values(counts)) sum += count;
  demand(
    sum === total,
    `job ${jobId} has ${total} tasks, and its counters make ${sum}: ${JSON.stringify(view.tasks)}`,
  );
};

const steerWorker: Act = async (context) => {
  await pauseWorker(context, context.dice.pick(context.workerNames), context.dice.happens(0.5));
};

/** Only what its submitter has read to the end, so that nobody types its line again. */
const remove: Act = async (context, plan, jobId) => {
  if (!context.memoryOf(plan.key).isDone) return;
  context.story.tell(() => `${context.name}: removes job ${jobId}`);
  const answer = await context.askUntilAnswered({ type: "remove_job", job_id: jobId });
  demand(
    answer.kind === "refused" || context.record.removedJobs.has(jobId),
    `job ${jobId} is acknowledged as removed, and it is there`,
  );
};

const drain: Act = async (context) => {
  await drainWorker(context, context.dice.pick(context.workerNames), context.dice.happens(0.3));
};

const ACTS: readonly Act[] = [
  remove,
  drain,
  cancelAll,
  cancelSome,
  cancelSome,
  retry,
  retry,
  patch,
  patch,
  pause,
  pause,
  look,
  look,
  steerWorker,
];

async function pauseWorker(context: ClientContext, worker: string, paused: boolean): Promise<void> {
  const now = paused && context.options.hasRerunOrders && context.dice.happens(0.4);
  if (now) {
    for (const jobId of context.record.jobs.keys()) context.ledger.allowReruns(jobId);
  }
  context.story.tell(
    () => `${context.name}: ${paused ? "pauses" : "resumes"} ${worker}${now ? " now" : ""}`,
  );
  await context.askUntilAnswered({ type: "update_worker", worker_id: worker, paused, now });
}

async function drainWorker(context: ClientContext, worker: string, undo: boolean): Promise<void> {
  context.story.tell(() => `${context.name}: ${undo ? "keeps" : "drains"} ${worker}`);
  await context.askUntilAnswered({ type: "drain_worker", worker_id: worker, undo });
}

function drawIndexes(
  { dice, record }: ClientContext,
  plan: JobPlan,
  jobId: number,
): Uint32Array<ArrayBuffer> {
  const held = Math.min(plan.count, record.job(jobId)?.tasks.length ?? 0);
  if (held === 0) return new Uint32Array(0);
  const count = dice.whole(1, Math.min(held, 5));
  const chosen = new Set(Array.from({ length: count }, () => dice.whole(0, held - 1)));
  return Uint32Array.from(chosen);
}

function countReopened({ record }: ClientContext, jobId: number): number {
  return record.job(jobId)?.tasks.reduce((sum, { reopenCount }) => sum + reopenCount, 0) ?? 0;
}

const isStatus = (answer: Answer): answer is Extract<Answer, { kind: "answer" }> =>
  answer.kind === "answer" && answer.message.type === "job_status";

const name = (jobId: number, index: Uint32Array): string =>
  [...index].map((each) => taskName(jobId, each)).join(" ");
