/** Trials for the tests of `cc try`; a test spells out only what matters to it. */
import type { Trial } from "../../../src/commands/try/trial.ts";
import { jobModuleOf, type TaskFunction } from "../../../src/runtime/job-module/job-module.ts";
import type { CommandWork } from "../../../src/runtime/protocol/command-template.ts";

export function functionTrial(
  task: TaskFunction,
  overrides: Partial<Trial> & { readonly exports?: Readonly<Record<string, unknown>> } = {},
): Trial {
  const { exports = {}, ...rest } = overrides;
  const module = jobModuleOf({ default: task, ...exports }, "/nowhere/job.mjs");
  return { ...plainTrial, work: { kind: "function", load: async () => module }, ...rest };
}

export function commandTrial(work: Partial<CommandWork>, overrides: Partial<Trial> = {}): Trial {
  const command: CommandWork = {
    kind: "command",
    argv: ["true"],
    shell: false,
    placeholder: null,
    stdin: false,
    scratch: false,
    cwd: "/",
    ...work,
  };
  const shape = { product_sources: 0, chunk: 0, none: false };
  return { ...plainTrial, work: { kind: "command", work: command, shape }, ...overrides };
}

const plainTrial: Omit<Trial, "work"> = {
  taskId: "17/3",
  job: { id: 17, name: "job", queue: "default" },
  index: 3,
  attempt: 2,
  metadata: {},
  seed: 0,
  env: {},
  cpus: 1,
  input: undefined,
};
