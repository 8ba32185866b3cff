/** A chart of one row: a level for each value over time. */
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
