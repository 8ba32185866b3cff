/**
 * What a loaded job file is: its exports, checked once so that nobody checks them again. A job module
 * is the author's code; nothing here may run any of it.
 */
import type { SetupContext, TaskContext } from "./task-context.ts";

export type TaskFunction = (input: unknown, context: TaskContext) => unknown;
export type SetupFunction = (context: SetupContext) => unknown;
export type ReduceFunction = (total: unknown, value: unknown, index: number) => unknown;
export type ClassifyFunction = (error: unknown) => unknown;

export interface JobModule {
  /** Where the bundle lies; stack traces are cleaned against its folder. */
  readonly path: string;
  /** The default export: one task. */
  readonly task: TaskFunction;
  /** Once per warm process. */
  readonly setup: SetupFunction | undefined;
  /** As exported: an iterable, a function, …; see `readInputBatches`. */
  readonly inputs: unknown;
  readonly hasInputs: boolean;
  readonly reduce: ReduceFunction | undefined;
  readonly initial: unknown;
  readonly hasInitial: boolean;
  readonly classifyError: ClassifyFunction | undefined;
  /** `export const options` as it is: names and values are checked where flags are. */
  readonly options: unknown;
  /** `job.ts:7:1` of an export, where it is known: only in the process that bundled the file. */
  readonly places: Readonly<Record<string, string>>;
}

/** A JavaScript module namespace, as `import()` gives it. */
export type ModuleNamespace = Readonly<Record<string, unknown>>;

export function jobModuleOf(
  namespace: ModuleNamespace,
  path: string,
  places: Readonly<Record<string, string>> = {},
): JobModule {
  // The casts are proven by `findExportProblem`, which every caller has asked before.
  return {
    path,
    task: namespace["default"] as TaskFunction,
    setup: namespace["setup"] as SetupFunction | undefined,
    inputs: namespace["inputs"],
    hasInputs: "inputs" in namespace,
    reduce: namespace["reduce"] as ReduceFunction | undefined,
    initial: namespace["initial"],
    hasInitial: "initial" in namespace,
    classifyError: namespace["classifyError"] as ClassifyFunction | undefined,
    options: namespace["options"] ?? {},
    places,
  };
}
