/**
 * One row of the screen as Ink's own element: its size is given, so nothing is measured, and it says that it
 * is finished, so that the built program takes it as it is (scripts/ink-row-path.ts). Without that change
 * Ink draws the same, more slowly.
 */
import { createElement, type ReactElement } from "react";

export interface RowLook {
  /** Never a new object for the same size: Ink compares. */
  readonly style: {
    readonly width: number;
    readonly height: 1;
    readonly flexShrink: 0;
    readonly textWrap: "row";
  };
}

export const rowLook = (columns: number): RowLook => ({
  style: { width: columns, height: 1, flexShrink: 0, textWrap: "row" },
});

/** `text` is exactly as wide as `look` says, holds no control bytes but SGR, and ends with a reset. */
export const row = (text: string, look: RowLook, key: number): ReactElement =>
  createElement("ink-text", { key, style: look.style }, text);
