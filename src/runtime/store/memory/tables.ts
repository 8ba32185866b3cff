/**
 * The tables of the memory store: the rows of the schema as maps. Every write leaves its inverse in
 * an undo list, so that a group of changes is applied whole or not at all; what is kept is copied.
 */
import type { U32Column, ValueColumn } from "../../protocol/columns.ts";
import { compactU32 } from "../../protocol/columns.ts";
import type { JobSpec } from "../../protocol/job-spec.ts";
import type { AttemptEndFacts, EventFacts } from "../../scheduler/foreman/changes.ts";
import type {
  AssignmentFacts,
  JobFacts,
  Settlement,
  TaskExceptionFacts,
  WorkerFacts,
} from "../../scheduler/foreman/facts.ts";
import type { RestCancelled } from "../settlement-chunk.ts";
import { shortestIndexes } from "../settlement-chunk.ts";
import type { LogHeader } from "../settlement-fold.ts";
import type { InputChunk, StoredKey } from "../store.ts";

/** A row of a job's settlement log, with its values where it has some. */
export type LogRow =
  | { readonly kind: "settle"; readonly settlement: Settlement }
  | { readonly kind: "rest_cancelled"; readonly rest: RestCancelled }
  | Extract<LogHeader, { kind: "reopen" }>;

export function seqOfRow(row: LogRow): number {
  if (row.kind === "settle") return row.settlement.seq;
  return row.kind === "reopen" ? row.seq : row.rest.seq;
}

export interface MemoryTables {
  readonly jobs: Map<number, JobFacts>;
  /** By job, ascending by first index. */
  readonly inputs: Map<number, InputChunk[]>;
  /** By job, ascending by seq. */
  readonly log: Map<number, LogRow[]>;
  readonly exceptions: Map<number, Map<number, TaskExceptionFacts>>;
  /** By job and `INDEX/ATTEMPT`. */
  readonly attemptEnds: Map<number, Map<string, AttemptEndFacts>>;
  /** Rows ever written by job: the bound counts those. */
  readonly attemptEndCounts: Map<number, number>;
  readonly assignments: Map<number, AssignmentFacts>;
  readonly workers: Map<string, WorkerFacts>;
  readonly events: Map<number, EventFacts>;
  readonly blobs: Map<string, Uint8Array>;
  /** Bundles that a submitter was told we have, until a job names them; never removed meanwhile. */
  readonly promisedBlobs: Set<string>;
  readonly keys: Map<string, StoredKey>;
  /** Counters that never go back, not even when the newest row is removed. */
  readonly counters: { jobId: number; eventSeq: number; epoch: number };
}

export function createTables(): MemoryTables {
  return {
    jobs: new Map(),
    inputs: new Map(),
    log: new Map(),
    exceptions: new Map(),
    attemptEnds: new Map(),
    attemptEndCounts: new Map(),
    assignments: new Map(),
    workers: new Map(),
    events: new Map(),
    blobs: new Map(),
    promisedBlobs: new Set(),
    keys: new Map(),
    counters: { jobId: 0, eventSeq: 0, epoch: 0 },
  };
}

export type UndoList = (() => void)[];

/** Undoes in reverse everything that was written since the list began. */
export function undoAll(undo: UndoList): void {
  for (let i = undo.length - 1; i >= 0; i--) undo[i]?.();
}

export function putRow<Key, Row>(table: Map<Key, Row>, key: Key, row: Row, undo: UndoList): void {
  const had = table.has(key);
  const previous = table.get(key);
  undo.push(() => {
    // The cast is proved by `had`: a key that was there had a row of the table's type.
    if (had) table.set(key, previous as Row);
    else table.delete(key);
  });
  table.set(key, row);
}

export function deleteRow<Key, Row>(table: Map<Key, Row>, key: Key, undo: UndoList): void {
  const previous = table.get(key);
  if (previous === undefined) return;
  undo.push(() => {
    table.set(key, previous);
  });
  table.delete(key);
}

/** The list under a key, made when there is none. */
export function listOf<Row>(table: Map<number, Row[]>, key: number, undo: UndoList): Row[] {
  const known = table.get(key);
  if (known) return known;
  const fresh: Row[] = [];
  putRow(table, key, fresh, undo);
  return fresh;
}

export function mapOf<Key, Row>(
  table: Map<number, Map<Key, Row>>,
  key: number,
  undo: UndoList,
): Map<Key, Row> {
  const known = table.get(key);
  if (known) return known;
  const fresh = new Map<Key, Row>();
  putRow(table, key, fresh, undo);
  return fresh;
}

/** The spec is copied only when its version is new, as the row on disk is. */
export function copyJob(facts: JobFacts, kept: JobFacts | undefined): JobFacts {
  const isSameSpec = kept !== undefined && kept.specVersion === facts.specVersion;
  return { ...facts, spec: isSameSpec ? kept.spec : structuredClone(facts.spec) };
}

export function copyU32(column: U32Column): U32Column {
  const shortest = compactU32(column);
  return typeof shortest === "number" ? shortest : new Uint32Array(shortest);
}

export function copyIndexes(indexes: AssignmentFacts["indexes"]): AssignmentFacts["indexes"] {
  const shortest = shortestIndexes(indexes);
  return shortest instanceof Uint32Array ? new Uint32Array(shortest) : { first: shortest.first };
}

export function copyValues(values: ValueColumn): ValueColumn {
  return { lengths: copyU32(values.lengths), data: new Uint8Array(values.data) };
}

/** The bundle that a job runs, if it runs one. */
export function bundleOf(spec: JobSpec): string | null {
  return spec.work.kind === "function" ? spec.work.bundle_sha256 : null;
}
