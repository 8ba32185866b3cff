/** A job's specification and a worker's offer with nothing special in them; a test says what matters. */
import type { JobSpec, WorkerOffer, WorkSpec } from "../../src/runtime/protocol/job-spec.ts";

export const aSpec = (fields: Partial<JobSpec> = {}): JobSpec => ({
  name: "a job",
  note: null,
  queue: "default",
  role: null,
  metadata: {},
  priority: 0,
  work: functionWork("0".repeat(64)),
  input: { product_sources: 0, chunk: 0, none: false },
  retries: 0,
  backoff_seconds: 1,
  timeout_seconds: null,
  max_crashes: 3,
  max_fails: { kind: "none" },
  max_running: null,
  delay_seconds: 0,
  after: [],
  time_request_seconds: null,
  cpus: 1,
  memory_bytes: null,
  resources: {},
  worker_labels: {},
  env: {},
  seed: 0,
  attached: false,
  submitted_from: { host: "h", user: "u", folder: "/", command_line: "cc submit" },
  ...fields,
});

export const functionWork = (bundleSha256: string): WorkSpec => ({
  kind: "function",
  bundle_sha256: bundleSha256,
  entry_file: "job.ts",
});

type CommandWork = Extract<WorkSpec, { kind: "command" }>;

export const commandWork = (
  argv: string[],
  fields: Partial<Omit<CommandWork, "kind" | "argv">> = {},
): CommandWork => ({
  kind: "command",
  argv,
  shell: false,
  placeholder: null,
  stdin: false,
  scratch: false,
  cwd: "/",
  ...fields,
});

export const anOffer = (fields: Partial<WorkerOffer> = {}): WorkerOffer => ({
  slots: 2,
  queues: ["*"],
  roles: [],
  labels: {},
  resources: {},
  memory_bytes: 8e9,
  time_left_ms: null,
  sandbox: "process",
  host: "h",
  platform: "linux",
  version: "0.0.0",
  pid: 1,
  ...fields,
});
