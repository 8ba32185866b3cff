/**
 * Which failures count as the same: equal code, place and message, where digits, paths and
 * hexadecimal numbers do not matter. Used by the foreman's views and by whoever follows a job.
 */
import type { Failure } from "./failure.ts";

const MESSAGE_KEY_CHARACTERS_MAX = 200;

export function groupKey(failure: Failure): string {
  return `${failure.code}\n${placeOf(failure) ?? ""}\n${normalised(failure.message)}`;
}

/** The first frame of the author's own code, such as `job.ts:12:5`. */
export function placeOf(failure: Failure): string | null {
  const match = /(?:\(|at |async )((?:[^\s()]+\/)?[^\s()/]+:\d+:\d+)\)?/.exec(failure.stack ?? "");
  return match?.[1] ?? null;
}

function normalised(message: string): string {
  return message
    .slice(0, MESSAGE_KEY_CHARACTERS_MAX)
    .replace(/(?:\.{0,2}\/)[\w.@+~-]+(?:\/[\w.@+~-]*)*/g, "<path>")
    .replace(/\b(?:0x)?[0-9a-f]{8,}\b/gi, "<hex>")
    .replace(/\d+/g, "<n>");
}
