/**
 * A shorter way through Ink's renderer, put in when the program is built. Ink reads every text of the screen
 * character by character and makes an object of each cell with every frame; but our rows come finished
 * (src/tui/ink/row.tsx). With this they are taken as they are, and a frame whose rows are each written once,
 * from the first column on, without clipping, is these rows; any other goes Ink's own way. It is written
 * for one version of three files and refuses others; docs/adr/0005-ink.md has the figures.
 */
import { createHash } from "node:crypto";
import type { BunPlugin } from "bun";

export const INK_VERSION = "8.0.0";

export interface InkChange {
  /** Inside the package `ink`. */
  readonly file: string;
  /** Of the file as published. */
  readonly sha256: string;
  readonly find: string;
  readonly instead: string;
}

const WHOLE_ROWS = `    // Undefined unless every row is written at most once, from the first column on.
    wholeRows() {
        const rows = Array.from({ length: this.height }, () => '');
        let nextRow = 0;
        for (const operation of this.operations) {
            if (operation.type !== 'write' || operation.x !== 0 || operation.y < nextRow) {
                return undefined;
            }
            const lines = operation.text.split('\\n');
            nextRow = operation.y + lines.length;
            if (nextRow > this.height) {
                return undefined;
            }
            for (const [index, line] of lines.entries()) {
                let row = line;
                for (const transform of operation.transformers) {
                    row = transform(row, index);
                }
                rows[operation.y + index] = row.trimEnd();
            }
        }
        return rows;
    }
    get() {
        const rows = this.wholeRows();
        if (rows !== undefined) {
            return { output: rows.join('\\n'), height: rows.length };
        }
`;

/** A row says by this that it is finished: as wide as it is to be, its styles closed, nothing to sanitize. */
const FINISHED_ROW = `    if (node.nodeName === 'ink-text') {
        if (node.style.textWrap === 'row') {
            output.write(x, y, node.childNodes[0]?.nodeValue ?? '', { transformers: [] });
            return;
        }
`;

/**
 * Ink leaves the unchanged beginning of a row on the screen and goes on behind it, at the column that it
 * measures. Terminals disagree with any measure about some characters of the world, and then the rest of the
 * row is drawn beside its place. So only beginnings are left about which nobody disagrees: ASCII and what
 * our charts are made of; other rows are written whole.
 */
const CERTAIN_COLUMN = `        if (!/^[\\x20-\\x7e\\u00b7\\u2026\\u2500-\\u259f\\u2800-\\u28ff]*$/.test(nextText.slice(0, textLength))) {
            return full;
        }
        column = textLength;
`;

export const INK_CHANGES: readonly InkChange[] = [
  {
    file: "build/output.js",
    sha256: "5e6c511c0a573f48cd5765d7f1f16583d2595f7b05775608382bdb990b63f225",
    find: "    get() {\n",
    instead: WHOLE_ROWS,
  },
  {
    file: "build/render-node-to-output.js",
    sha256: "de6aebe3d2224648cf2ec899f8897cb6436f76b49d986644a06e53b234d9cb0c",
    find: "    if (node.nodeName === 'ink-text') {\n        let text",
    instead: `${FINISHED_ROW}        let text`,
  },
  {
    file: "build/line-update.js",
    sha256: "3101b3bbf790a845dc0268343f1d5d033ffa6468f2b8ea8947336c03d50d828f",
    find: "        column = stringWidth(nextText.slice(0, textLength));\n",
    instead: CERTAIN_COLUMN,
  },
];

/** @throws Error when the file is not the one that this was written for. */
export function changeInk(change: InkChange, source: string): string {
  const sha256 = createHash("sha256").update(source).digest("hex");
  if (sha256 !== change.sha256) {
    throw new Error(
      `ink/${change.file} is not that of Ink ${INK_VERSION} (its SHA-256 is ${sha256}). ` +
        "Look at scripts/ink-row-path.ts again before building with another Ink.",
    );
  }
  return source.replace(change.find, () => change.instead);
}

export const INK_ROW_PATH: BunPlugin = {
  name: "row path through Ink",
  setup(build) {
    for (const change of INK_CHANGES) {
      const filter = new RegExp(
        `[\\\\/]ink[\\\\/]${change.file.replace(/[.]/g, "\\.").replace("/", "[\\\\/]")}$`,
      );
      build.onLoad({ filter }, async ({ path }) => ({
        contents: changeInk(change, await Bun.file(path).text()),
        loader: "js",
      }));
    }
  },
};
