/**
 * Pages whose rows may name a stdout that lies outside: such rows stand alone, so that everything else
 * is printed as before, and theirs is read where it is printed. No row is looked into further than to
 * see that.
 */
import { sliceU32, sliceValues, u32At, valueOffsets } from "../../protocol/columns.ts";
import {
  type CommandOutcome,
  decodeCommandOutcome,
  encodeCommandOutcome,
  type StoredOutput,
} from "../../protocol/command-outcome.ts";
import { decodeFailure, encodeFailure, VALUE_FAILURE } from "../../protocol/failure.ts";
import { storedStdoutOf } from "../../protocol/stored-stdout.ts";
import { VALUE_STORED_COMMAND } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";

export interface PagePart {
  readonly page: ResultsPage;
  /** Of its only row; null: all its rows have theirs with them. */
  readonly stored: StoredOutput | null;
}

/** In order; the page itself where nothing lies outside. */
export function partsOf(page: ResultsPage): readonly PagePart[] {
  const { data, lengths } = page.value;
  const parts: PagePart[] = [];
  let from = 0;
  let at = 0;
  for (let row = 0; row < page.count; row++) {
    const first = at;
    at += u32At(lengths, row);
    // One byte tells of almost every row that it is none of them.
    const kind = data[first];
    if (kind !== VALUE_STORED_COMMAND && kind !== VALUE_FAILURE) continue;
    const stored = storedStdoutOf(data.subarray(first, at));
    if (stored === null) continue;
    if (row > from) parts.push({ page: slicePage(page, from, row), stored: null });
    parts.push({ page: slicePage(page, row, row + 1), stored });
    from = row + 1;
  }
  if (from === 0) return [{ page, stored: null }];
  if (from < page.count) parts.push({ page: slicePage(page, from, page.count), stored: null });
  return parts;
}

/** The part's row with its stdout in place. */
export function withStdout({ page }: PagePart, stdout: Uint8Array): ResultsPage {
  const value = page.value.data;
  const data = value[0] === VALUE_FAILURE ? failureWith(value, stdout) : outcomeWith(value, stdout);
  return { ...page, value: { lengths: data.byteLength, data } };
}

function failureWith(value: Uint8Array, stdout: Uint8Array): Uint8Array {
  const { failure, commandOutcome } = decodeFailure(value);
  return encodeFailure(failure, outcomeWith(commandOutcome ?? new Uint8Array(0), stdout));
}

function outcomeWith(value: Uint8Array, stdout: Uint8Array): Uint8Array {
  const { storedStdout: _, ...outcome } = decodeCommandOutcome(value);
  const inline: CommandOutcome = { ...outcome, stdout };
  return encodeCommandOutcome(inline);
}

function slicePage(page: ResultsPage, from: number, to: number): ResultsPage {
  const { input } = page;
  return {
    ...page,
    count: to - from,
    index: page.index.subarray(from, to),
    status: sliceU32(page.status, from, to),
    attempt: sliceU32(page.attempt, from, to),
    run_us: sliceU32(page.run_us, from, to),
    worker: sliceU32(page.worker, from, to),
    value: sliceValues(page.value, from, to, valueOffsets(page.value, page.count)),
    ...(input === undefined
      ? {}
      : { input: sliceValues(input, from, to, valueOffsets(input, page.count)) }),
  };
}
