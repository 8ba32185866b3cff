/**
 * Where results go and in which form: chosen once from the options, then fed page by page. A write is
 * awaited before the next page is taken: a slow reader slows the reading and nothing piles up.
 */
import { type FileHandle, open } from "node:fs/promises";
import { resolve } from "node:path";
import type { StoredOutput } from "../../protocol/command-outcome.ts";
import { compileText, hasPlaceholder } from "../../protocol/command-template.ts";
import { usageError } from "../../protocol/error.ts";
import type { InputShape } from "../../protocol/job-spec.ts";
import { OUTPUT_TEXT_BYTES_MAX } from "../../protocol/limits.ts";
import { parseTemplate } from "../../protocol/placeholder.ts";
import { decodeValue } from "../../protocol/value.ts";
import { type ReadStored, readWholeOutput } from "../read-output.ts";
import type { ResultsPage } from "../read-results.ts";
import { csvHeader, csvLine, printCsv } from "./csv-format.ts";
import { jsonLine, printJsonLines } from "./jsonl-format.ts";
import {
  type ByteText,
  bytesOf,
  EMPTY_BYTES,
  type Rows,
  rowsOf,
  STATUS_CANCELLED,
} from "./rows.ts";
import { type PagePart, partsOf, withStdout } from "./stored-rows.ts";
import { createTagger, printTagged } from "./tagged-format.ts";
import { cannotWrite, createTaskFiles } from "./task-files.ts";
import { type Printed, printValueRow, printValues } from "./value-format.ts";

export type OutputFormat = "value" | "jsonl" | "csv";

export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface OutputOptions {
  readonly format: OutputFormat;
  /** `-`, a file, or a path with placeholders. */
  readonly output: string;
  readonly tag: boolean;
  /** Another name for `{}`. */
  readonly placeholder: string | null;
  readonly cwd: string;
}

/** What is known of a job before its results are printed. */
export interface JobShape {
  readonly isCommand: boolean;
  readonly input: InputShape;
}

export interface ResultWriter {
  write(page: ResultsPage): Promise<void>;
  close(): Promise<void>;
}

/** @throws CcError with exit 2 for options that exclude each other. */
export function checkOutputOptions(options: OutputOptions): void {
  if (options.tag && options.format !== "value") {
    throw usageError("tag_without_lines", `--tag is for --format value, not ${options.format}.`);
  }
  const parts = parseTemplate(options.output, options.placeholder);
  if (parts.some((part) => part.kind === "placeholder" && part.placeholder.kind === "slot")) {
    throw usageError("slot_in_output", "--output cannot have {%}: results do not tell the slot.");
  }
}

/** Whether results must bring their inputs along. */
export function needsInputs({ output, tag, placeholder }: OutputOptions): boolean {
  return (
    tag ||
    parseTemplate(output, placeholder).some(
      (part) => part.kind === "placeholder" && part.placeholder.kind !== "number",
    )
  );
}

/** Where results and what commands said on stderr go, and where stdouts too large for a result are. */
export interface OutputStreams {
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  readonly readStored: ReadStored;
}

/** @throws CcError with exit 2 when the file cannot be opened. */
export async function openResultWriter(
  options: OutputOptions,
  job: JobShape,
  streams: OutputStreams,
): Promise<ResultWriter> {
  if (isOnlyFields(options)) return fieldWriter(options, job, streams);
  if (hasPlaceholder(options.output, options.placeholder)) return fileWriter(options, job, streams);
  return await streamWriter(options, job, streams);
}

async function streamWriter(
  options: OutputOptions,
  job: JobShape,
  streams: OutputStreams,
): Promise<ResultWriter> {
  const out = await openDestination(options, streams.stdout);
  const print = printerOf(options, job);
  if (options.format === "csv") await out.write(bytesOf(csvHeader(job.isCommand)));

  async function writePage(page: ResultsPage): Promise<void> {
    const { stdout, stderr } = print(page);
    if (stderr.byteLength > 0) await streams.stderr.write(stderr);
    if (stdout.byteLength > 0) await out.write(stdout);
  }

  return {
    async write(page) {
      for (const part of partsOf(page)) {
        if (part.stored === null || options.format !== "value") {
          await writePage(await asRows(part, streams.readStored));
          continue;
        }
        await writeThrough(part, options, { out, readStored: streams.readStored });
        // Of its row only stderr is left.
        await writePage(part.page);
      }
    },
    close: out.close,
  };
}

