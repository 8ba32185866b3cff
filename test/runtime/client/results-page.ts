/** Pages of results as a foreman sends them, written in short. */
import type { ResultsPage } from "../../../src/runtime/client/read-results.ts";
import { ValueColumnBuilder } from "../../../src/runtime/protocol/columns.ts";
import {
  encodeCommandOutcome,
  type StoredOutput,
} from "../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure, type Failure } from "../../../src/runtime/protocol/failure.ts";
import { encodeValue } from "../../../src/runtime/protocol/value.ts";

export interface CommandEnd {
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  readonly stdout?: string | Uint8Array;
  readonly storedStdout?: StoredOutput;
  readonly stderr?: string | Uint8Array;
}

export type TaskEnd =
  | { readonly value: unknown }
  | { readonly command: CommandEnd }
  | { readonly failure: Failure; readonly command?: CommandEnd; readonly cancelled?: boolean };

export interface PageOptions {
  readonly firstIndex?: number;
  readonly inputs?: readonly unknown[];
  readonly runUs?: number;
  readonly worker?: string;
}

export function pageOf(ends: readonly TaskEnd[], options: PageOptions = {}): ResultsPage {
  const values = new ValueColumnBuilder();
  const status = new Uint32Array(ends.length);
  ends.forEach((end, row) => {
    status[row] = pushEnd(end, values);
  });
  const { firstIndex = 0, inputs, runUs = 1500, worker = "w1" } = options;
  const input = new ValueColumnBuilder();
  for (const each of inputs ?? []) encodeValue(each, input);
  return {
    type: "results",
    request: 1,
    job_id: 17,
    next_after: firstIndex + ends.length,
    end: true,
    finished: true,
    count: ends.length,
    index: Uint32Array.from(ends, (_, row) => firstIndex + row),
    status: new Set(status).size === 1 ? (status[0] ?? 0) : status,
    attempt: 1,
    run_us: runUs,
    worker: 0,
    worker_name: [worker],
    value: values.take(),
    ...(inputs ? { input: input.take() } : {}),
  };
}

function pushEnd(end: TaskEnd, values: ValueColumnBuilder): number {
  if ("value" in end) {
    encodeValue(end.value, values);
    return 0;
  }
  if (!("failure" in end)) {
    values.pushValue(outcomeOf(end.command));
    return 0;
  }
  const outcome = end.command === undefined ? undefined : outcomeOf(end.command);
  values.pushValue(encodeFailure(end.failure, outcome));
  return end.cancelled ? 2 : 1;
}

function outcomeOf(end: CommandEnd) {
  const { exitCode = 0, signal = null, stdout = "", storedStdout, stderr = "" } = end;
  const bytes = (text: string | Uint8Array) =>
    typeof text === "string" ? new TextEncoder().encode(text) : text;
  return encodeCommandOutcome({
    exitCode,
    signal,
    stdout: bytes(stdout),
    storedStdout,
    stderr: bytes(stderr),
    stderrDroppedBytes: 0,
  });
}
