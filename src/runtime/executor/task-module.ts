/**
 * The author's code in this process: loaded once, set up once, each on the first task that needs it.
 * What fails is tried again with the next task, and fails that task alone.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { JobModule } from "../job-module/job-module.ts";
import { loadJobModule } from "../job-module/load-job-module.ts";
import { type ContextShared, createSetupContext } from "../job-module/task-context.ts";
import { CcError } from "../protocol/error.ts";
import type { JobFrame } from "./frames.ts";

export interface TaskModule {
  /** Null until the first load has succeeded. */
  readonly loaded: JobModule | null;
  readonly isReady: boolean;
  /** @throws whatever the author's code throws */
  prepare(job: JobFrame, signal: AbortSignal): Promise<void>;
  /** What tasks of this job share; `prepare` must have succeeded. */
  sharedOf(job: JobFrame): ContextShared;
}

export interface TaskModuleOptions {
  readonly bundlePath: string;
  readonly scratchFolder: string;
  readonly print: (line: string) => void;
}

export function createTaskModule(options: TaskModuleOptions): TaskModule {
  let loaded: JobModule | null = null;
  let isReady = false;
  let setup: unknown;
  const sharedByJob = new WeakMap<JobFrame, ContextShared>();

  function describeShared(job: JobFrame): ContextShared {
    return {
      job: { id: job.jobId, name: job.name, queue: job.queue },
      metadata: job.metadata,
      setup,
      seed: job.seed,
      openFolder: (index, attempt) =>
        makeFolder(join(options.scratchFolder, `task-${job.jobId}-${index}-${attempt}`)),
      log: (line) => options.print(`${line}\n`),
    };
  }

  return {
    get loaded() {
      return loaded;
    },
    get isReady() {
      return isReady;
    },
    async prepare(job, signal) {
      loaded ??= await load(options.bundlePath);
      setup = await loaded.setup?.(createSetupContext(describeShared(job), signal));
      isReady = true;
    },
    sharedOf(job) {
      const known = sharedByJob.get(job);
      if (known !== undefined) return known;
      const shared = describeShared(job);
      sharedByJob.set(job, shared);
      return shared;
    },
  };
}

/** What the author's top level threw says more than that it threw. */
async function load(path: string): Promise<JobModule> {
  try {
    return await loadJobModule(path);
  } catch (error) {
    throw error instanceof CcError && error.cause !== undefined ? error.cause : error;
  }
}

function makeFolder(path: string): string {
  // A task may have removed the folder of its process, with which its neighbours have nothing to do.
  mkdirSync(path, { mode: 0o700, recursive: true });
  return path;
}
