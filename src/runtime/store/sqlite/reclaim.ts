/**
 * Deletes what nobody can read any more, one short transaction a call: rows of removed jobs, bundles
 * that no job names, events beyond their bound; then it gives free pages back to the file system.
 * It writes nothing when there is nothing to do, and goes on after a restart where it stood.
 *
 *   removed job   in `removed_job` until its last row is gone
 *   bundle        without a row in `blob` its chunks are nobody's; a start sweeps what a crash left
 */
import { type SqlDatabase, sqliteFaultOf } from "../../platform/sqlite-driver.ts";
import type { ReclaimLimits, ReclaimOutcome } from "../store.ts";
import type { BlobPromises } from "./promised-blobs.ts";
import { createBundleReclaimer } from "./reclaim-bundles.ts";
import { createEventPruner, type EventPruner } from "./reclaim-events.ts";
import { createJobReclaimer } from "./reclaim-jobs.ts";
import type { SliceBudget } from "./slice-budget.ts";
import { storageError, type Transact } from "./transact.ts";

export interface Reclaimer {
  reclaim(limits: ReclaimLimits): ReclaimOutcome;
  /** A job that named this bundle is removed. */
  onBundleReleased(sha256: string): void;
  readonly events: Pick<EventPruner, "onWritten" | "onRolledBack">;
}

/** So much free space stays in the file: the next job takes it, and giving it back costs writes. */
const FREE_PAGES_KEPT = 1024;
/** While others commit, only a file that is mostly empty is made smaller. */
const FREE_SHARE_MAX_WHILE_BUSY = 0.5;

export function createReclaimer(
  database: SqlDatabase,
  parts: { readonly transact: Transact; readonly promises: BlobPromises },
): Reclaimer {
  const { transact } = parts;
  const jobs = createJobReclaimer(database);
  const bundles = createBundleReclaimer(database, parts.promises);
  const events = createEventPruner(database);
  const canShrink = Number(database.pragma("auto_vacuum")) === 2;
  let hasWritten = false;

  /** Whether there was something, or how it could not be done. */
  function deleteSlice(limits: ReclaimLimits): boolean | "later" {
    const hasWork = jobs.hasWork() || bundles.hasWork(limits) || events.hasWork(limits);
    if (!hasWork) return false;
    const outcome = transact("delete what is forgotten", () => {
      const budget: SliceBudget = { rows: limits.rowsMax, bytes: limits.bytesMax };
      jobs.deleteSlice(budget);
      bundles.deleteSlice(budget, limits);
      events.deleteSlice(budget, limits);
    });
    if (outcome === "ok") return true;
    bundles.onRolledBack();
    events.onRolledBack();
    return "later";
  }

  function shrinkSlice({ pagesMax, quiet }: ReclaimLimits): boolean | "later" {
    if (!canShrink) return false;
    const free = Number(database.pragma("freelist_count"));
    const total = Number(database.pragma("page_count"));
    if (free <= FREE_PAGES_KEPT) return false;
    if (!quiet && free <= total * FREE_SHARE_MAX_WHILE_BUSY) return false;
    const count = Math.min(pagesMax, free - FREE_PAGES_KEPT);
    const outcome = transact("give free space back", () =>
      database.exec(`pragma incremental_vacuum(${count})`),
    );
    return outcome === "ok" ? true : "later";
  }

  /** The file itself becomes smaller with a checkpoint; the next commits would bring it anyway. */
  function checkpoint(): void {
    try {
      database.pragma("wal_checkpoint(truncate)");
    } catch (thrown) {
      const fault = sqliteFaultOf(thrown);
      if (fault === "busy" || fault === "full") return;
      throw storageError(database.path, "shrink the database", thrown);
    }
  }

  return {
    events,
    onBundleReleased: bundles.onReleased,
    reclaim(limits) {
      for (const work of [deleteSlice, shrinkSlice]) {
        const done = work(limits);
        if (done === "later") return "later";
        if (!done) continue;
        hasWritten = true;
        return "more";
      }
      if (hasWritten && limits.quiet) {
        hasWritten = false;
        checkpoint();
      }
      return "done";
    },
  };
}
