/**
 * Inputs on their way to the foreman: several batches under way at once, up to the credit in bytes, each
 * kept until it is accepted. After a lost connection, and for as long as the foreman's disk is full,
 * what the foreman has not got is sent again, in order.
 * States of a batch: kept -> sent -> accepted; a loss or a refusal makes every sent one kept again.
 */
import type { Clock } from "../platform/clock.ts";
import { sliceValues, type ValueColumn, valueOffsets } from "../protocol/columns.ts";
import { CcError } from "../protocol/error.ts";
import type { Connection } from "./connection.ts";
import { isConnectionLost } from "./requests.ts";

/** How often a foreman whose disk is full is asked again. */
const FULL_RETRY_MS = 1_000;

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
  /** Comes back to the foreman after a loss or a refusal. */
  resume(): Promise<Standing>;
  readonly clock: Pick<Clock, "setTimer">;
  /** The foreman takes no more for now; told once until it does again. */
  onHeld?(refusal: CcError): void;
}

export function createInputFeed(parts: InputFeedParts): InputFeed {
  const { jobId, creditBytes } = parts;
  let current = parts.connection;
  /** Not accepted yet, in order. */
  const kept: InputBatch[] = [];
  let keptBytes = 0;
  let failure: { readonly thrown: unknown } | null = null;
  let isLost = false;
  /** Grows each time everything kept is sent again: answers to earlier sendings say nothing. */
  let round = 0;
  /** The round in which the foreman's disk was full; what it said of later batches follows from that. */
  let heldRound = -1;
  let isHeld = false;
  let progress = Promise.withResolvers<void>();

  function wake(): void {
    progress.resolve();
    progress = Promise.withResolvers();
  }

  function transmit(batch: InputBatch): void {
    const connection = current;
    const sentIn = round;
    connection
      .request({
        type: "submit_tasks",
        job_id: jobId,
        first_index: batch.firstIndex,
        count: batch.count,
        input: batch.values,
      })
      .then(
        (answer) => onAccepted(answer.next_index),
        (thrown: unknown) => onFailed(connection, sentIn, thrown),
      )
      .finally(wake);
  }

  function onAccepted(nextIndex: number): void {
    isHeld = false;
    dropBefore(nextIndex);
  }

  function onFailed(connection: Connection, sentIn: number, thrown: unknown): void {
    if (isConnectionLost(thrown)) {
      if (connection === current) isLost = true;
    } else if (sentIn !== round || heldRound === round) {
      return;
    } else if (isStorageFull(thrown)) {
      heldRound = round;
      if (!isHeld) parts.onHeld?.(thrown);
      isHeld = true;
    } else {
      failure ??= { thrown };
    }
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
    round++;
    current = connection;
    dropBefore(heldCount);
    for (const batch of kept) transmit(batch);
  }

  async function untilAskedAgain(): Promise<void> {
    await new Promise<void>((resolve) => void parts.clock.setTimer(FULL_RETRY_MS, resolve));
    await sendAgain();
  }

  async function settle(isEnough: () => boolean): Promise<void> {
    for (;;) {
      if (failure !== null) throw failure.thrown;
      if (isLost) await sendAgain();
      else if (heldRound === round) await untilAskedAgain();
      else if (isEnough()) return;
      else await progress.promise;
    }
  }

  return {
    async send(batch) {
      kept.push(batch);
      keptBytes += batch.values.data.byteLength;
      if (!current.isOpen) isLost = true;
      if (!isLost && heldRound !== round) transmit(batch);
      await settle(() => keptBytes < creditBytes);
    },
    drain: () => settle(() => kept.length === 0),
  };
}

function isStorageFull(thrown: unknown): thrown is CcError {
  return thrown instanceof CcError && thrown.code === "storage_full";
}

function behind(batch: InputBatch, nextIndex: number): InputBatch {
  const { firstIndex, count, values } = batch;
  const held = nextIndex - firstIndex;
  const rest = sliceValues(values, held, count, valueOffsets(values, count));
  return { firstIndex: nextIndex, count: count - held, values: rest };
}
