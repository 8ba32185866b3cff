/**
 * A store that forgets everything with its process: for tests and the simulator. It means exactly
 * what the SQLite store means (one conformance suite defines both) and copies whatever it keeps.
 * What it returns is its own: readers must not write into it.
 */
import type { Change } from "../scheduler/foreman/changes.ts";
import { blobMismatch, isBlobWhole } from "./blob-hash.ts";
import { applyChange } from "./memory/apply-change.ts";
import {
  attemptEndsOf,
  endedJobs,
  eventsOf,
  foldBefore,
  jobBytes,
  loadState,
  reopenedAt,
  settlementAt,
  settlementsFrom,
  sketchesFrom,
  storedJob,
  taskHistory,
} from "./memory/read-tables.ts";
import { reclaimTables } from "./memory/reclaim-tables.ts";
import { bundleOf, createTables, type MemoryTables, undoAll } from "./memory/tables.ts";
import { storageFailed } from "./storage-error.ts";
import type { Store } from "./store.ts";

export interface MemoryStore extends Store {
  /** A restart: closes this store and begins a new epoch over the same facts. */
  reopen(): MemoryStore;
}

const ALL_EVENTS = {
  jobId: null,
  workerId: null,
  afterSeq: 0,
  limit: Number.POSITIVE_INFINITY,
} as const;

export function createMemoryStore(options: { readonly foremanId?: string } = {}): MemoryStore {
  return openTables(createTables(), options.foremanId ?? "memory");
}

function openTables(tables: MemoryTables, foremanId: string): MemoryStore {
  tables.counters.epoch++;
  tables.promisedBlobs.clear();
  let isOpen = true;
  const rows = (): MemoryTables => {
    if (!isOpen) throw storageFailed("answer", new Error("it is closed"));
    return tables;
  };
  return {
    identity: { foremanId, epoch: tables.counters.epoch },
    commit: async (changes) => commitGroup(rows(), changes),
    load: async () => loadState(rows()),
    readJob: async (jobId) => rows().jobs.get(jobId) ?? null,
    async readStoredJob(jobId) {
      const facts = rows().jobs.get(jobId);
      return facts ? storedJob(tables, facts) : null;
    },
    readFold: async (jobId, inputCount) =>
      foldBefore(rows(), jobId, { inputCount, seq: Number.POSITIVE_INFINITY }),
    listEndedJobs: async (filter) => endedJobs(rows(), filter),
    countEndedJobs: async (filter) =>
      endedJobs(rows(), { ...filter, limit: Number.POSITIVE_INFINITY }).length,
    async readInputChunk(jobId, index) {
      const chunks = rows().inputs.get(jobId) ?? [];
      const chunk = chunks.findLast(({ firstIndex }) => firstIndex <= index);
      return chunk && index < chunk.firstIndex + chunk.count ? chunk : null;
    },
    readSettlement: async (jobId, seq) => settlementAt(rows(), jobId, seq),
    readSettlements: async (jobId, from) => settlementsFrom(rows(), jobId, from),
    sketchSettlements: async (jobId, from) => sketchesFrom(rows(), jobId, from),
    readReopened: async (jobId, seq) => reopenedAt(rows(), jobId, seq),
    readTaskHistory: async (jobId, index) => taskHistory(rows(), jobId, index),
    readAttemptEnds: async (jobId, index, limit) =>
      attemptEndsOf(rows(), jobId, index).slice(0, limit),
    readWorker: async (workerId) => rows().workers.get(workerId) ?? null,
    readEvents: async (filter) => eventsOf(rows(), filter),
    async readEventRange() {
      const lastSeq = rows().counters.eventSeq;
      const oldest = eventsOf(rows(), ALL_EVENTS).find(({ jobId }) => jobId === null);
      return { oldestSeq: oldest?.seq ?? lastSeq + 1, lastSeq };
    },
    async hasBlob(sha256) {
      const has = rows().blobs.has(sha256);
      if (has) tables.promisedBlobs.add(sha256);
      return has;
    },
    async putBlob({ sha256, bytes }) {
      if (!isBlobWhole(sha256, bytes)) throw blobMismatch(sha256, bytes.byteLength);
      rows().blobs.set(sha256, new Uint8Array(bytes));
      tables.promisedBlobs.add(sha256);
      return "ok";
    },
    readBlob: async (sha256) => rows().blobs.get(sha256) ?? null,
    reclaim: async (limits) => reclaimTables(rows(), limits),
    async readJobBytes(jobId) {
      return jobBytes(rows(), jobId);
    },
    readBlobBytes: async (sha256) => rows().blobs.get(sha256)?.byteLength ?? null,
    listKeys: async () => [...rows().keys.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
    async putKey(key) {
      rows().keys.set(key.keyId, structuredClone(key));
    },
    async close() {
      isOpen = false;
    },
    reopen() {
      isOpen = false;
      return openTables(tables, foremanId);
    },
  };
}

function commitGroup(tables: MemoryTables, changes: readonly Change[]): "ok" {
  const undo: (() => void)[] = [];
  const named = bundlesNamedBy(tables, changes);
  try {
    for (const change of changes) applyChange(tables, change, undo);
  } catch (error) {
    undoAll(undo);
    throw storageFailed("record a group of changes", error);
  }
  // A bundle that a committed job names needs no promise any more.
  for (const bundle of named) tables.promisedBlobs.delete(bundle);
  return "ok";
}

function bundlesNamedBy(tables: MemoryTables, changes: readonly Change[]): string[] {
  return changes.flatMap((change) => {
    if (change.type !== "jobCreated" && change.type !== "jobChanged") return [];
    const { facts } = change;
    const isSameSpec = tables.jobs.get(facts.jobId)?.specVersion === facts.specVersion;
    return isSameSpec ? [] : (bundleOf(facts.spec) ?? []);
  });
}
