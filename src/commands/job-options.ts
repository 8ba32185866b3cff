/**
 * Settles a job's options: flag, then the job file's `options`, then `./crowdcompute.json`, then the user's
 * configuration. The environment never sets them. What nobody gave stays undefined; the defaults of a
 * job belong to whoever builds its specification.
 */
import type { LoadedConfig } from "../runtime/platform/config.ts";
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { usageError } from "../runtime/protocol/error.ts";
import { convertJson } from "./convert-value.ts";
import type { ValuesOf, VerbTable } from "./option-table.ts";
import { JOB_OPTIONS } from "./tables/shared.ts";

export type JobOptionValues = Partial<ValuesOf<VerbTable<typeof JOB_OPTIONS>>>;

export interface JobOptionSources {
  /** `context.values` of a verb that has job options. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly config: LoadedConfig | null;
  /** The `options` that a job file exports, and its name for messages. */
  readonly jobFile: { readonly name: string; readonly options: unknown } | null;
}

/** Throws a usage error that names the file and the option. */
export function settleJobOptions(sources: JobOptionSources): JobOptionValues {
  const fromFile = readFileOptions(sources.jobFile);
  const settled: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(JOB_OPTIONS)) {
    const configured = sources.config?.entries.job.get(key);
    if (sources.values[key] !== undefined) settled[key] = sources.values[key];
    else if (fromFile.has(key)) settled[key] = fromFile.get(key);
    else if (configured) settled[key] = convertJson(spec, configured.value, configured.origin);
  }
  // Each key was converted by its own spec, which is what `ValuesOf` describes.
  return settled as JobOptionValues;
}

function readFileOptions(jobFile: JobOptionSources["jobFile"]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  if (jobFile === null || jobFile.options === undefined || jobFile.options === null) return found;
  if (typeof jobFile.options !== "object" || Array.isArray(jobFile.options)) {
    throw usageError("bad_options", `${jobFile.name}: options must be an object.`);
  }
  for (const [key, value] of Object.entries(jobFile.options)) {
    if (value === undefined) continue;
    if (!isJobOption(key)) throw unknownFileOption(key, jobFile.name);
    found.set(key, convertJson(JOB_OPTIONS[key], value, `${jobFile.name}: options.${key}`));
  }
  return found;
}

function isJobOption(key: string): key is keyof typeof JOB_OPTIONS {
  return Object.hasOwn(JOB_OPTIONS, key);
}

function unknownFileOption(key: string, file: string): Error {
  const near = nearestName(key, Object.keys(JOB_OPTIONS));
  const hint =
    near === null
      ? `A job's options are ${Object.keys(JOB_OPTIONS).join(", ")}.`
      : `Did you mean options.${near}?`;
  return usageError("unknown_option", `${file}: options.${key} is no option of a job.`, hint);
}
