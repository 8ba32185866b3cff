/**
 * A page of results, looked at row by row without an object a row. Values are read as Latin-1 text: one
 * character a byte, so that lines are put together as strings and become the same bytes again.
 */
import { u32At, type ValueColumn, valueOffsets } from "../../protocol/columns.ts";
import type { CommandOutcome } from "../../protocol/command-outcome.ts";
import { decodeCommandOutcome } from "../../protocol/command-outcome.ts";
import { type Failure, readFailure, VALUE_FAILURE } from "../../protocol/failure.ts";
import { VALUE_COMMAND, VALUE_STORED_COMMAND } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";

export const STATUS_COMPLETED = 0;
export const STATUS_FAILED = 1;
export const STATUS_CANCELLED = 2;
export const STATUS_NAMES = ["completed", "failed", "cancelled"] as const;

export interface Rows {
  readonly page: ResultsPage;
  readonly count: number;
  /** Where each value begins; one more than there are rows. */
  readonly offsets: Uint32Array;
  /** All values, one after the other. */
  byteText(): ByteText;
  /** Of the task's result or failure, kind byte included. */
  valueOf(row: number): Uint8Array;
  /** The task's input; null unless the page has inputs. */
  inputOf(row: number): Uint8Array | null;
  statusOf(row: number): number;
  indexOf(row: number): number;
  /** Empty when it never ran. */
  workerOf(row: number): string;
}

export function rowsOf(page: ResultsPage): Rows {
  const offsets = valueOffsets(page.value, page.count);
  const inputOffsets = page.input ? valueOffsets(page.input, page.count) : null;
  let text: ByteText | null = null;
  return {
    page,
    count: page.count,
    offsets,
    byteText() {
      text ??= byteTextOf(page.value.data);
      return text;
    },
    valueOf: (row) => slice(page.value, offsets, row),
    inputOf: (row) => (page.input && inputOffsets ? slice(page.input, inputOffsets, row) : null),
    statusOf: (row) => u32At(page.status, row),
    indexOf: (row) => page.index[row] as number,
    workerOf: (row) => page.worker_name[u32At(page.worker, row)] ?? "",
  };
}

function slice(column: ValueColumn, offsets: Uint32Array, row: number): Uint8Array {
  return column.data.subarray(offsets[row] as number, offsets[row + 1] as number);
}

/** What a row holds beyond a function's value. */
export interface RowEnd {
  /** null: it completed. */
  readonly failure: Failure | null;
  /** null: no command, or one that never started. */
  readonly outcome: CommandOutcome | null;
}

const PLAIN_END: RowEnd = { failure: null, outcome: null };

export function endOf(value: Uint8Array): RowEnd {
  switch (value[0]) {
    case VALUE_COMMAND:
    case VALUE_STORED_COMMAND:
      return { failure: null, outcome: decodeCommandOutcome(value) };
    case VALUE_FAILURE: {
      const { failure, commandOutcome } = readFailure(value);
      const outcome = commandOutcome === null ? null : decodeCommandOutcome(commandOutcome);
      return { failure, outcome };
    }
    default:
      return PLAIN_END;
  }
}

/** Text whose characters are bytes. */
export type ByteText = string;

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

export function byteTextOf(bytes: Uint8Array): ByteText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The UTF-8 bytes of a text as byte text. */
export function utf8ByteText(text: string): ByteText {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

export function bytesOf(text: ByteText): Uint8Array {
  return text === "" ? EMPTY_BYTES : Buffer.from(text, "latin1");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\u0000-\u007f]*$/;
const isAscii = (text: string): boolean => ASCII.test(text);
