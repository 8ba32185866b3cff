/** A recorded task as a trial: its input, its options and its code, from the foreman or its store. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bodyOf, type Connection } from "../../runtime/client/connection.ts";
import type { JobModule } from "../../runtime/job-module/job-module.ts";
import { loadJobModule } from "../../runtime/job-module/load-job-module.ts";
import { valueAt } from "../../runtime/protocol/columns.ts";
import { CcError } from "../../runtime/protocol/error.ts";
import { formatTaskId, type JobId } from "../../runtime/protocol/ids.ts";
import type { JobSpec } from "../../runtime/protocol/job-spec.ts";
import { decodeValue } from "../../runtime/protocol/value.ts";
import type { JobDetailView, TaskDetailView } from "../../runtime/protocol/views.ts";
import type { Trial, TrialWork } from "./trial.ts";

export interface RecordedRequest {
  readonly jobId: JobId;
  readonly index: number;
  /** The caller's environment, for variables whose values are secret. */
  readonly callerEnv: Readonly<Record<string, string | undefined>>;
  /** Where the code may be written. */
  readonly folder: string;
  /** Code to run instead; null: the job's own. */
  readonly corrected: JobModule | null;
}

export interface RecordedTask {
  readonly trial: Trial;
  /** Secrets that this environment does not have. */
  readonly missingVariables: readonly string[];
}

/** @throws CcError `no_such_job`, `no_such_task`, `bundle_missing`. */
export async function readRecordedTask(
  connection: Connection,
  request: RecordedRequest,
): Promise<RecordedTask> {
  const { jobId, index } = request;
  const task = await connection.look({ kind: "task", job_id: jobId, index });
  const { spec } = bodyOf<JobDetailView>(await connection.look({ kind: "job", job_id: jobId }));
  const env = openSecrets(spec.env, request.callerEnv);
  const input = task.value === undefined ? undefined : decodeValue(valueAt(task.value, 0));
  return {
    missingVariables: env.missing,
    trial: {
      taskId: formatTaskId(jobId, index),
      job: { id: jobId, name: spec.name, queue: spec.queue },
      index,
      attempt: Math.max(1, bodyOf<TaskDetailView>(task).attempts),
      metadata: spec.metadata,
      seed: spec.seed,
      env: env.values,
      cpus: spec.cpus,
      input,
      work: await readWork(connection, spec, request),
    },
  };
}

async function readWork(
  connection: Connection,
  spec: JobSpec,
  { corrected, folder }: RecordedRequest,
): Promise<TrialWork> {
  if (corrected !== null) return { kind: "function", load: async () => corrected };
  if (spec.work.kind === "command") {
    return { kind: "command", work: spec.work, shape: spec.input };
  }
  const path = join(folder, "job.mjs");
  writeFileSync(path, await connection.readBundle(spec.work.bundle_sha256));
  return { kind: "function", load: () => loadAsWorkersDo(path) };
}

/** What the author's top level threw says more than that it threw. */
async function loadAsWorkersDo(path: string): Promise<JobModule> {
  try {
    return await loadJobModule(path);
  } catch (thrown) {
    throw thrown instanceof CcError && thrown.cause !== undefined ? thrown.cause : thrown;
  }
}

/** Secret values never leave the foreman except to workers; the caller may have them anyway. */
function openSecrets(
  env: JobSpec["env"],
  callerEnv: Readonly<Record<string, string | undefined>>,
): { readonly values: Record<string, string>; readonly missing: readonly string[] } {
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, { value, secret }] of Object.entries(env)) {
    const found = secret ? callerEnv[name] : value;
    if (found === undefined) missing.push(name);
    else values[name] = found;
  }
  return { values, missing };
}
