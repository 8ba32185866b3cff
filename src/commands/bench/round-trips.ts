/** Figures that need a client inside this process: single round trips and a chain of jobs. */
import { hostname } from "node:os";
import { bundleJob } from "../../runtime/bundle/bundle-job.ts";
import { buildSpec } from "../../runtime/client/build-spec.ts";
import type { Connection } from "../../runtime/client/connection.ts";
import { uploadBundle } from "../../runtime/client/upload-bundle.ts";
import { uuid } from "../../runtime/platform/random.ts";
import { ValueColumnBuilder } from "../../runtime/protocol/columns.ts";
import type { JobSpec } from "../../runtime/protocol/job-spec.ts";
import { encodeValue } from "../../runtime/protocol/value.ts";
import type { Installation } from "./installation.ts";

const WARM_UP = 50;

/** Percentiles in milliseconds over `count` jobs of one task, one after the other. */
export async function measureRoundTrips(
  installation: Installation,
  jobFile: string,
  count: number,
): Promise<Readonly<Record<string, number>>> {
  const connection = await installation.connect();
  const spec = await prepare(installation, connection, jobFile);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + count; i++) {
    const startedMs = performance.now();
    const jobId = await submitOne(connection, spec);
    await awaitResult(connection, jobId);
    if (i >= WARM_UP) times.push(performance.now() - startedMs);
  }
  connection.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(count - 1, Math.floor(count * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Seconds from the first submission to the last result of jobs that wait for each other. */
export async function measureChain(
  installation: Installation,
  jobFile: string,
  length: number,
): Promise<number> {
  const connection = await installation.connect();
  const spec = await prepare(installation, connection, jobFile);
  const startedMs = performance.now();
  let last = 0;
  for (let i = 0; i < length; i++) {
    last = await submitOne(connection, { ...spec, after: last === 0 ? [] : [last] });
  }
  await awaitResult(connection, last);
  connection.close();
  return (performance.now() - startedMs) / 1000;
}

async function prepare(
  installation: Installation,
  connection: Connection,
  jobFile: string,
): Promise<JobSpec> {
  const bundle = await bundleJob(jobFile, { cwd: installation.folder });
  await uploadBundle(connection, bundle);
  return buildSpec({
    options: {},
    work: { kind: "function", bundle_sha256: bundle.sha256, entry_file: bundle.entryFile },
    shape: { product_sources: 0, chunk: 0, none: false },
    defaultName: `bench on ${hostname()}`,
    after: [],
    attached: false,
    env: {},
    cwd: installation.folder,
    words: ["bench"],
  });
}

async function submitOne(connection: Connection, spec: JobSpec): Promise<number> {
  const input = new ValueColumnBuilder();
  encodeValue(1, input);
  const accepted = await connection.request({
    type: "submit_job",
    submission_id: uuid(),
    resumable: false,
    spec,
    count: 1,
    input: input.take(),
    close: true,
  });
  return accepted.job_id;
}

async function awaitResult(connection: Connection, jobId: number): Promise<void> {
  for (let after = 0; ; ) {
    const answer = await connection.request({
      type: "read_results",
      job_id: jobId,
      order: "index",
      after,
      bytes_max: 65_536,
      wait: true,
      skip_holes: false,
    });
    if (answer.end) return;
    after = answer.next_after;
  }
}
