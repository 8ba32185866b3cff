/** Applies a patch to a job's specification; the same object when nothing changes. */
import type { JobPatch, JobSpec } from "../../../protocol/job-spec.ts";

export function changedSpec(spec: JobSpec, patch: JobPatch): JobSpec {
  const { paused: _paused, keep: _keep, ...options } = patch;
  const changed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (JSON.stringify(value) !== JSON.stringify(spec[key as keyof JobSpec])) changed[key] = value;
  }
  // Every key of a patch but `paused` and `keep` is a key of the specification with the same type.
  return Object.keys(changed).length === 0 ? spec : ({ ...spec, ...changed } as JobSpec);
}
