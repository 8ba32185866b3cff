/**
 * A terminal's screen as an SVG image: what the emulator's cells say, on a grid, with the colours of one
 * palette. Text stays text (it can be selected and found), characters of charts are shapes.
 */
import type { Cell } from "../../test/support/terminal/emulator.ts";
import { type CellBox, shapeOf, short } from "./shapes.ts";

const CELL_WIDTH = 8;
const CELL_HEIGHT = 17;
const FONT_SIZE = 13.3;
/** From the top of a cell to the line that letters stand on. */
const BASELINE = 13;
const MARGIN = 12;
const BACKGROUND = "#12151a";
const FOREGROUND = "#d5d9df";
const DIM_OPACITY = 0.55;

/** The first sixteen colours; the rest of the 256 follow from arithmetic. */
const PALETTE = [
  "#20242b",
  "#f0625f",
  "#5fc27e",
  "#e0b04c",
  "#6aa5f2",
  "#c183e0",
  "#4fc3cf",
  "#c9ced6",
  "#6b7380",
  "#ff8a87",
  "#86dda1",
  "#f4cd7a",
  "#93c0ff",
  "#d9a9f2",
  "#80dfe8",
  "#ffffff",
] as const;

interface Look {
  readonly ink: string;
  readonly paper: string | null;
  readonly bold: boolean;
  readonly underline: boolean;
  readonly opacity: number;
}

/** @param title for whoever cannot see the image. */
export function renderScreenSvg(rows: readonly (readonly Cell[])[], title: string): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const width = columns * CELL_WIDTH + 2 * MARGIN;
  const height = rows.length * CELL_HEIGHT + 2 * MARGIN;
  const body = rows.map((row, index) => renderRow(row, MARGIN + index * CELL_HEIGHT));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}" fill="${FOREGROUND}">`,
    ...body.filter((line) => line !== ""),
    "</g>",
    "</svg>",
  ].join("\n")}\n`;
}

function renderRow(row: readonly Cell[], y: number): string {
  const parts: string[] = [];
  for (const run of runsOf(row)) {
    const look = lookOf(run.cells[0]);
    const x = MARGIN + run.from * CELL_WIDTH;
    const width = run.cells.length * CELL_WIDTH;
    if (look.paper !== null) {
      parts.push(`<path fill="${look.paper}" d="M${x} ${y}h${width}v${CELL_HEIGHT}h-${width}z"/>`);
    }
    parts.push(...renderText(run, look, y), ...renderShapes(run, look, y));
  }
  return parts.join("");
}

interface Run {
  readonly from: number;
  readonly cells: readonly Cell[];
}

/** Neighbours that look the same. */
function runsOf(row: readonly Cell[]): readonly Run[] {
  const runs: { from: number; cells: Cell[]; style: string }[] = [];
  row.forEach((cell, column) => {
    const style = JSON.stringify({ ...cell, text: "" });
    const last = runs.at(-1);
    if (last?.style === style) last.cells.push(cell);
    else runs.push({ from: column, cells: [cell], style });
  });
  return runs;
}

/** Words of a run; several blanks begin a new one, so that no font's width moves what follows. */
function renderText({ from, cells }: Run, look: Look, y: number): readonly string[] {
  const texts = cells.map(({ text }) => (shapeOf(text, UNIT) === null ? text : " "));
  const parts: string[] = [];
  let at = 0;
  while (at < texts.length) {
    const begin = firstIndex(texts, at, (text) => text !== " ");
    if (begin === texts.length) break;
    const end = endOfWords(texts, begin);
    const x = MARGIN + (from + begin) * CELL_WIDTH;
    const fixed = ` textLength="${(end - begin) * CELL_WIDTH}" lengthAdjust="spacingAndGlyphs"`;
    const words = escapeText(texts.slice(begin, end).join(""));
    parts.push(`<text x="${x}" y="${y + BASELINE}"${fixed}${attributes(look)}>${words}</text>`);
    at = end;
  }
  return parts;
}

const UNIT: CellBox = { x: 0, y: 0, width: 1, height: 1 };

function firstIndex(
  texts: readonly string[],
  from: number,
  isWanted: (text: string) => boolean,
): number {
  const found = texts.findIndex((text, index) => index >= from && isWanted(text));
  return found < 0 ? texts.length : found;
}

/** Up to two blanks in a row, or the end. */
function endOfWords(texts: readonly string[], begin: number): number {
  let end = begin;
  for (let at = begin; at < texts.length; at++) {
    if (texts[at] !== " ") end = at + 1;
    else if (texts[at + 1] === " " || at + 1 === texts.length) break;
  }
  return end;
}

function renderShapes({ from, cells }: Run, look: Look, y: number): readonly string[] {
  const paths = new Map<number, string>();
  cells.forEach(({ text }, index) => {
    const x = MARGIN + (from + index) * CELL_WIDTH;
    const shape = shapeOf(text, { x, y, width: CELL_WIDTH, height: CELL_HEIGHT });
    if (shape === null || shape.path === "") return;
    paths.set(shape.opacity, (paths.get(shape.opacity) ?? "") + shape.path);
  });
  return [...paths].map(([opacity, path]) => {
    const faded = { ...look, opacity: look.opacity * opacity };
    return `<path${attributes({ ...faded, bold: false, underline: false })} d="${path}"/>`;
  });
}

function attributes({ ink, bold, underline, opacity }: Look): string {
  return [
    ink === FOREGROUND ? "" : ` fill="${ink}"`,
    bold ? ` font-weight="bold"` : "",
    underline ? ` text-decoration="underline"` : "",
    opacity === 1 ? "" : ` opacity="${short(opacity)}"`,
  ].join("");
}

function lookOf(cell: Cell | undefined): Look {
  const ink = colourOf(cell?.foreground, FOREGROUND);
  const paper = colourOf(cell?.background, BACKGROUND);
  const isInverse = cell?.inverse === true;
  const isPlain = !isInverse && paper === BACKGROUND;
  return {
    ink: isInverse ? paper : ink,
    paper: isPlain ? null : isInverse ? ink : paper,
    bold: cell?.bold === true,
    underline: cell?.underline === true,
    opacity: cell?.dim === true ? DIM_OPACITY : 1,
  };
}

function colourOf(name: string | undefined, byDefault: string): string {
  if (name === undefined || name === "default") return byDefault;
  if (name.startsWith("#")) return name;
  const index = Number(name);
  return PALETTE[index] ?? (index < 232 ? cubeColour(index - 16) : greyColour(index - 232));
}

const CUBE_STEPS = [0, 95, 135, 175, 215, 255] as const;

const cubeColour = (index: number): string =>
  rgb([Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6].map((at) => CUBE_STEPS[at]));

const greyColour = (step: number): string => rgb([8 + step * 10, 8 + step * 10, 8 + step * 10]);

const rgb = (parts: readonly (number | undefined)[]): string =>
  `#${parts.map((part = 0) => part.toString(16).padStart(2, "0")).join("")}`;

const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
