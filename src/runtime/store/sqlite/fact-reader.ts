/** Reads everything but the settlement log: jobs, inputs, assignments, workers, events. */
import type { SqlDatabase } from "../../platform/sqlite-driver.ts";
import type { JobId, WorkerId } from "../../protocol/ids.ts";
import type {
  AssignmentFacts,
  InputChunkFacts,
  JobFacts,
  TaskExceptionFacts,
  WorkerFacts,
} from "../../scheduler/foreman/facts.ts";
import type {
  AttemptEndRow,
  EventFilter,
  EventRange,
  EventRowFacts,
  InputChunk,
  JobFilter,
} from "../store.ts";
import {
  ASSIGNMENT_LIST,
  type AssignmentRow,
  ATTEMPT_END_LIST,
  ATTEMPT_END_LIST_OF_TASK,
  type AttemptEndStored,
  assignmentOfRow,
  attemptEndOfRow,
  EVENT_LAST_AT,
  EVENT_LAST_SEQ,
  EVENT_LIST,
  EVENT_LIST_OF_JOB,
  EVENT_LIST_OF_WORKER,
  EVENT_OLDEST_FREE,
  type EventRow,
  eventOfRow,
  INPUT_CHUNK_GET_AT,
  INPUT_CHUNK_LIST_SIZES,
  type InputChunkRow,
  inputChunkOfRow,
  TASK_EXCEPTION_LIST,
  type TaskExceptionRow,
  taskExceptionOfRow,
  WORKER_GET,
  WORKER_LIST,
  type WorkerRow,
  workerOfRow,
} from "./fact-rows.ts";
import {
  JOB_COUNT_ENDED,
  JOB_GET,
  JOB_LIST,
  JOB_LIST_ENDED,
  type JobRow,
  jobOfRow,
  sha256Bytes,
} from "./job-rows.ts";

/** Autoincrement remembers the largest id ever, also when its job is removed. */
const JOB_LAST_ID = `
  select seq
  from sqlite_sequence
  where name = 'job'`;

const JOB_EXISTS = `
  select 1 as is_there
  from job
  where job_id = ?`;

/** `length` of a blob reads no page of it. */
const JOB_BYTES = `
  select
    (select coalesce(sum(length(data)), 0) from settlement where job_id = ?)
    + (select coalesce(sum(length(data)), 0) from input_chunk where job_id = ?)
    + (select coalesce(sum(length(error)), 0) from attempt_end where job_id = ?) as byte_count`;

const BLOB_BYTES = `
  select byte_count
  from blob
  where sha256 = ?`;

export interface FactReader {
  hasJob(jobId: JobId): boolean;
  /** 0 when there is no such job. */
  jobBytes(jobId: JobId): number;
  blobBytes(sha256: string): number | null;
  job(jobId: JobId): JobFacts | null;
  jobs(): JobFacts[];
  endedJobs(filter: JobFilter): JobFacts[];
  countEndedJobs(filter: JobFilter): number;
  lastJobId(): number;
  exceptions(jobId: JobId): TaskExceptionFacts[];
  inputChunk(jobId: JobId, index: number): InputChunk | null;
  inputChunkSizes(jobId: JobId): InputChunkFacts[];
  assignments(): AssignmentFacts[];
  attemptEnds(jobId: JobId, index: number | null, limit: number): AttemptEndRow[];
  worker(workerId: WorkerId): WorkerFacts | null;
  workers(): WorkerFacts[];
  events(filter: EventFilter): EventRowFacts[];
  eventRange(): EventRange;
  lastEventAtMs(): number | null;
}

