/**
 * Inputs on their way to the foreman: several batches under way at once, up to the credit in bytes, each
 * kept until it is accepted. After a lost connection what the foreman has not got is sent again, in
 * order. States of a batch: kept -> sent -> accepted; a loss makes every sent one kept again.
 */
import { sliceValues, type ValueColumn, valueOffsets } from "../protocol/columns.ts";
import type { Connection } from "./connection.ts";
import { isConnectionLost } from "./requests.ts";

export interface InputBatch {
  readonly firstIndex: number;
  readonly count: number;
  readonly values: ValueColumn;
}

export interface InputFeed {
  /** Resolves when there is room for more. @throws CcError the foreman's refusal. */
  send(batch: InputBatch): Promise<void>;
  /** Resolves when everything is accepted. */
  drain(): Promise<void>;
}

/** A connection on which the foreman knows us as the submitter, and how many inputs it holds. */
export interface Standing {
  readonly connection: Connection;
  readonly heldCount: number;
}

export interface InputFeedParts {
  readonly jobId: number;
  readonly creditBytes: number;
  /** That on which the job was accepted. */
  readonly connection: Connection;
  /** Comes back to the foreman after a loss. */
  resume(): Promise<Standing>;
}

export function createInputFeed(parts: InputFeedParts): InputFeed {
  const { jobId, creditBytes } = parts;
  let current = parts.connection;
  /** Not accepted yet, in order. */
  const kept: InputBatch[] = [];
  let keptBytes = 0;
  let failure: { readonly thrown: unknown } | null = null;
  let isLost = false;
  let progress = Promise.withResolvers<void>();

  function wake(): void {
    progress.resolve();
    progress = Promise.withResolvers();
  }

  function transmit(batch: InputBatch): void {
    const connection = current;
    connection
      .request({
        type: "submit_tasks",
        job_id: jobId,
        first_index: batch.firstIndex,
        count: batch.count,
        input: batch.values,
      })
      .then(
        (answer) => dropBefore(answer.next_index),
        (thrown: unknown) => onFailed(connection, thrown),
      )
      .finally(wake);
  }

  function onFailed(connection: Connection, thrown: unknown): void {
    if (!isConnectionLost(thrown)) failure ??= { thrown };
    else if (connection === current) isLost = true;
  }

  function dropBefore(nextIndex: number): void {
    for (let first = kept[0]; first !== undefined; first = kept[0]) {
      if (first.firstIndex >= nextIndex) return;
      kept.shift();
      keptBytes -= first.values.data.byteLength;
      if (first.firstIndex + first.count <= nextIndex) continue;
      const unsent = behind(first, nextIndex);
      kept.unshift(unsent);
      keptBytes += unsent.values.data.byteLength;
    }
  }

  async function sendAgain(): Promise<void> {
    const { connection, heldCount } = await parts.resume();
    isLost = false;
    current = connection;
    dropBefore(heldCount);
    for (const batch of kept) transmit(batch);
  }

  async function settle(isEnough: () => boolean): Promise<void> {
    for (;;) {
      if (failure !== null) throw failure.thrown;
      if (isLost) await sendAgain();
      else if (isEnough()) return;
      else await progress.promise;
    }
  }

  return {
    async send(batch) {
      kept.push(batch);
      keptBytes += batch.values.data.byteLength;
      if (!current.isOpen) isLost = true;
      if (!isLost) transmit(batch);
      await settle(() => keptBytes < creditBytes);
    },
    drain: () => settle(() => kept.length === 0),
  };
}

function behind(batch: InputBatch, nextIndex: number): InputBatch {
  const { firstIndex, count, values } = batch;
  const held = nextIndex - firstIndex;
  const rest = sliceValues(values, held, count, valueOffsets(values, count));
  return { firstIndex: nextIndex, count: count - held, values: rest };
}
