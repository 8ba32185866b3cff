/**
 * What is durable, told by the groups of changes that were committed and by nothing else. It knows the
 * promises and none of the code that keeps them: each change is judged against what was durable before
 * and against what really ran. It outlives every foreman, as the store does.
 */
import {
  type IndexColumn,
  indexAt,
  u32At,
  valueOffsets,
} from "../../src/runtime/protocol/columns.ts";
import { decodeFailure } from "../../src/runtime/protocol/failure.ts";
import type { Change } from "../../src/runtime/scheduler/foreman/changes.ts";
import type {
  AssignmentFacts,
  JobFacts,
  Settlement,
} from "../../src/runtime/scheduler/foreman/facts.ts";
import { createJudgements, type JudgementParts } from "./judgements.ts";
import { taskName } from "./ledger.ts";
import { createTask, type RecordedJob, type RecordedTask } from "./recorded.ts";
import { demand } from "./violation.ts";

export interface DurableRecord {
  apply(changes: readonly Change[]): void;
  job(jobId: number): RecordedJob | null;
  jobOfKey(key: string): RecordedJob | null;
  task(jobId: number, index: number): RecordedTask | null;
  readonly jobs: ReadonlyMap<number, RecordedJob>;
  readonly removedJobs: ReadonlySet<number>;
  /** Workers declared lost, by boot. */
  readonly lostBoots: ReadonlySet<string>;
  /** Everything that has ever happened, by its kind. */
  readonly eventKinds: ReadonlySet<string>;
}

