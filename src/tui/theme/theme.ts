/**
 * What colours mean. A style is a name for a meaning; a theme says how it looks. Panes know styles only, so
 * that a meaning looks the same everywhere and never hangs on colour alone.
 */

export const STYLES = [
  "plain",
  "dim",
  "strong",
  "title",
  "running",
  "completed",
  "failed",
  "queued",
  "delayed",
  "paused",
  "cancelled",
  "lost",
  "warning",
  "good",
  "accent",
  "key",
  "selection",
  "chart",
  "chart2",
  "track",
] as const;
export type Style = (typeof STYLES)[number];

export const THEME_NAMES = ["ansi16", "cb", "mono"] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

export const GRAPHS = ["braille", "block", "ascii"] as const;
export type Graph = (typeof GRAPHS)[number];

export interface Theme {
  readonly name: ThemeName;
  /** Only bytes 0x20 to 0x7e are drawn. */
  readonly ascii: boolean;
  readonly graph: Graph;
  /** Wraps `text` in this style's SGR sequences; each ends with a reset, and styles do not nest. */
  paint(style: Style, text: string): string;
}
