/** Titles on a line: `─ [1] JOBS 4/37 ── sort RATE v ── filter "x" ───────── 1-4/4 ─`. */
import type { Style, Theme } from "../theme/theme.ts";
import { paintRow, plain, type Span, span, spansWidth } from "./spans.ts";

export interface RuleTitle {
  /** The key that goes there; null: a pane without a cursor. */
  readonly number: number | null;
  readonly title: string;
  /** It has the cursor. */
  readonly isActive: boolean;
  /** After the title, the most important first; those that do not fit are left out. */
  readonly notes: readonly (readonly Span[])[];
  /** At the right end. */
  readonly end: string;
}

/** Exactly `width` cells. */
export function ruleTitle(rule: RuleTitle, width: number, theme: Theme): string {
  const style: Style = rule.isActive ? "accent" : "strong";
  const spans: Span[] = [span("track", "─"), span("accent", rule.isActive ? ">" : " ")];
  if (rule.number !== null) spans.push(span("key", `[${rule.number}]`), plain(" "));
  spans.push(span(style, rule.title), plain(" "));
  const end = rule.end === "" ? [] : [span("dim", ` ${rule.end} `), span("track", "─")];
  let left = width - spansWidth(spans) - spansWidth(end);
  for (const note of rule.notes) {
    const cells = spansWidth(note) + 3;
    if (note.length === 0 || cells > left) continue;
    spans.push(span("track", "─ "), ...note, plain(" "));
    left -= cells;
  }
  return paintRow(theme, width, [...spans, span("track", "─".repeat(Math.max(0, left))), ...end]);
}
