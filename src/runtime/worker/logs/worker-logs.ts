/**
 * The logs of what this worker runs: gives each piece its attempt and its place there, and hands it to
 * the outbox. Of an attempt that prints nothing nothing is known here.
 */
import type { Clock } from "../../platform/clock.ts";
import { indexAt, u32At } from "../../protocol/columns.ts";
import { FEATURE_LOGS } from "../../protocol/messages.ts";
import type { BatchOrder } from "../../scheduler/agent/events.ts";
import { createLogOutbox, type LogLine } from "./log-outbox.ts";
import type { Printed } from "./printed.ts";

export interface WorkerLogs {
  /** A batch begins: rows of it may print. */
  begin(order: BatchOrder): void;
  /** Nothing of it runs any more, though some of what it printed may be on its way. */
  end(batchId: number): void;
  /** Of a batch that nobody remembers it is dropped. */
  print(batchId: number, row: number, printed: Printed): void;
  flush(): void;
  onConnected(
    line: LogLine,
    session: { readonly bootId: string; readonly features: readonly string[] },
  ): void;
  onDisconnected(): void;
  onAcknowledged(logSeq: number, pauseMs: number): void;
  close(): void;
}

type LoggedBatch = Pick<BatchOrder, "assignmentId" | "jobId" | "count" | "indexes" | "attempts">;

interface Batch {
  readonly order: LoggedBatch;
  /** Bytes of each row's log so far, of those that have printed. */
  places: Map<number, number> | null;
}

/** What a process has written to its pipes may be read a moment after it has ended. */
const ENDED_MAX = 64;

export function createWorkerLogs(clock: Pick<Clock, "monotonicMs" | "setTimer">): WorkerLogs {
  const outbox = createLogOutbox(clock);
  const batches = new Map<number, Batch>();
  const ended = new Map<number, Batch>();
  let bootId: string | null = null;
  /** An older foreman keeps no logs. */
  let isWanted = true;

  return {
    begin({ batchId, assignmentId, jobId, count, indexes, attempts }) {
      const order = { assignmentId, jobId, count, indexes, attempts };
      batches.set(batchId, { order, places: null });
    },
    end(batchId) {
      const batch = batches.get(batchId);
      if (batch === undefined) return;
      batches.delete(batchId);
      ended.set(batchId, batch);
      if (ended.size <= ENDED_MAX) return;
      const [oldest] = ended.keys();
      if (oldest !== undefined) ended.delete(oldest);
    },
    print(batchId, row, printed) {
      const batch = batches.get(batchId) ?? ended.get(batchId);
      // User code may have written to what an executor shares with us.
      if (batch === undefined || !isWanted || row >= batch.order.count) return;
      batch.places ??= new Map();
      const firstByte = (batch.places.get(row) ?? 0) + printed.droppedBytes;
      batch.places.set(row, firstByte + printed.data.byteLength);
      const { order } = batch;
      const place = {
        index: indexAt(order.indexes, row),
        attempt: u32At(order.attempts, row),
        firstByte,
      };
      outbox.add(order, place, printed);
    },
    flush: outbox.flush,
    onConnected(line, session) {
      isWanted = session.features.includes(FEATURE_LOGS);
      const isNewSession = bootId !== session.bootId;
      bootId = session.bootId;
      if (isWanted) outbox.onConnected(line, isNewSession);
    },
    onDisconnected: outbox.onDisconnected,
    onAcknowledged: outbox.onAcknowledged,
    close: outbox.close,
  };
}
