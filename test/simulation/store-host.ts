/**
 * The store of a world: the real SQLite store on a database in memory that outlives every foreman, with
 * failpoints around its one door for writing. Whatever is committed is written down in the record.
 */
import { openSqlDatabase, type SqlDatabase } from "../../src/runtime/platform/sqlite-driver.ts";
import { CcError } from "../../src/runtime/protocol/error.ts";
import type { Change } from "../../src/runtime/scheduler/foreman/changes.ts";
import type { StoreSpace } from "../../src/runtime/store/reserve.ts";
import { findContradictions } from "../../src/runtime/store/sqlite/contradictions.ts";
import { createFactReader } from "../../src/runtime/store/sqlite/fact-reader.ts";
import { openStoreOn } from "../../src/runtime/store/sqlite/sqlite-store.ts";
import type { CommitOutcome, Store } from "../../src/runtime/store/store.ts";
import type { Dice } from "./chance.ts";
import type { StoreFaults } from "./options.ts";
import type { DurableRecord } from "./record.ts";
import type { Story } from "./story.ts";
import type { Process } from "./timeline.ts";
import { demand, type Watch } from "./violation.ts";

export interface StoreHost {
  /** A new foreman's store. */
  open(process: Process, of: { crash(): void; onCommit(): void }): Store;
  /** No commit fits but what the reserve is for. */
  setFull(isFull: boolean): void;
  readonly isFull: boolean;
  /** Commits go well from now on. */
  stopFaults(): void;
  /** @throws Violation when rows contradict each other. */
  examine(): void;
  close(): void;
}

export interface StoreHostParts {
  readonly faults: StoreFaults;
  readonly dice: Dice;
  readonly record: DurableRecord;
  readonly story: Story;
  readonly watch: Watch;
}

export async function createStoreHost(parts: StoreHostParts): Promise<StoreHost> {
  const { faults, dice, record, story, watch } = parts;
  const database = await openSqlDatabase({ path: ":memory:", readOnly: false });
  let isFaulty = true;

  let isFull = false;
  let isReserved = true;
  const space: StoreSpace = {
    folder: "memory",
    freeBytes: () => (isFull ? 0 : 1e9),
    releaseReserve() {
      const wasThere = isReserved;
      isReserved = false;
      return wasThere;
    },
    restoreReserve() {
      if (!isFull) isReserved = true;
      return !isFull;
    },
  };

  /** What becomes of this commit before it is tried. */
  function drawTrouble(): "busy" | "full" | "fatal" | "crash" | null {
    if (isFull && isReserved) return "full";
    if (!isFaulty) return null;
    if (dice.happens(faults.busyChance)) return "busy";
    if (dice.happens(faults.crashBeforeChance)) return "crash";
    return dice.happens(faults.fatalChance) ? "fatal" : null;
  }

  function open(process: Process, { crash, onCommit }: { crash(): void; onCommit(): void }): Store {
    const store = openStoreOn(database, { nowMs: process.clock.nowMs() });
    let isCommitting = false;

    async function commit(changes: readonly Change[]): Promise<CommitOutcome> {
      onCommit();
      watch.judge(() => demand(!isCommitting, "two commits are under way at a time"));
      isCommitting = true;
      if (faults.commitLatencyMs > 0) await pause(process, faults.commitLatencyMs);
      const trouble = drawTrouble();
      if (trouble === "crash") {
        story.tell(() => "store: the foreman dies before a commit");
        crash();
        return NEVER;
      }
      isCommitting = false;
      if (trouble === "fatal") {
        throw new CcError({ code: "storage_failed", message: "The disk is gone.", exitCode: 74 });
      }
      if (trouble !== null) return trouble;
      const outcome = await store.commit(changes);
      if (outcome !== "ok") return outcome;
      story.tell(() => `store: ${describe(changes)}`);
      watch.judge(() => record.apply(changes));
      if (isFaulty && dice.happens(faults.crashAfterChance)) {
        story.tell(() => "store: the foreman dies right after a commit");
        crash();
        return NEVER;
      }
      return "ok";
    }
    return { ...store, space, commit };
  }

  return {
    open,
    get isFull() {
      return isFull;
    },
    setFull(full) {
      isFull = full;
    },
    stopFaults() {
      isFaulty = false;
      isFull = false;
    },
    examine() {
      const problems = findProblems(database);
      demand(problems.length === 0, `the store contradicts itself: ${problems.join("; ")}`);
    },
    close: () => database.close(),
  };
}

function findProblems(database: SqlDatabase): readonly string[] {
  return findContradictions(database, createFactReader(database).jobs());
}

/** Nothing of a dead process goes on. */
const NEVER = new Promise<never>(() => {});

const pause = (process: Process, ms: number): Promise<void> =>
  new Promise((resolve) => void process.after(ms, resolve));

function describe(changes: readonly Change[]): string {
  return changes.map(describeOne).join(", ");
}

function describeOne(change: Change): string {
  switch (change.type) {
    case "assigned": {
      const { assignmentId, jobId, workerId, indexes, count, attempts } = change.assignment;
      return `assigned ${listTasks(jobId, indexes, count)} to ${workerId} as ${assignmentId} (attempt ${attempts})`;
    }
    case "assignmentShrunk":
      return `assignment ${change.assignmentId} is ${change.remaining === null ? "over" : `cut to ${change.remaining.count}`}`;
    case "settled": {
      const { jobId, status, indexes, count, workerId, attempts } = change.settlement;
      return `${status} ${listTasks(jobId, indexes, count)} by ${workerId || "us"} (attempt ${attempts})`;
    }
    case "taskExceptions":
      return `exceptions ${change.written.map(({ index, attempt, failures, crashes, losses, notBeforeMs }) => `${change.jobId}/${index} (a${attempt} f${failures} c${crashes} l${losses}${notBeforeMs === null ? "" : ` until ${notBeforeMs}`})`).join(" ")}`;
    case "attemptsEnded":
      return `ended ${change.rows.map(({ index, attempt, outcome }) => `${change.jobId}/${index} (a${attempt} ${outcome})`).join(" ")}`;
    case "reopened":
      return `reopened ${listTasks(change.jobId, change.indexes, change.count)}`;
    case "restCancelled":
      return `the rest of job ${change.jobId} is cancelled (${change.count})`;
    case "eventRecorded":
      return `event ${change.event.kind}`;
    case "jobCreated":
    case "jobChanged":
      return `${change.type} ${change.facts.jobId} (${change.facts.state})`;
    default:
      return change.type;
  }
}

function listTasks(
  jobId: number,
  indexes: { readonly first: number } | Uint32Array,
  count: number,
): string {
  if (indexes instanceof Uint32Array)
    return [...indexes].map((index) => `${jobId}/${index}`).join(" ");
  return Array.from({ length: count }, (_, row) => `${jobId}/${indexes.first + row}`).join(" ");
}
