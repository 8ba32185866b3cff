/**
 * Writes a group of changes, in order, within a transaction that its caller holds. It decides nothing
 * and retries nothing; what it throws makes the caller roll the whole group back.
 */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import { assert, assertNever } from "../../protocol/error.ts";
import { ATTEMPT_ENDS_PER_JOB_MAX } from "../../protocol/limits.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { JobFacts } from "../../scheduler/foreman/facts.ts";
import {
  ASSIGNMENT_DELETE,
  ASSIGNMENT_INSERT,
  ASSIGNMENT_SHRINK,
  ATTEMPT_END_COUNT,
  ATTEMPT_END_PUT,
  assignmentShrinkValues,
  assignmentValues,
  attemptEndValues,
  EVENT_INSERT,
  eventValues,
  INPUT_CHUNK_INSERT,
  inputChunkValues,
  TASK_EXCEPTION_DELETE,
  TASK_EXCEPTION_PUT,
  taskExceptionValues,
  WORKER_DELETE,
  WORKER_PUT,
  workerValues,
} from "./fact-rows.ts";
import { createJobRemover } from "./job-removal.ts";
import {
  JOB_INSERT,
  JOB_SPEC_UPDATE,
  JOB_UPDATE_IF_SAME_SPEC,
  jobInsertValues,
  jobSpecUpdateValues,
  jobUpdateValues,
} from "./job-rows.ts";
import {
  reopenedValues,
  restCancelledValues,
  SETTLEMENT_INSERT,
  settledValues,
} from "./log-rows.ts";
import type { BlobPromises } from "./promised-blobs.ts";
import type { Reclaimer } from "./reclaim.ts";

export interface GroupWriter {
  /** Call within a transaction. */
  write(changes: readonly Change[]): void;
  /** After the group was rolled back: forgets what was only counted in memory. */
  onRolledBack(): void;
}

export interface GroupWriterParts {
  readonly promises: BlobPromises;
  readonly reclaimer: Pick<Reclaimer, "onBundleReleased" | "events">;
}

export function createGroupWriter(database: SqlDatabase, parts: GroupWriterParts): GroupWriter {
  const { promises, reclaimer } = parts;
  const insertJob = database.prepare(JOB_INSERT);
  const updateJob = database.prepare(JOB_UPDATE_IF_SAME_SPEC);
  const updateSpec = database.prepare(JOB_SPEC_UPDATE);
  const insertInputs = database.prepare(INPUT_CHUNK_INSERT);
  const insertAssignment = database.prepare(ASSIGNMENT_INSERT);
  const shrinkAssignment = database.prepare(ASSIGNMENT_SHRINK);
  const deleteAssignment = database.prepare(ASSIGNMENT_DELETE);
  const insertSettlement = database.prepare(SETTLEMENT_INSERT);
  const putException = database.prepare(TASK_EXCEPTION_PUT);
  const deleteException = database.prepare(TASK_EXCEPTION_DELETE);
  const putWorker = database.prepare(WORKER_PUT);
  const deleteWorker = database.prepare(WORKER_DELETE);
  const insertEvent = database.prepare(EVENT_INSERT);
  const attemptEnds = createAttemptEndWriter(database);
  const removeJob = createJobRemover(database, reclaimer.onBundleReleased);

  function createJob(facts: JobFacts): void {
    insertJob.run(...jobInsertValues(facts));
    promises.onNamed(facts.spec);
  }

  function changeJob(facts: JobFacts): void {
    if (updateJob.run(...jobUpdateValues(facts)) === 1) return;
    const isKnown = updateSpec.run(...jobSpecUpdateValues(facts)) === 1;
    assert(isKnown, `job ${facts.jobId} exists`);
    updateJob.run(...jobUpdateValues(facts));
    promises.onNamed(facts.spec);
  }

  function writeOne(change: Change): void {
    switch (change.type) {
      case "jobCreated":
        createJob(change.facts);
        break;
      case "jobChanged":
        changeJob(change.facts);
        break;
      case "jobRemoved":
        attemptEnds.forget(change.jobId);
        removeJob(change.jobId);
        break;
      case "inputsAppended":
        insertInputs.run(...inputChunkValues(change));
        break;
      case "assigned":
        insertAssignment.run(...assignmentValues(change.assignment));
        break;
      case "assignmentShrunk":
        // One that is gone already, such as with its removed job, has nothing left to shrink.
        if (change.remaining === null) deleteAssignment.run(change.assignmentId);
        else shrinkAssignment.run(...assignmentShrinkValues(change.assignmentId, change.remaining));
        break;
      case "settled":
        insertSettlement.run(...settledValues(change.settlement));
        break;
      case "restCancelled":
        insertSettlement.run(...restCancelledValues(change));
        break;
      case "reopened":
        insertSettlement.run(...reopenedValues(change));
        break;
      case "taskExceptions":
        for (const facts of change.written) {
          putException.run(...taskExceptionValues(change.jobId, facts));
        }
        for (const index of change.removed) deleteException.run(change.jobId, index);
        break;
      case "attemptsEnded":
        attemptEnds.write(change);
        break;
      case "workerChanged":
        putWorker.run(...workerValues(change.worker));
        break;
      case "workerForgotten":
        deleteWorker.run(change.workerId);
        break;
      case "eventRecorded":
        insertEvent.run(...eventValues(change.event));
        if (change.event.jobId === null) reclaimer.events.onWritten(1);
        break;
      default:
        assertNever(change, "change");
    }
  }

  return {
    write(changes) {
      const last = lastJobChanges(changes);
      for (const change of changes) {
        const isOutdated = change.type === "jobChanged" && last.get(change.facts.jobId) !== change;
        if (!isOutdated) writeOne(change);
      }
    },
    onRolledBack() {
      attemptEnds.onRolledBack();
      reclaimer.events.onRolledBack();
    },
  };
}

/** Of several rows of one job only the last is written. */
function lastJobChanges(changes: readonly Change[]): Map<number, Change> {
  const last = new Map<number, Change>();
  for (const change of changes) {
    if (change.type === "jobChanged") last.set(change.facts.jobId, change);
  }
  return last;
}

/** Keeps the table of ended attempts within its bound a job; further ones are not written. */
function createAttemptEndWriter(database: SqlDatabase) {
  const put = database.prepare(ATTEMPT_END_PUT);
  const count = database.prepare<{ row_count: number }>(ATTEMPT_END_COUNT);
  /** Rows by job, for jobs that had any since the start; read from the table at first use. */
  const counts = new Map<number, number>();

  return {
    write({ jobId, rows }: Extract<Change, { type: "attemptsEnded" }>): void {
      let written = counts.get(jobId) ?? count.get(jobId)?.row_count ?? 0;
      for (const facts of rows) {
        if (written >= ATTEMPT_ENDS_PER_JOB_MAX) break;
        put.run(...attemptEndValues(jobId, facts));
        written++;
      }
      counts.set(jobId, written);
    },
    forget(jobId: number): void {
      counts.delete(jobId);
    },
    onRolledBack(): void {
      counts.clear();
    },
  };
}