/** A stdout from where it lies to where it is wanted, as it comes. */
async function writeThrough(
  part: PagePart,
  { tag }: OutputOptions,
  { out, readStored }: { readonly out: ByteSink; readonly readStored: ReadStored },
): Promise<void> {
  const tagger = tag ? createTagger(part.page) : null;
  for await (const piece of piecesOf(part, readStored)) {
    await out.write(tagger === null ? piece : tagger.push(piece));
  }
  const end = tagger?.end() ?? EMPTY_BYTES;
  if (end.byteLength > 0) await out.write(end);
}

const piecesOf = ({ page, stored }: PagePart, readStored: ReadStored): AsyncIterable<Uint8Array> =>
  readStored(page.index[0] as number, stored as StoredOutput);

/** Where a row is one text, a stdout up to OUTPUT_TEXT_BYTES_MAX is in it; a larger one is only named. */
async function asRows(part: PagePart, readStored: ReadStored): Promise<ResultsPage> {
  const { page, stored } = part;
  if (stored === null || stored.byteCount > OUTPUT_TEXT_BYTES_MAX) return page;
  const index = page.index[0] as number;
  return withStdout(part, await readWholeOutput(readStored, page.job_id, index, stored));
}

interface Destination extends ByteSink {
  close(): Promise<void>;
}

/** One file or stdout, for results or a reduced value. */
export async function openDestination(
  { output, cwd }: Pick<OutputOptions, "output" | "cwd">,
  stdout: ByteSink,
): Promise<Destination> {
  if (output === "-") return { write: (bytes) => stdout.write(bytes), close: async () => {} };
  const path = resolve(cwd, output);
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (cause) {
    throw cannotWrite(output, cause);
  }
  return {
    async write(bytes) {
      try {
        // A file handle's own write may be short; this one is not.
        await file.writeFile(bytes);
      } catch (cause) {
        throw cannotWrite(output, cause);
      }
    },
    close: () => file.close(),
  };
}

function printerOf({ format, tag }: OutputOptions, job: JobShape): (page: ResultsPage) => Printed {
  switch (format) {
    case "value":
      return tag ? printTagged : printValues;
    case "jsonl":
      return printJsonLines;
    case "csv":
      return (page) => printCsv(page, job.isCommand);
  }
}

function fileWriter(options: OutputOptions, job: JobShape, streams: OutputStreams): ResultWriter {
  const files = createTaskFiles({
    template: options.output,
    placeholder: options.placeholder,
    shape: job.input,
    cwd: options.cwd,
    contentOf: (rows, row) => contentOf(options.format, job, rows, row),
  });
  return {
    async write(page) {
      for (const part of partsOf(page)) {
        const isPieces = part.stored !== null && options.format === "value";
        if (isPieces) await files.writePieces(part.page, piecesOf(part, streams.readStored));
        else await files.write(await asRows(part, streams.readStored));
      }
      // Beside the files, what commands said on stderr is still said.
      const { stderr } = options.format === "value" ? printValues(page) : NO_STDERR;
      if (stderr.byteLength > 0) await streams.stderr.write(stderr);
    },
    close: async () => {},
  };
}

/** `{name}` is a placeholder where inputs have such a field, else text: only an input can tell. */
function isOnlyFields({ output, placeholder }: OutputOptions): boolean {
  const parts = parseTemplate(output, placeholder).filter((part) => part.kind === "placeholder");
  return parts.length > 0 && parts.every((part) => part.placeholder.kind === "field");
}

function fieldWriter(options: OutputOptions, job: JobShape, streams: OutputStreams): ResultWriter {
  const fill = compileText(options.output, options.placeholder, job.input);
  let writer: ResultWriter | null = null;
  return {
    async write(page) {
      if (writer === null) {
        const input = rowsOf(page).inputOf(0);
        const value = input === null ? undefined : decodeValue(input);
        const isText = fill({ value, index: 0, slot: 1 }) === options.output;
        writer = isText
          ? await streamWriter(options, job, streams)
          : fileWriter(options, job, streams);
      }
      await writer.write(page);
    },
    close: async () => await writer?.close(),
  };
}

const NO_STDERR = { stderr: new Uint8Array(0) };

function contentOf(format: OutputFormat, job: JobShape, rows: Rows, row: number): ByteText {
  switch (format) {
    case "value":
      return printValueRow(rows.valueOf(row)).stdout;
    case "jsonl":
      return rows.statusOf(row) === STATUS_CANCELLED ? "" : jsonLine(rows, row);
    case "csv":
      return csvHeader(job.isCommand) + csvLine(rows, row, job.isCommand);
  }
}
