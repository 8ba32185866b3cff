/**
 * Counts what a decoded message is made of before a schema looks at it: checking a list costs time and
 * memory for each of its elements, and a schema reports every wrong one. Columns count as one part
 * each: their own checks stop at the first wrong element.
 */

import { MESSAGE_PARTS_MAX } from "./limits.ts";

/** Lists of this name are columns wherever they stand. */
const NESTED_COLUMN = "index";

/** @param listed The fields that are neither columns nor taken as they are. */
export function hasTooManyParts(message: object, listed: readonly string[]): boolean {
  const waiting: object[] = [];
  for (const name of listed) {
    const field = (message as Readonly<Record<string, unknown>>)[name];
    if (typeof field === "object" && field !== null) waiting.push(field);
  }
  let partCount = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next instanceof Uint8Array) continue;
    if (Array.isArray(next)) {
      partCount += next.length;
      if (partCount > MESSAGE_PARTS_MAX) return true;
      for (const part of next) if (typeof part === "object" && part !== null) waiting.push(part);
      continue;
    }
    for (const key in next) {
      if (++partCount > MESSAGE_PARTS_MAX) return true;
      const part = (next as Readonly<Record<string, unknown>>)[key];
      if (typeof part !== "object" || part === null || key === NESTED_COLUMN) continue;
      waiting.push(part);
    }
  }
  return false;
}
