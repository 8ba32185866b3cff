/**
 * A filled chart over time, the newest at the right edge: in braille (two columns and four dots a cell), in
 * eighth blocks, or in ASCII. `chart` is the bare area; `scaledChart` has its scale at the left.
 */
import { fitCells } from "../text/cells.ts";
import { shortRate } from "../text/fixed.ts";
import type { Graph, Style, Theme } from "../theme/theme.ts";
import { largest, levelOf, resample, roundedScale, type Value } from "./series.ts";
import { plain, type Span, span } from "./spans.ts";

export interface ChartShape {
  readonly width: number;
  readonly height: number;
  /** What the top of the chart stands for; by default a round number above the largest. */
  readonly scale?: number;
  readonly style?: Style;
  /** At the left of the lowest row instead of 0, such as how far back the chart reaches. */
  readonly corner?: string;
}

/** `height` rows of `width` cells. */
export function chart(
  values: readonly Value[],
  shape: ChartShape,
  theme: Theme,
): readonly Span[][] {
  const { width, height, style = "chart" } = shape;
  const scale = shape.scale ?? roundedScale(largest(values));
  const draw = DRAWINGS[theme.graph];
  const columns = resample(values, width * draw.columns);
  const levels = columns.map((value) =>
    value === null ? -1 : levelOf(value, scale, height * draw.levels),
  );
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * draw.levels;
    let text = "";
    for (let cell = 0; cell < width; cell++)
      text += draw.cell(levels, cell * draw.columns, below, row === height - 1);
    return [span(style, text)];
  });
}

export const SCALE_CELLS = 5;

/** With the scale in the first `SCALE_CELLS` cells: the top, the bottom, and the middle where there is room. */
export function scaledChart(
  values: readonly Value[],
  shape: ChartShape,
  theme: Theme,
  label: (value: number) => string = shortRate,
): readonly Span[][] {
  const scale = shape.scale ?? roundedScale(largest(values));
  const inner = { ...shape, width: Math.max(0, shape.width - SCALE_CELLS), scale };
  return chart(values, inner, theme).map((row, at) => [
    span("dim", scaleText(at, { ...shape, scale }, label)),
    ...row,
  ]);
}

function scaleText(
  row: number,
  { height, scale, corner }: ChartShape & { readonly scale: number },
  label: (value: number) => string,
): string {
  // Half of the scale is the upper edge of a row only where there is an even number of them.
  const middle = height >= 4 && height % 2 === 0 ? height / 2 : -1;
  const value = row === 0 ? scale : row === height - 1 ? 0 : row === middle ? scale / 2 : null;
  const isCorner = corner !== undefined && row === height - 1 && row > 0;
  const text = isCorner ? corner : value === null ? "" : withoutZeros(label(value));
  return `${fitCells(text.length < SCALE_CELLS ? text : "", SCALE_CELLS - 1, "right")} `;
}

/** `1.50k` is `1.5k` on a scale. */
const withoutZeros = (text: string): string =>
  text.includes(".") ? text.replace(/\.?0+(?=\D*$)/, "") : text;

interface Drawing {
  readonly columns: number;
  readonly levels: number;
  /** One cell; `below` levels lie under it, `bottom` is the lowest row, where a known zero is drawn. */
  cell(levels: readonly number[], at: number, below: number, bottom: boolean): string;
}

const BRAILLE_LEFT = [0, 0x40, 0x44, 0x46, 0x47];
const BRAILLE_RIGHT = [0, 0x80, 0xa0, 0xb0, 0xb8];
const BLOCKS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII = [" ", ".", ":", "#"];

const reach = (level: number, below: number, most: number) =>
  Math.min(most, Math.max(0, level - below));

const DRAWINGS: Readonly<Record<Graph, Drawing>> = {
  braille: {
    columns: 2,
    levels: 4,
    cell(levels, at, below, bottom) {
      const dots =
        (BRAILLE_LEFT[brailleReach(levels[at] ?? -1, below, bottom)] ?? 0) |
        (BRAILLE_RIGHT[brailleReach(levels[at + 1] ?? -1, below, bottom)] ?? 0);
      return dots === 0 ? " " : String.fromCharCode(0x2800 + dots);
    },
  },
  block: {
    columns: 1,
    levels: 8,
    cell: (levels, at, below, bottom) =>
      BLOCKS[floored(levels[at] ?? -1, reach(levels[at] ?? -1, below, 8), bottom)] ?? " ",
  },
  ascii: {
    columns: 1,
    levels: 3,
    cell: (levels, at, below, bottom) =>
      bottom && levels[at] === 0 ? "_" : (ASCII[reach(levels[at] ?? -1, below, 3)] ?? " "),
  },
};

const brailleReach = (level: number, below: number, bottom: boolean) =>
  floored(level, reach(level, below, 4), bottom);

/** A known zero is a line at the bottom; what is unknown is blank. */
const floored = (level: number, reached: number, bottom: boolean) =>
  bottom && level === 0 ? 1 : reached;

/** `-2m … now` under a chart of that many seconds that ends `backSeconds` ago. */
export function timeAxis(
  width: number,
  labels: readonly [string, string, string],
): readonly Span[] {
  const [from, middle, to] = labels;
  if (width < from.length + to.length + 1) return [plain(" ".repeat(Math.max(0, width)))];
  const half = Math.floor(width / 2);
  const room = width - from.length - to.length;
  const before = half - from.length - Math.floor(middle.length / 2);
  const after = room - before - middle.length;
  const inside =
    before < 1 || after < 1 ? " ".repeat(room) : " ".repeat(before) + middle + " ".repeat(after);
  return [span("dim", from + inside + to)];
}
