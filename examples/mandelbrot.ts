/**
 * Draws the Mandelbrot set: each task computes one tile, `reduce` puts the tiles into one PNG.
 *
 *   cc submit -o mandelbrot.png examples/mandelbrot.ts
 *   cc submit -o large.png examples/mandelbrot.ts -- 3000 2000
 *
 * writes an image of 900 x 600 pixels, or of the size given. Without -o the bytes of the PNG go to
 * stdout.
 */
import { crc32, deflateSync } from "node:zlib";
import type { JobOptions } from "crowdcompute";

export const options = { name: "mandelbrot", queue: "math.fractals" } satisfies JobOptions;

interface Image {
  readonly width: number;
  readonly height: number;
}

interface Tile extends Image {
  readonly left: number;
  readonly top: number;
  readonly image: Image;
}

interface DrawnTile extends Tile {
  /** One byte a pixel, row by row: 0 in the set, lighter the sooner a point escapes. */
  readonly pixels: Uint8Array;
}

const TILE_SIZE = 100;
const STEPS_MAX = 1000;

export function* inputs([width = "900", height = "600"]: string[]): Generator<Tile> {
  const image = { width: parseSize(width), height: parseSize(height) };
  for (let top = 0; top < image.height; top += TILE_SIZE) {
    for (let left = 0; left < image.width; left += TILE_SIZE) {
      yield {
        left,
        top,
        width: Math.min(TILE_SIZE, image.width - left),
        height: Math.min(TILE_SIZE, image.height - top),
        image,
      };
    }
  }
}

function parseSize(text: string): number {
  const size = Number(text);
  if (Number.isInteger(size) && size >= 1 && size <= 20_000) return size;
  throw new Error(`the size is "${text}", expected a whole number from 1 to 20000`);
}

export default function drawTile(tile: Tile): DrawnTile {
  const { left, top, width, height, image } = tile;
  const pixels = new Uint8Array(width * height);
  const scale = Math.max(3 / image.width, 2 / image.height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const real = (left + column - image.width / 2) * scale - 0.5;
      const imaginary = (top + row - image.height / 2) * scale;
      pixels[row * width + column] = shadeOf(real, imaginary);
    }
  }
  return { ...tile, pixels };
}

function shadeOf(real: number, imaginary: number): number {
  let x = 0;
  let y = 0;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const nextX = x * x - y * y + real;
    y = 2 * x * y + imaginary;
    x = nextX;
    if (x * x + y * y > 4) return 255 - Math.min(254, Math.floor(32 * Math.log2(step + 1)));
  }
  return 0;
}

/** Rows as PNG wants them: a byte that says "no filter", then the pixels. */
type Canvas = Uint8Array;

/** `null` before the first tile, the finished file after the last one; tiles come in input order. */
export const initial = null;
export function reduce(canvas: Canvas | null, tile: DrawnTile): Canvas {
  const { left, top, width, height, image, pixels } = tile;
  const rows = canvas ?? new Uint8Array((image.width + 1) * image.height);
  for (let row = 0; row < height; row += 1) {
    const start = (top + row) * (image.width + 1) + 1 + left;
    rows.set(pixels.subarray(row * width, (row + 1) * width), start);
  }
  const isLast = left + width === image.width && top + height === image.height;
  return isLast ? encodePng(rows, image) : rows;
}

/** An 8-bit grey PNG: signature, header, one compressed stream of rows, end. */
function encodePng(rows: Canvas, { width, height }: Image): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    encodeChunk("IHDR", header),
    encodeChunk("IDAT", deflateSync(rows)),
    encodeChunk("IEND", new Uint8Array()),
  ]);
}

function encodeChunk(type: string, body: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(body.byteLength + 12);
  chunk.writeUInt32BE(body.byteLength, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(body, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + body.byteLength)), 8 + body.byteLength);
  return chunk;
}
