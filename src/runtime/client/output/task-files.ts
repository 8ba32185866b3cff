/**
 * `--output` with a placeholder: one file a task, in folders made as needed. Two tasks that would write
 * the same file are refused: one result would be gone.
 */
import { mkdir, open, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { compileText } from "../../protocol/command-template.ts";
import { CcError, usageError } from "../../protocol/error.ts";
import { formatTaskId } from "../../protocol/ids.ts";
import type { InputShape } from "../../protocol/job-spec.ts";
import { decodeValue } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";
import { type ByteText, bytesOf, type Rows, rowsOf } from "./rows.ts";

export interface TaskFilesOptions {
  /** The path with its placeholders. */
  readonly template: string;
  readonly placeholder: string | null;
  readonly shape: InputShape;
  readonly cwd: string;
  /** What stands in the file of a row; empty: it gets none. */
  contentOf(rows: Rows, row: number): ByteText;
}

export interface TaskFiles {
  write(page: ResultsPage): Promise<void>;
  /** The file of the page's only row has this content. */
  writePieces(page: ResultsPage, pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

export function createTaskFiles(options: TaskFilesOptions): TaskFiles {
  const fill = compileText(options.template, options.placeholder, options.shape);
  /** Which task wrote a file: memory grows with the number of files, as the folder does. */
  const writers = new Map<string, number>();
  const folders = new Set<string>();

  function pathOf(rows: Rows, row: number): string {
    const input = rows.inputOf(row);
    const index = rows.indexOf(row);
    const value = input === null ? undefined : decodeValue(input);
    // The slot is unknown here; options.ts refuses `{%}` in --output.
    const path = resolve(options.cwd, fill({ value, index, slot: 1 }));
    const writer = writers.get(path);
    if (writer !== undefined && writer !== index) {
      throw sameFile(path, formatTaskId(rows.page.job_id, writer), index);
    }
    writers.set(path, index);
    return path;
  }

  async function writeRow(rows: Rows, row: number): Promise<void> {
    const content = options.contentOf(rows, row);
    if (content !== "")
      await writeTo(pathOf(rows, row), (path) => writeFile(path, bytesOf(content)));
  }

  async function writeTo(path: string, write: (path: string) => Promise<void>): Promise<void> {
    const folder = dirname(path);
    try {
      if (!folders.has(folder)) await mkdir(folder, { recursive: true });
      folders.add(folder);
      await write(path);
    } catch (cause) {
      // What the foreman refuses is no fault of the file's.
      throw cause instanceof CcError ? cause : cannotWrite(path, cause);
    }
  }

  return {
    async write(page) {
      const rows = rowsOf(page);
      for (let row = 0; row < rows.count; row++) await writeRow(rows, row);
    },
    writePieces: (page, pieces) =>
      writeTo(pathOf(rowsOf(page), 0), async (path) => {
        await using file = await open(path, "w");
        for await (const piece of pieces) await file.writeFile(piece);
      }),
  };
}

export function cannotWrite(path: string, cause: unknown): Error {
  const error = usageError(
    "output_not_written",
    `--output: ${path} cannot be written (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`,
    "The results are kept: print them with cc results JOB.",
  );
  error.cause = cause;
  return error;
}

function sameFile(path: string, first: string, second: number): Error {
  return usageError(
    "output_conflict",
    `--output: the results of ${first} and of task ${second} would both be ${path}.`,
    "Give each task a file of its own, for example with {#} in the name.",
  );
}
