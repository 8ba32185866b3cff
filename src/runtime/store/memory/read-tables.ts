/** Reads of the memory tables that take more than one look-up. Nothing here writes. */
import { expandIndexes } from "../../protocol/columns.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import type { JobFacts, JobFold, StoredJob, StoredState } from "../../scheduler/foreman/facts.ts";
import {
  chunkOfRow,
  restCancelledChunk,
  restCancelledTask,
  sketchOf,
  sketchOfRest,
} from "../settlement-chunk.ts";
import { createFold, foldRow, type LogHeader } from "../settlement-fold.ts";
import type {
  AttemptEndRow,
  EventFilter,
  EventRowFacts,
  JobFilter,
  SettlementChunk,
  SettlementSketch,
} from "../store.ts";
import { type HistoryPlace, planTaskHistory } from "../task-history.ts";
import { type LogRow, type MemoryTables, seqOfRow } from "./tables.ts";

const byJob = (a: JobFacts, b: JobFacts): number => a.jobId - b.jobId;

export function loadState(tables: MemoryTables): StoredState {
  const jobs = [...tables.jobs.values()].sort(byJob);
  return {
    jobs: jobs
      .filter((facts) => facts.finishedAtMs === null)
      .map((facts) => storedJob(tables, facts)),
    ended: jobs.filter((facts) => facts.finishedAtMs !== null),
    assignments: [...tables.assignments.values()].sort((a, b) => a.assignmentId - b.assignmentId),
    workers: [...tables.workers.values()].sort((a, b) => (a.workerId < b.workerId ? -1 : 1)),
    nextJobId: tables.counters.jobId + 1,
    lastEventAtMs: eventsOf(tables, ALL_EVENTS).at(-1)?.atMs ?? null,
  };
}

const ALL_EVENTS: EventFilter = {
  jobId: null,
  workerId: null,
  afterSeq: 0,
  limit: Number.POSITIVE_INFINITY,
};

export function eventsOf(tables: MemoryTables, filter: EventFilter): EventRowFacts[] {
  const { jobId, workerId, afterSeq, limit } = filter;
  const found: EventRowFacts[] = [];
  for (const [seq, event] of tables.events) {
    if (seq <= afterSeq) continue;
    if (jobId !== null && event.jobId !== jobId) continue;
    if (workerId !== null && event.workerId !== workerId) continue;
    found.push({ ...event, seq });
  }
  // A removal that was rolled back has put its events behind newer ones.
  return found.sort((a, b) => a.seq - b.seq).slice(0, limit);
}

export function storedJob(tables: MemoryTables, facts: JobFacts): StoredJob {
  const { jobId, inputCount } = facts;
  const exceptions = [...(tables.exceptions.get(jobId)?.values() ?? [])];
  return {
    facts,
    fold: foldBefore(tables, jobId, { inputCount, seq: Number.POSITIVE_INFINITY }),
    exceptions: exceptions.sort((a, b) => a.index - b.index),
    inputChunks: (tables.inputs.get(jobId) ?? []).map(({ firstIndex, values }) => ({
      firstIndex,
      byteCount: values.data.byteLength,
    })),
  };
}

/** The fold of all rows whose number is below `seq`. */
export function foldBefore(
  tables: MemoryTables,
  jobId: JobId,
  bounds: { readonly inputCount: number; readonly seq: number },
): JobFold {
  const fold = createFold(bounds.inputCount);
  for (const row of tables.log.get(jobId) ?? []) {
    if (seqOfRow(row) >= bounds.seq) break;
    foldRow(fold, headerOf(row));
  }
  return fold;
}

export function endedJobs(tables: MemoryTables, filter: JobFilter): JobFacts[] {
  return [...tables.jobs.values()]
    .filter((job) => job.finishedAtMs !== null)
    .filter((job) => filter.states === null || filter.states.includes(job.state))
    .filter((job) => filter.owner === null || job.owner === filter.owner)
    .filter((job) => filter.before === null || job.jobId < filter.before)
    .sort((a, b) => byJob(b, a))
    .slice(0, filter.limit);
}

