/**
 * Enforces a memory reservation: samples a tree's resident memory and tells once when it is beyond
 * the limit. Costs nothing where no limit is set, since nobody calls it then.
 */
import { type ProcessTree, treeResidentBytes } from "./process-tree.ts";

/** Often enough that a task cannot take many gigabytes in between, seldom enough to cost < 1 %. */
export const MEMORY_SAMPLE_INTERVAL_MS = 250;

/** The answer ends the watch; `onExceeded` is called at most once. */
export function watchTreeMemory(
  tree: ProcessTree,
  bytesMax: number,
  onExceeded: () => void,
): () => void {
  const timer = setInterval(() => {
    if (treeResidentBytes(tree) <= bytesMax) return;
    clearInterval(timer);
    onExceeded();
  }, MEMORY_SAMPLE_INTERVAL_MS);
  return () => clearInterval(timer);
}
