/**
 * A whole message of each type, to be mutated. The hot ones are written out, so that they reach what
 * lies behind the schema; the others are made from their schemas, so that no new type is forgotten.
 */
import type { WorkerOffer } from "../../../src/runtime/protocol/job-spec.ts";
import { messageSchemas } from "../../../src/runtime/protocol/messages.ts";
import { anOffer, aSpec, commandWork } from "../specs.ts";

/** As plain data: what a decoder gives, or JSON. */
export type Plain = Record<string, unknown>;

/** Job, assignment and index that exist in the world under fire, so that mutants come close. */
export interface Target {
  readonly jobId: number;
  readonly assignment: number;
  readonly workerId: string;
  readonly bootId: string;
}

const NOWHERE: Target = { jobId: 1, assignment: 2 ** 32 + 1, workerId: "w", bootId: "boot-0001" };

export function sampleMessages(target: Target = NOWHERE): readonly Plain[] {
  const written = writtenSamples(target);
  const types = new Set(written.map(({ type }) => type));
  const made = [...messageSchemas]
    .filter(([type]) => !types.has(type))
    .map(([, schema]) => valueFor(schema) as Plain);
  return [...written, ...made];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const u32s = (...numbers: number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);

function writtenSamples({ jobId, assignment, workerId, bootId }: Target): Plain[] {
  const input = { lengths: u32s(2, 3), data: text("\x017\x0188") };
  const held = { assignment, index: u32s(0, 1) };
  const read = { request: 9, job_id: jobId, order: "index", after: 0, bytes_max: 65536 };
  return [
    { type: "hello", version: 1, role: "client", key_id: "k", nonce: new Uint8Array(32) },
    { type: "authenticate", mac: new Uint8Array(32) },
    {
      type: "worker_ready",
      worker_id: workerId,
      boot_id: bootId,
      connection_seq: 2,
      offer: sampleOffer(),
      inventory: [held],
      acknowledged_seq: 0,
    },
    { type: "announce", offer: sampleOffer(), accepting: true, reason: null },
    {
      type: "heartbeat",
      connection_seq: 1,
      beat: 3,
      running: [held],
      cpu: 5,
      memory: 6,
      free_slots: 1,
    },
    { type: "task_started", seq: 1, ...held, running_us: 70_000 },
    {
      type: "task_result",
      seq: 2,
      assignment,
      job_id: jobId,
      status: "completed",
      first_index: 0,
      count: 2,
      attempt: 1,
      run_us: u32s(5, 6),
      ended_ago_us: 0,
      value: input,
    },
    {
      type: "task_log",
      log_seq: 1,
      assignment,
      job_id: jobId,
      part_count: 2,
      index: u32s(0, 1),
      attempt: 1,
      first_byte: 0,
      pieces: u32s(1, 2),
      count: 3,
      stream: u32s(0, 1, 2),
      ago_ms: 5,
      length: u32s(4, 4, 6),
      data: text("one\ntwo\nthree\n"),
    },
    {
      type: "read_logs",
      request: 10,
      job_id: jobId,
      index: 0,
      direction: "backward",
      cursor: 70_000,
      bytes_max: 65_536,
      wait: false,
    },
    { type: "tasks_returned", seq: 3, ...held, reason: "drain" },
    { type: "tasks_gone", seq: 4, ...held },
    { type: "blob_offer", request: 1, sha256: "0".repeat(64), kind: "bundle", byte_count: 9 },
    { type: "blob_need", request: 2, sha256: "0".repeat(64) },
    { type: "blob_chunk", request: 1, sha256: "0".repeat(64), number: 0, data: text("chunk") },
    { type: "blob_done", request: 1, sha256: "0".repeat(64) },
    {
      type: "submit_job",
      request: 3,
      submission_id: "fuzz",
      resumable: false,
      spec: aSpec({ work: commandWork(["true"]), queue: "nobody.serves.this" }),
      count: 2,
      input,
      close: false,
    },
    { type: "submit_tasks", request: 4, job_id: jobId, first_index: 2, count: 2, input },
    { type: "read_results", ...read, wait: false, skip_holes: true },
    { type: "subscribe", request: 5, view: { kind: "jobs", limit: 5 }, follow: false },
    { type: "subscribe", request: 6, view: { kind: "job", job_id: jobId }, follow: true },
    {
      type: "subscribe",
      request: 7,
      view: { kind: "tasks", job_id: jobId, from_index: 0, limit: 5, inputs: true },
      follow: false,
    },
    { type: "subscribe", request: 8, view: { kind: "why", job_id: jobId }, follow: false },
  ];
}

/** No honest job asks for this worker. */
export const sampleOffer = (): WorkerOffer =>
  anOffer({ slots: 1, labels: { is: "hostile" }, host: "elsewhere" });

interface SchemaLike {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, unknown>>;
    readonly values?: readonly unknown[];
    readonly entries?: Readonly<Record<string, unknown>>;
    readonly innerType?: unknown;
    readonly element?: unknown;
    readonly options?: readonly unknown[];
  };
}

/** What the schema takes, as far as its type tells; checks beyond that may refuse it. */
function valueFor(schema: unknown): unknown {
  const { def } = schema as SchemaLike;
  switch (def.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(def.shape ?? {}).map(([name, field]) => [name, valueFor(field)]),
      );
    case "literal":
      return def.values?.[0];
    case "enum":
      return Object.values(def.entries ?? {})[0];
    case "string":
      return "text";
    case "boolean":
      return true;
    case "optional":
    case "nullable":
      return valueFor(def.innerType);
    case "array":
      return [valueFor(def.element)];
    case "union":
      return valueFor(def.options?.[0]);
    case "record":
      return { key: "value" };
    default:
      return 1;
  }
}