export function createFactReader(database: SqlDatabase): FactReader {
  const jobExists = database.prepare<{ is_there: number }>(JOB_EXISTS);
  const getJobBytes = database.prepare<{ byte_count: number }>(JOB_BYTES);
  const getBlobBytes = database.prepare<{ byte_count: number }>(BLOB_BYTES);
  const getJob = database.prepare<JobRow>(JOB_GET);
  const listJobs = database.prepare<JobRow>(JOB_LIST);
  const listEnded = database.prepare<JobRow>(JOB_LIST_ENDED);
  const countEnded = database.prepare<{ count: number }>(JOB_COUNT_ENDED);
  const getLastId = database.prepare<{ seq: number }>(JOB_LAST_ID);
  const listExceptions = database.prepare<TaskExceptionRow>(TASK_EXCEPTION_LIST);
  const getInputs = database.prepare<InputChunkRow>(INPUT_CHUNK_GET_AT);
  const listSizes = database.prepare<{ first_index: number; byte_count: number }>(
    INPUT_CHUNK_LIST_SIZES,
  );
  const listAssignments = database.prepare<AssignmentRow>(ASSIGNMENT_LIST);
  const listAttemptEnds = database.prepare<AttemptEndStored>(ATTEMPT_END_LIST);
  const listAttemptEndsOfTask = database.prepare<AttemptEndStored>(ATTEMPT_END_LIST_OF_TASK);
  const getWorker = database.prepare<WorkerRow>(WORKER_GET);
  const listWorkers = database.prepare<WorkerRow>(WORKER_LIST);
  const listEvents = database.prepare<EventRow>(EVENT_LIST);
  const listEventsOfJob = database.prepare<EventRow>(EVENT_LIST_OF_JOB);
  const listEventsOfWorker = database.prepare<EventRow>(EVENT_LIST_OF_WORKER);
  const getLastEventSeq = database.prepare<{ seq: number }>(EVENT_LAST_SEQ);
  const getOldestFree = database.prepare<{ seq: number }>(EVENT_OLDEST_FREE);
  // It only grows, so each look goes on where the last one ended.
  let oldestFreeSeq = 0;
  const getLastEventAt = database.prepare<{ at_ms: number }>(EVENT_LAST_AT);

  const hasJob = (jobId: JobId): boolean => jobExists.get(jobId) !== null;

  return {
    hasJob,
    jobBytes: (jobId) =>
      hasJob(jobId) ? (getJobBytes.get(jobId, jobId, jobId)?.byte_count ?? 0) : 0,
    blobBytes: (sha256) => getBlobBytes.get(sha256Bytes(sha256))?.byte_count ?? null,
    job(jobId) {
      const row = getJob.get(jobId);
      return row ? jobOfRow(row) : null;
    },
    jobs: () => listJobs.all().map(jobOfRow),
    endedJobs({ states, owner, before, limit }) {
      const wanted = states === null ? null : JSON.stringify(states);
      const below = before ?? Number.MAX_SAFE_INTEGER;
      return listEnded.all(below, owner, owner, wanted, wanted, limit).map(jobOfRow);
    },
    countEndedJobs({ states, owner, before }) {
      const wanted = states === null ? null : JSON.stringify(states);
      const below = before ?? Number.MAX_SAFE_INTEGER;
      return countEnded.get(below, owner, owner, wanted, wanted)?.count ?? 0;
    },
    lastJobId: () => getLastId.get()?.seq ?? 0,
    exceptions: (jobId) => listExceptions.all(jobId).map(taskExceptionOfRow),
    inputChunk(jobId, index) {
      const row = getInputs.get(jobId, index);
      return row && index < row.first_index + row.task_count ? inputChunkOfRow(row) : null;
    },
    inputChunkSizes: (jobId) =>
      listSizes
        .all(jobId)
        .map((row) => ({ firstIndex: row.first_index, byteCount: row.byte_count })),
    assignments: () => listAssignments.all().map(assignmentOfRow),
    attemptEnds(jobId, index, limit) {
      const rows =
        index === null
          ? listAttemptEnds.all(jobId, limit)
          : listAttemptEndsOfTask.all(jobId, index, limit);
      return rows.map((row) => attemptEndOfRow(jobId, row));
    },
    worker(workerId) {
      const row = getWorker.get(workerId);
      return row ? workerOfRow(row) : null;
    },
    workers: () => listWorkers.all().map(workerOfRow),
    events({ jobId, workerId, afterSeq, limit }) {
      if (jobId !== null) {
        const rows = listEventsOfJob.all(jobId, afterSeq, workerId, workerId, limit);
        return rows.map(eventOfRow);
      }
      const rows =
        workerId === null
          ? listEvents.all(afterSeq, limit)
          : listEventsOfWorker.all(workerId, afterSeq, limit);
      return rows.map(eventOfRow);
    },
    eventRange() {
      const lastSeq = getLastEventSeq.get()?.seq ?? 0;
      oldestFreeSeq = getOldestFree.get(oldestFreeSeq)?.seq ?? lastSeq + 1;
      return { oldestSeq: oldestFreeSeq, lastSeq };
    },
    lastEventAtMs: () => getLastEventAt.get()?.at_ms ?? null,
  };
}
