/** Job modules and shared facts for tests, with only what a test is about. */
import type { JobModule } from "../../../src/runtime/job-module/job-module.ts";
import type { ContextShared } from "../../../src/runtime/job-module/task-context.ts";

export function createModule(exports: Partial<JobModule> = {}): JobModule {
  return {
    path: "/cache/bundle.mjs",
    task: () => undefined,
    setup: undefined,
    inputs: undefined,
    hasInputs: "inputs" in exports,
    reduce: undefined,
    initial: undefined,
    hasInitial: "initial" in exports,
    classifyError: undefined,
    options: {},
    places: {},
    ...exports,
  };
}

export function createShared(facts: Partial<ContextShared> = {}): ContextShared {
  return {
    job: { id: 17, name: "primes", queue: "math.primes" },
    metadata: {},
    setup: undefined,
    seed: 0,
    openFolder: () => {
      throw new Error("no folder was expected");
    },
    log: () => {
      throw new Error("no line was expected");
    },
    ...facts,
  };
}
