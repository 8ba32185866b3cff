/** A bar of a share of something, in eighths of a cell; `#` and `.` where only ASCII is drawn. */
import type { Style, Theme } from "../theme/theme.ts";
import { type Span, span } from "./spans.ts";

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Exactly `width` cells. It is full only when all is done and empty only when nothing is. */
export function bar(share: number, width: number, style: Style, theme: Theme): readonly Span[] {
  if (width <= 0) return [];
  const known = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  if (theme.ascii) return drawn("#".repeat(steps(known, width)), ".", width, style);
  const eighths = steps(known, width * 8);
  const part = EIGHTHS[eighths % 8] ?? "";
  return drawn("█".repeat(Math.floor(eighths / 8)) + part, "░", width, style);
}

function steps(share: number, all: number): number {
  const rounded = Math.round(share * all);
  if (share > 0 && rounded === 0) return 1;
  return share < 1 && rounded === all ? all - 1 : rounded;
}

function drawn(filled: string, track: string, width: number, style: Style): readonly Span[] {
  return [span(style, filled), span("track", track.repeat(width - filled.length))];
}
