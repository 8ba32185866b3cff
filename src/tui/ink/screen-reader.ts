/** The picture as words, for a screen reader: no charts, no lines, no colours, no blank rows. */
import { stripSgr } from "../text/cells.ts";

/** Lines, blocks and braille: what only makes sense to eyes. */
const DRAWING = /[\u2500-\u259f\u2800-\u28ff]+/gu;

export function linearLines(rows: readonly string[]): readonly string[] {
  return rows
    .map((row) => stripSgr(row).replace(DRAWING, " ").replace(/ {3,}/g, "  ").trim())
    .filter((row) => row !== "");
}
