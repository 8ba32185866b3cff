/**
 * Characters that a terminal draws itself, because fonts leave gaps between them: blocks, shades, braille and
 * the lines of frames, as paths within a cell. What is not here is text.
 */

export interface CellBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface CellShape {
  /** Path data. */
  readonly path: string;
  readonly opacity: number;
}

const SHADES: Readonly<Record<string, number>> = { "░": 0.25, "▒": 0.5, "▓": 0.75 };
const BRAILLE_FIRST = 0x2800;
const BRAILLE_LAST = 0x28ff;
/** Column and row of each of the eight dots, by bit. */
const DOTS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
];
/** Which arms a line character has: up, right, down, left. */
const ARMS: Readonly<Record<string, string>> = {
  "─": "rl",
  "│": "ud",
  "┌": "rd",
  "┐": "dl",
  "└": "ur",
  "┘": "ul",
  "├": "urd",
  "┤": "udl",
  "┬": "rdl",
  "┴": "url",
  "┼": "urdl",
};
const LINE_WIDTH = 1.2;

/** null: the character is text. */
export function shapeOf(character: string, box: CellBox): CellShape | null {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x2581 && code <= 0x2588) return solid(lowerEighths(box, code - 0x2580));
  if (code >= 0x2589 && code <= 0x258f) return solid(leftEighths(box, 0x2590 - code));
  if (code >= BRAILLE_FIRST && code <= BRAILLE_LAST) {
    return solid(brailleDots(box, code - BRAILLE_FIRST));
  }
  const shade = SHADES[character];
  if (shade !== undefined) return { path: lowerEighths(box, 8), opacity: shade };
  const arms = ARMS[character];
  return arms === undefined ? null : solid(lines(box, arms));
}

const solid = (path: string): CellShape => ({ path, opacity: 1 });

const lowerEighths = ({ x, y, width, height }: CellBox, eighths: number): string =>
  rectangle(x, y + height - (height * eighths) / 8, width, (height * eighths) / 8);

const leftEighths = ({ x, y, width, height }: CellBox, eighths: number): string =>
  rectangle(x, y, (width * eighths) / 8, height);

function brailleDots({ x, y, width, height }: CellBox, bits: number): string {
  const side = width * 0.3;
  return DOTS.filter((_, bit) => (bits & (1 << bit)) !== 0)
    .map(([column, row]) =>
      rectangle(
        x + ((column * 2 + 1) * width) / 4 - side / 2,
        y + ((row * 2 + 1) * height) / 8 - side / 2,
        side,
        side,
      ),
    )
    .join("");
}

function lines({ x, y, width, height }: CellBox, arms: string): string {
  const middleX = x + width / 2 - LINE_WIDTH / 2;
  const middleY = y + height / 2 - LINE_WIDTH / 2;
  const arm: Readonly<Record<string, string>> = {
    u: rectangle(middleX, y, LINE_WIDTH, height / 2 + LINE_WIDTH / 2),
    d: rectangle(middleX, middleY, LINE_WIDTH, y + height - middleY),
    l: rectangle(x, middleY, width / 2 + LINE_WIDTH / 2, LINE_WIDTH),
    r: rectangle(middleX, middleY, x + width - middleX, LINE_WIDTH),
  };
  return [...arms].map((name) => arm[name] ?? "").join("");
}

const rectangle = (x: number, y: number, width: number, height: number): string =>
  `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h-${short(width)}z`;

/** Two decimals are a hundredth of a pixel. */
export const short = (value: number): string => String(Math.round(value * 100) / 100);
