/**
 * Whether a submission sent again is the same one: equal in all that was decided, wherever it was
 * typed. What `cc set` and `cc retry` may have changed meanwhile is left out once anything has.
 */
import type { JobPatch, JobSpec } from "../../../protocol/job-spec.ts";
import type { JobFacts } from "../facts.ts";

const PATCHABLE: ReadonlySet<string> = new Set<keyof JobPatch>([
  "name",
  "note",
  "priority",
  "max_running",
  "timeout_seconds",
  "retries",
  "backoff_seconds",
  "max_fails",
  "max_crashes",
  "work",
]);

export function isSameSubmission(facts: JobFacts, spec: JobSpec): boolean {
  const isChanged = facts.specVersion > 1;
  const isCompared = (key: string): boolean =>
    key !== "submitted_from" && !(isChanged && PATCHABLE.has(key));
  return comparable(facts.spec, isCompared) === comparable(spec, isCompared);
}

function comparable(spec: JobSpec, isCompared: (key: string) => boolean): string {
  const entries = Object.entries(spec).filter(([key]) => isCompared(key));
  return canonical(Object.fromEntries(entries));
}

/** The same text for the same content, whatever the order of keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${entries.join()}}`;
}
