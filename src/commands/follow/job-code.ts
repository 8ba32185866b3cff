/** A submitted job's own code, fetched from the foreman and loaded here, for its `reduce`. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodyOf } from "../../runtime/client/connection.ts";
import type { Link } from "../../runtime/client/link.ts";
import { createReduction, type Reduction } from "../../runtime/client/reduce-results.ts";
import type { JobModule } from "../../runtime/job-module/job-module.ts";
import { loadJobModule } from "../../runtime/job-module/load-job-module.ts";
import { usageError } from "../../runtime/protocol/error.ts";
import type { JobSpec } from "../../runtime/protocol/job-spec.ts";
import type { JobDetailView } from "../../runtime/protocol/views.ts";

export async function lookAtDetails(link: Link, jobId: number): Promise<JobDetailView> {
  const snapshot = await link.run((connection) => connection.look({ kind: "job", job_id: jobId }));
  return bodyOf<JobDetailView>(snapshot);
}

/** @throws CcError with exit 2 when the job has no `reduce`. */
export async function reductionOf(link: Link, jobId: number, spec: JobSpec): Promise<Reduction> {
  const module = await loadJobCode(link, spec);
  const reduction = module === null ? null : createReduction(module);
  if (reduction !== null) return reduction;
  const what =
    spec.work.kind === "command" ? "a command" : `${spec.work.entry_file} without reduce`;
  throw usageError(
    "no_reduce",
    `Job ${jobId} is ${what}, so there is nothing to reduce with.`,
    "Export it from the job file: export const reduce = (total, value) => …",
  );
}

/** null for a command. Runs the file's top-level code in this process, as submitting it does. */
export async function loadJobCode(link: Link, { work }: JobSpec): Promise<JobModule | null> {
  if (work.kind === "command") return null;
  const code = await link.run((connection) => connection.readBundle(work.bundle_sha256));
  const folder = await mkdtemp(join(tmpdir(), "cc-job-"));
  try {
    const path = join(folder, "job.mjs");
    await writeFile(path, code);
    return await loadJobModule(path);
  } finally {
    // The runtime keeps a module in memory once it has loaded it.
    await rm(folder, { recursive: true, force: true });
  }
}
