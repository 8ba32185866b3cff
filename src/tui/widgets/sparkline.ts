/** Small pictures of one row: a line of levels over time, and a cell whose darkness is a share. */
import type { Style, Theme } from "../theme/theme.ts";
import { largest, levelOf, resample, type Value } from "./series.ts";
import { type Span, span } from "./spans.ts";

const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII = ["_", ".", ":", "-", "=", "+", "*", "#"];

export interface SparklineLook {
  readonly style?: Style;
  /** What the highest level stands for; by default the largest value. */
  readonly scale?: number;
  /** Over the whole width, as the chart that it belongs to; else each value has a cell of its own. */
  readonly stretches?: boolean;
}

/** `width` cells, the newest at the right; a known zero is the lowest level, what is unknown is blank. */
export function sparkline(
  values: readonly Value[],
  width: number,
  theme: Theme,
  { style = "chart", scale, stretches = false }: SparklineLook = {},
): Span {
  const levels = theme.ascii ? ASCII : BLOCKS;
  const most = scale ?? largest(values);
  // Fewer values than cells: they keep a cell each, so that the line grows instead of stretching.
  const shown =
    values.length >= width || stretches
      ? resample(values, width)
      : [...Array.from({ length: Math.max(0, width - values.length) }, () => null), ...values];
  const text = shown
    .map((value) =>
      value === null || !Number.isFinite(value)
        ? " "
        : (levels[levelOf(value, most, levels.length - 1)] ?? " "),
    )
    .join("");
  return span(style, text);
}

const HEAT = ["·", "░", "▒", "▓", "█"];
const HEAT_ASCII = [".", "-", "=", "+", "#"];

/** One cell, the darker the larger the share; `?` when it is not known. */
export function heatCell(share: number | null, theme: Theme, style: Style = "chart"): Span {
  if (share === null || !Number.isFinite(share)) return span("dim", "?");
  const levels = theme.ascii ? HEAT_ASCII : HEAT;
  const level = levelOf(Math.max(0, share), 1, levels.length - 1);
  return span(level === 0 ? "track" : style, levels[level] ?? " ");
}
