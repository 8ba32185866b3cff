/**
 * The picture as words, for a screen reader: no charts, no lines, no colours, no blank rows, and no clock or
 * meter, which would have all of it read anew each second though nothing has happened.
 */
import { stripSgr } from "../text/cells.ts";

/** Lines, blocks and braille: what only makes sense to eyes. */
const DRAWING = /[\u2500-\u259f\u2800-\u28ff]+/gu;

/** At the end of the first row: how much arrives, and the time. */
const METERS = /(?: {2,}rx \S+)?(?: {2,}\d\d:\d\d(?::\d\d)?)?$/;

export function linearLines(rows: readonly string[]): readonly string[] {
  return rows
    .map((row, at) => (at === 0 ? stripSgr(row).replace(METERS, "") : stripSgr(row)))
    .map((row) => row.replace(DRAWING, " ").replace(/ {3,}/g, "  ").trim())
    .filter((row) => row !== "");
}
