/**
 * `--format jsonl`: one object a task, with everything that is known of its end. Values that are JSON
 * already are spliced in as they are.
 */
import { isUtf8 } from "node:buffer";
import { u32At } from "../../protocol/columns.ts";
import type { CommandOutcome, StoredOutput } from "../../protocol/command-outcome.ts";
import type { Failure } from "../../protocol/failure.ts";
import { VALUE_JSON, VALUE_TAGGED_JSON, valueAsJson } from "../../protocol/value.ts";
import type { ResultsPage } from "../read-results.ts";
import {
  type ByteText,
  bytesOf,
  EMPTY_BYTES,
  endOf,
  type Rows,
  rowsOf,
  STATUS_NAMES,
  utf8ByteText,
} from "./rows.ts";
import type { Printed } from "./value-format.ts";

export function printJsonLines(page: ResultsPage): Printed {
  const rows = rowsOf(page);
  const workers = page.worker_name.map(workerJson);
  let text = "";
  for (let row = 0; row < rows.count; row++) {
    text += line(rows, row, workers[u32At(page.worker, row)] ?? "null");
  }
  return { stdout: bytesOf(text), stderr: EMPTY_BYTES };
}

/** The line of one row, its newline included. */
export function jsonLine(rows: Rows, row: number): ByteText {
  return line(rows, row, workerJson(rows.workerOf(row)));
}

const workerJson = (name: string): ByteText =>
  name === "" ? "null" : utf8ByteText(JSON.stringify(name));

function line(rows: Rows, row: number, worker: ByteText): ByteText {
  const { page, offsets } = rows;
  const all = rows.byteText();
  const from = offsets[row] as number;
  const kind = all.charCodeAt(from);
  const status = STATUS_NAMES[rows.statusOf(row)] ?? "cancelled";
  const head = `{"index":${page.index[row]},"status":"${status}",`;
  const tail = `"attempts":${u32At(page.attempt, row)},"run_seconds":${u32At(page.run_us, row) / 1e6},"worker":${worker}`;
  if (kind === VALUE_JSON || kind === VALUE_TAGGED_JSON) {
    return `${head}"value":${all.slice(from + 1, offsets[row + 1])},${tail}}\n`;
  }
  const value = rows.valueOf(row);
  const { failure, outcome } = endOf(value);
  const command = outcome === null ? "" : `,${commandFields(outcome)}`;
  return `${head}${valueField(value, failure, outcome)},${tail}${command}}\n`;
}

function valueField(
  value: Uint8Array,
  failure: Failure | null,
  outcome: CommandOutcome | null,
): ByteText {
  if (failure !== null) return `"error":${errorJson(failure)}`;
  if (outcome === null) return `"value":${utf8ByteText(valueAsJson(value))}`;
  if (outcome.storedStdout !== undefined) return `"value":null`;
  return `"value":${bytesJson(outcome.stdout)}`;
}

function errorJson({ code, message, stack, console }: Failure): ByteText {
  return utf8ByteText(JSON.stringify({ code, message, stack, console }));
}

/** A text where it is one, else the tag for bytes. */
function bytesJson(bytes: Uint8Array): ByteText {
  return isUtf8(bytes) ? textJson(bytes) : `{"$bytes":"${bytes.toBase64()}"}`;
}

function textJson(bytes: Uint8Array): ByteText {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return utf8ByteText(JSON.stringify(text));
}

function commandFields(outcome: CommandOutcome): ByteText {
  const { exitCode, signal, stdout, stderr, storedStdout } = outcome;
  const fields = [`"exit_code":${exitCode}`, `"signal":${JSON.stringify(signal)}`];
  if (storedStdout === undefined) fields.push(streamField("stdout", stdout));
  else fields.push(storedFields(storedStdout));
  fields.push(streamField("stderr", stderr));
  if (outcome.stderrDroppedBytes > 0) {
    fields.push(`"stderr_dropped_bytes":${outcome.stderrDroppedBytes}`);
  }
  return fields.join(",");
}

/** In place of a stdout that is too large for a row. */
const storedFields = ({ byteCount, sha256 }: StoredOutput): ByteText =>
  `"stdout_bytes":${byteCount},"stdout_sha256":"${sha256}"`;

function streamField(name: string, bytes: Uint8Array): ByteText {
  return isUtf8(bytes) ? `"${name}":${textJson(bytes)}` : `"${name}_base64":"${bytes.toBase64()}"`;
}
