/**
 * What observers of one view have in common: whose views are the same one, so that it is built once for
 * all of them, and the difference to what they last got, made once for all who last got the same.
 */
import type { View } from "../../../protocol/messages/client.ts";
import { diffView, type ViewPatch } from "../../../protocol/view-patch.ts";

/** On whom a view may depend besides its own words. */
export interface Observer {
  readonly owner: string;
  /** When it began to look; what has happened before is not told. */
  readonly sinceMs: number;
}

/** Equal for observers who are shown the same. */
export function sharingKey(view: View, { owner, sinceMs }: Observer): string {
  const words = JSON.stringify(view);
  switch (view.kind) {
    case "jobs":
      return view.mine === true ? `${words} ${owner}` : words;
    case "last_job":
      return `${words} ${owner}`;
    case "progress":
      return `${words} ${sinceMs}`;
    default:
      return words;
  }
}

/**
 * Says what changed from a body that was sent to the fresh one; null: nothing. Bodies are compared by
 * identity first: whoever was sent the same object is told the same.
 */
export function createPatchSource(fresh: object): (sent: object) => ViewPatch | null {
  const patches = new Map<object, ViewPatch | null>();
  return (sent) => {
    const known = patches.get(sent);
    if (known !== undefined) return known;
    const patch = diffView(sent, fresh);
    patches.set(sent, patch);
    return patch;
  };
}