/** What the values of a job take. */
export function jobBytes(tables: MemoryTables, jobId: JobId): number {
  let bytes = 0;
  for (const { values } of tables.inputs.get(jobId) ?? []) bytes += values.data.byteLength;
  for (const row of tables.log.get(jobId) ?? []) {
    if (row.kind === "settle") bytes += row.settlement.values.data.byteLength;
    if (row.kind === "rest_cancelled") bytes += row.rest.value.byteLength;
  }
  for (const row of tables.attemptEnds.get(jobId)?.values() ?? []) {
    bytes += row.error?.byteLength ?? 0;
  }
  return bytes;
}

export function settlementAt(
  tables: MemoryTables,
  jobId: JobId,
  seq: number,
): SettlementChunk | null {
  const row = findRow(tables, jobId, seq);
  if (!row || row.kind === "reopen") return null;
  if (row.kind === "settle") return { ...row.settlement, sharedValue: false };
  const before = foldBefore(tables, jobId, { inputCount: row.rest.inputCount, seq });
  return restCancelledChunk(row.rest, before);
}

export function settlementsFrom(
  tables: MemoryTables,
  jobId: JobId,
  from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
): SettlementChunk[] {
  const chunks: SettlementChunk[] = [];
  let byteCount = 0;
  for (const row of tables.log.get(jobId) ?? []) {
    if (seqOfRow(row) < from.seq) continue;
    if (chunks.length >= from.limit || byteCount >= from.bytesMax) break;
    const chunk = settlementAt(tables, jobId, seqOfRow(row));
    if (!chunk) continue;
    chunks.push(chunk);
    byteCount += chunk.values.data.byteLength;
  }
  return chunks;
}

export function sketchesFrom(
  tables: MemoryTables,
  jobId: JobId,
  from: { readonly seq: number; readonly limit: number; readonly bytesMax: number },
): SettlementSketch[] {
  const sketches: SettlementSketch[] = [];
  let byteCount = 0;
  for (const row of tables.log.get(jobId) ?? []) {
    if (row.kind === "reopen" || seqOfRow(row) < from.seq) continue;
    if (sketches.length >= from.limit || byteCount >= from.bytesMax) break;
    const sketch = row.kind === "settle" ? sketchOf(row.settlement) : sketchOfRest(row.rest);
    sketches.push(sketch);
    byteCount += sketch.values?.data.byteLength ?? 0;
  }
  return sketches;
}

export function reopenedAt(tables: MemoryTables, jobId: JobId, seq: number): Uint32Array | null {
  const row = findRow(tables, jobId, seq);
  return row?.kind === "reopen" ? expandIndexes(row.indexes, row.count) : null;
}

export function taskHistory(tables: MemoryTables, jobId: JobId, index: number): SettlementChunk[] {
  const rows = tables.log.get(jobId) ?? [];
  const chunkAt = (place: HistoryPlace): SettlementChunk[] => {
    const row = findRow(tables, jobId, place.seq);
    if (row?.kind === "rest_cancelled") {
      return [restCancelledTask(row.rest, { index, attempt: place.attempt })];
    }
    if (row?.kind !== "settle") return [];
    return [chunkOfRow({ ...row.settlement, sharedValue: false }, { row: place.row, index })];
  };
  return planTaskHistory(rows.map(headerOf), index).flatMap(chunkAt);
}

export function attemptEndsOf(
  tables: MemoryTables,
  jobId: JobId,
  index: number | null,
): AttemptEndRow[] {
  return [...(tables.attemptEnds.get(jobId)?.values() ?? [])]
    .filter((row) => index === null || row.index === index)
    .sort((a, b) => a.index - b.index || a.attempt - b.attempt)
    .map((row) => ({ jobId: asJobId(jobId), ...row }));
}

function findRow(tables: MemoryTables, jobId: JobId, seq: number): LogRow | undefined {
  return tables.log.get(jobId)?.find((row) => seqOfRow(row) === seq);
}

function headerOf(row: LogRow): LogHeader {
  switch (row.kind) {
    case "settle":
      return { kind: "settle", ...row.settlement };
    case "reopen":
      return row;
    case "rest_cancelled":
      return { kind: "rest_cancelled", seq: row.rest.seq, inputCount: row.rest.inputCount };
  }
}
