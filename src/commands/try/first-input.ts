/** The first input of a job file as a trial, with the options that `cc submit` would give the job. */
import type { JobBundle } from "../../runtime/bundle/bundle-job.ts";
import { buildSpec, defaultNameOf } from "../../runtime/client/build-spec.ts";
import { chooseInputs } from "../../runtime/client/inputs/choose-inputs.ts";
import { encodeInputs } from "../../runtime/client/inputs/encode-inputs.ts";
import type { JobModule } from "../../runtime/job-module/job-module.ts";
import { systemClock } from "../../runtime/platform/clock.ts";
import type { LoadedConfig } from "../../runtime/platform/config.ts";
import { valueAt } from "../../runtime/protocol/columns.ts";
import { usageError } from "../../runtime/protocol/error.ts";
import { decodeValue } from "../../runtime/protocol/value.ts";
import { settleJobOptions } from "../job-options.ts";
import type { Trial } from "./trial.ts";

export interface FirstInputRequest {
  readonly bundle: JobBundle;
  /** The words after `--`, for the file's `inputs`. */
  readonly args: readonly string[];
  readonly config: LoadedConfig | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly words: readonly string[];
  stdin(): AsyncIterable<Uint8Array>;
}

/** @throws CcError with exit 2 for wrong options, and whatever `inputs` is refused for. */
export async function readFirstInput(request: FirstInputRequest): Promise<Trial> {
  const { bundle, config, env, cwd, words } = request;
  const options = settleJobOptions({
    values: {},
    config,
    jobFile: {
      name: bundle.module.places["options"] ?? bundle.entryFile,
      options: bundle.options,
    },
  });
  const work = {
    kind: "function",
    bundle_sha256: bundle.sha256,
    entry_file: bundle.entryFile,
  } as const;
  const chunk = options.chunk ?? 0;
  const { input, isNone } = await firstOf(request, chunk);
  const spec = buildSpec({
    options,
    work,
    shape: { product_sources: 0, chunk, none: isNone },
    defaultName: defaultNameOf(work),
    after: [],
    attached: false,
    env,
    cwd,
    words,
  });
  return {
    taskId: null,
    job: { id: 0, name: spec.name, queue: spec.queue },
    index: 0,
    attempt: 1,
    metadata: spec.metadata,
    seed: spec.seed,
    env: Object.fromEntries(Object.entries(spec.env).map(([name, { value }]) => [name, value])),
    cpus: spec.cpus,
    input,
    work: { kind: "function", load: async (): Promise<JobModule> => bundle.module },
  };
}

/** Through the codec and back, so that the function sees what it would see on a worker. */
async function firstOf(
  { bundle, args, cwd, stdin }: FirstInputRequest,
  chunk: number,
): Promise<{ readonly input: unknown; readonly isNone: boolean }> {
  const source = chooseInputs({
    options: {},
    products: [],
    job: { module: bundle.module, args },
    cwd,
    stdin,
  });
  const head = chunk === 0 ? 1 : chunk;
  for await (const { values } of encodeInputs(source, { chunk, head, clock: systemClock })) {
    return { input: decodeValue(valueAt(values, 0)), isNone: source.isNone };
  }
  throw usageError("inputs_empty", `${source.label} has no inputs, expected at least one.`);
}
