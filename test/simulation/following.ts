/**
 * A client reads a job's results as they come and holds each against what it submitted: in order, each
 * once, with the value that the task's function has for its input, and as it is recorded.
 */
import { u32At, valueOffsets } from "../../src/runtime/protocol/columns.ts";
import type { MessageOf } from "../../src/runtime/protocol/messages.ts";
import { decodeValue } from "../../src/runtime/protocol/value.ts";
import type { ClientContext } from "./client-host.ts";
import { type JobPlan, outputOf, type TaskOutput } from "./jobs.ts";
import { taskName } from "./ledger.ts";
import type { RecordedTask, SettledAs } from "./recorded.ts";
import { demand } from "./violation.ts";

const STATUSES: readonly SettledAs[] = ["completed", "failed", "cancelled"];

export async function followJob(
  context: ClientContext,
  plan: JobPlan,
  jobId: number,
): Promise<void> {
  const memory = context.memoryOf(plan.key);
  const seen = new Map<number, number>();
  let lastIndex = -1;
  for (let after = 0; ; ) {
    const answer = await context.askUntilAnswered({
      type: "read_results",
      job_id: jobId,
      order: plan.order,
      after,
      bytes_max: 1_000_000,
      wait: true,
      skip_holes: false,
    });
    if (answer.kind === "refused") {
      const isGone = context.record.removedJobs.has(jobId);
      demand(isGone, `results of job ${jobId} are refused: ${answer.error.message}`);
      return;
    }
    const page = answer.message as MessageOf<"results">;
    for (const index of page.index) {
      if (plan.order === "index") {
        demand(index > lastIndex, `it comes after task ${lastIndex}`, taskName(jobId, index));
        lastIndex = index;
      }
      const times = (seen.get(index) ?? 0) + 1;
      seen.set(index, times);
      demand(times === 1 || memory.isRetried, "its result comes twice", taskName(jobId, index));
    }
    judgePage(context, plan, page);
    demand(page.next_after >= after, `the cursor of job ${jobId} goes back`);
    after = page.next_after;
    if (page.end) break;
  }
  const held = context.record.job(jobId)?.tasks.length ?? 0;
  demand(
    memory.isRetried || seen.size === held,
    `job ${jobId} has ended for its reader after ${seen.size} results of ${held}`,
    missingName(jobId, seen, held),
  );
}

function missingName(jobId: number, seen: ReadonlyMap<number, number>, count: number): string {
  for (let index = 0; index < count; index++) if (!seen.has(index)) return taskName(jobId, index);
  return taskName(jobId, 0);
}

function judgePage(context: ClientContext, plan: JobPlan, page: MessageOf<"results">): void {
  const offsets = valueOffsets(page.value, page.count);
  for (let row = 0; row < page.count; row++) {
    const index = page.index[row] as number;
    const name = taskName(page.job_id, index);
    const status = STATUSES[u32At(page.status, row)] ?? "failed";
    const attempt = u32At(page.attempt, row);
    const task = context.record.task(page.job_id, index);
    demand(task !== null, "it has a result and no input", name);
    if (task !== null && status !== "cancelled") {
      demand(
        wasSettled(task, attempt, status),
        `its reader is told that attempt ${attempt} ${status}, and that was never recorded`,
        name,
      );
    }
    if (status !== "completed") continue;
    const value = decodeValue(page.value.data.subarray(offsets[row], offsets[row + 1]));
    const input = plan.inputs[index];
    if (input === undefined) continue;
    const expected = outputOf(input, attempt);
    demand(
      isSameOutput(value as TaskOutput, expected),
      `its value is ${JSON.stringify(value)} instead of ${JSON.stringify(expected)}`,
      name,
    );
  }
}

function isSameOutput(value: TaskOutput, expected: TaskOutput): boolean {
  return (
    value.job === expected.job &&
    value.index === expected.index &&
    value.attempt === expected.attempt &&
    value.square === expected.square
  );
}

/** Now, or before somebody queued it again. */
export function wasSettled(task: RecordedTask, attempt: number, status: SettledAs): boolean {
  return task.ended.get(attempt) === status;
}