export function createRecord(parts: JudgementParts): DurableRecord {
  const judgements = createJudgements(parts);
  const jobs = new Map<number, RecordedJob>();
  const keys = new Map<string, number>();
  const removedJobs = new Set<number>();
  const lostBoots = new Set<string>();
  const eventKinds = new Set<string>();
  const leaving = new Set<RecordedTask>();
  const assignments = new Map<number, { readonly jobId: number; readonly indexes: Set<number> }>();

  const jobOf = (jobId: number): RecordedJob => {
    const job = jobs.get(jobId);
    demand(job !== undefined, `job ${jobId} is spoken of and does not exist`);
    return job as RecordedJob;
  };
  const taskOf = (job: RecordedJob, index: number): RecordedTask => {
    const task = job.tasks[index];
    demand(task !== undefined, "it is spoken of and has no input", taskName(job.jobId, index));
    return task as RecordedTask;
  };

  function createJob(facts: JobFacts): void {
    const { jobId, submissionId: key } = facts;
    demand(!keys.has(key), `submission ${key} is job ${keys.get(key)} and becomes job ${jobId}`);
    keys.set(key, jobId);
    const { retries, max_crashes: maxCrashes } = facts.spec;
    const limits = { retriesMin: retries, retriesMax: retries, maxCrashesMin: maxCrashes };
    jobs.set(jobId, { jobId, key, facts, tasks: [], ...limits, isPatched: false });
  }

  function changeJob(facts: JobFacts): void {
    const job = jobOf(facts.jobId);
    const { retries, max_crashes: maxCrashes } = facts.spec;
    job.isPatched ||= facts.specVersion !== job.facts.specVersion;
    job.retriesMin = Math.min(job.retriesMin, retries);
    job.retriesMax = Math.max(job.retriesMax, retries);
    job.maxCrashesMin = Math.min(job.maxCrashesMin, maxCrashes);
    job.facts = facts;
  }

  function appendInputs(change: Extract<Change, { type: "inputsAppended" }>): void {
    const job = jobOf(change.jobId);
    demand(
      change.firstIndex === job.tasks.length,
      `job ${change.jobId} has ${job.tasks.length} inputs and gets input ${change.firstIndex} next`,
    );
    for (let row = 0; row < change.count; row++) job.tasks.push(createTask());
  }

  function assign(facts: AssignmentFacts): void {
    const { jobId, assignmentId, workerId, bootId, count } = facts;
    const job = jobOf(jobId);
    const indexes = new Set<number>();
    for (let row = 0; row < count; row++) {
      const index = indexAt(facts.indexes, row);
      const attempt = u32At(facts.attempts, row);
      const task = taskOf(job, index);
      const name = taskName(jobId, index);
      giveBack(task);
      const held = task.assignment;
      demand(task.settled === null, `it is assigned though it is ${task.settled?.as}`, name);
      demand(
        held === null,
        `it is assigned to ${workerId} (${assignmentId}) while ${held?.worker} has it (${held?.id})`,
        name,
      );
      demand(
        attempt === task.begun + 1,
        `attempt ${attempt} is assigned after attempt ${task.begun}`,
        name,
      );
      judgements.backoff(task, facts.assignedAtMs, name);
      task.begun = attempt;
      task.assignment = { id: assignmentId, worker: workerId, boot: bootId, attempt };
      indexes.add(index);
    }
    assignments.set(assignmentId, { jobId, indexes });
  }

  function shrink(change: Extract<Change, { type: "assignmentShrunk" }>): void {
    const { assignmentId, remaining } = change;
    const held = assignments.get(assignmentId);
    if (held === undefined) return;
    const kept = new Set<number>();
    for (let row = 0; row < (remaining?.count ?? 0); row++) {
      kept.add(indexAt(remaining?.indexes as IndexColumn, row));
    }
    const job = jobs.get(held.jobId);
    for (const index of held.indexes) {
      if (kept.has(index)) continue;
      held.indexes.delete(index);
      const task = job?.tasks[index];
      if (task?.assignment?.id !== assignmentId) continue;
      task.left = task.assignment;
      task.assignment = null;
      leaving.add(task);
    }
    if (remaining === null) assignments.delete(assignmentId);
  }

  /** It left without a word about its attempt: unstarted, so the number may be used again. */
  function giveBack(task: RecordedTask): void {
    if (task.left === null) return;
    task.begun = task.left.attempt - 1;
    task.left = null;
  }

  function settle(settlement: Settlement): void {
    const { jobId, status, count, workerId, bootId } = settlement;
    const job = jobOf(jobId);
    const offsets = valueOffsets(settlement.values, count);
    for (let row = 0; row < count; row++) {
      const index = indexAt(settlement.indexes, row);
      const attempt = u32At(settlement.attempts, row);
      const task = taskOf(job, index);
      const name = taskName(jobId, index);
      demand(
        task.settled === null,
        `it is ${status} by attempt ${attempt} on ${workerId} after it was ${task.settled?.as} by attempt ${task.settled?.attempt}`,
        name,
      );
      const code =
        status === "completed"
          ? null
          : decodeFailure(settlement.values.data.subarray(offsets[row], offsets[row + 1])).failure
              .code;
      const result = { job, index, attempt, status, code, worker: workerId, boot: bootId };
      if (status !== "cancelled") judgements.result(task, result);
      if (status === "cancelled") task.cancelCount++;
      task.settled = { as: status, attempt, worker: workerId };
      task.ended.set(attempt, status);
      task.assignment = null;
      task.left = null;
      task.notBefore = null;
    }
  }

  function endAttempts(change: Extract<Change, { type: "attemptsEnded" }>): void {
    const job = jobOf(change.jobId);
    for (const { index, attempt, outcome, code } of change.rows) {
      const task = taskOf(job, index);
      const name = taskName(job.jobId, index);
      demand(!task.ended.has(attempt), `attempt ${attempt} ends twice`, name);
      const held = task.assignment ?? task.left;
      demand(
        held?.attempt === attempt,
        `attempt ${attempt} ends, and ${held === null ? "nobody has the task" : `attempt ${held.attempt} is under way`}`,
        name,
      );
      const execution = parts.ledger().find(job.jobId, index, attempt);
      demand(
        outcome !== "failed" || code === "timeout" || execution?.end === "failed",
        `attempt ${attempt} is recorded as failed, and it was ${execution?.end ?? "never run"}`,
        name,
      );
      task.ended.set(attempt, outcome);
      task.assignment = null;
      task.left = null;
      task.hasJustFailed = outcome === "failed";
      if (outcome === "failed") task.failures++;
      else task.losses++;
    }
  }

  function cancelRest(change: Extract<Change, { type: "restCancelled" }>): void {
    const job = jobOf(change.jobId);
    const open = job.tasks.filter(({ settled }) => settled === null);
    demand(
      open.length === change.count && job.tasks.length === change.inputCount,
      `job ${job.jobId}: ${change.count} of ${change.inputCount} tasks are cancelled at once, and ${open.length} of ${job.tasks.length} were open`,
    );
    for (const task of open) {
      task.settled = { as: "cancelled", attempt: task.begun, worker: "" };
      task.assignment = null;
      task.left = null;
      task.notBefore = null;
      task.cancelCount++;
    }
  }

  function reopen(change: Extract<Change, { type: "reopened" }>): void {
    const job = jobOf(change.jobId);
    for (let row = 0; row < change.count; row++) {
      const index = indexAt(change.indexes, row);
      const task = taskOf(job, index);
      demand(
        task.settled !== null,
        "it is queued again and was not settled",
        taskName(job.jobId, index),
      );
      task.settled = null;
      task.failures = 0;
      task.losses = 0;
      task.reopenCount++;
    }
  }

  function applyOne(change: Change): void {
    switch (change.type) {
      case "jobCreated":
        createJob(change.facts);
        return;
      case "jobChanged":
        changeJob(change.facts);
        return;
      case "jobRemoved": {
        const job = jobOf(change.jobId);
        keys.delete(job.key);
        jobs.delete(change.jobId);
        removedJobs.add(change.jobId);
        return;
      }
      case "inputsAppended":
        appendInputs(change);
        return;
      case "assigned":
        assign(change.assignment);
        return;
      case "assignmentShrunk":
        shrink(change);
        return;
      case "settled":
        settle(change.settlement);
        return;
      case "restCancelled":
        cancelRest(change);
        return;
      case "reopened":
        reopen(change);
        return;
      case "taskExceptions": {
        const job = jobOf(change.jobId);
        for (const { index, notBeforeMs } of change.written) {
          const task = taskOf(job, index);
          const mustWait = task.hasJustFailed && job.facts.spec.backoff_seconds > 0;
          demand(
            !mustWait || notBeforeMs !== null,
            "it waits for nothing after a failure",
            taskName(job.jobId, index),
          );
          task.hasJustFailed = false;
          task.notBefore =
            notBeforeMs === null
              ? null
              : { atMs: notBeforeMs, timeLineOffsetMs: parts.timeLineOffsetMs() };
        }
        return;
      }
      case "attemptsEnded":
        endAttempts(change);
        return;
      case "eventRecorded":
        eventKinds.add(change.event.kind);
        if (change.event.kind === "worker_lost") {
          lostBoots.add((JSON.parse(change.event.body) as { boot: string }).boot);
        }
        return;
      default:
        return;
    }
  }

  return {
    apply(changes) {
      for (const change of changes) applyOne(change);
      for (const task of leaving) giveBack(task);
      leaving.clear();
      const changed = new Set<number>();
      for (const change of changes)
        if (change.type === "jobChanged") changed.add(change.facts.jobId);
      for (const jobId of changed) {
        const job = jobs.get(jobId);
        if (job) judgements.counters(job);
      }
    },
    job: (jobId) => jobs.get(jobId) ?? null,
    jobOfKey: (key) => jobs.get(keys.get(key) ?? -1) ?? null,
    task: (jobId, index) => jobs.get(jobId)?.tasks[index] ?? null,
    jobs,
    removedJobs,
    lostBoots,
    eventKinds,
  };
}
