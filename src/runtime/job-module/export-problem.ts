/** Says what is wrong with a job file's exports, in one sentence. Looks at them; never calls one. */
import type { ModuleNamespace } from "./job-module.ts";

export interface ExportProblem {
  /** The export it is about. */
  readonly name: string;
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
}

const DEFAULT_HINT = "Write: export default async function (input, ctx) { … }";

/** The first export that cannot be what its name promises, or null. */
export function findExportProblem(namespace: ModuleNamespace): ExportProblem | null {
  return (
    defaultProblem(namespace["default"]) ??
    functionProblem(namespace, "setup", "export async function setup(ctx) { … }") ??
    functionProblem(namespace, "reduce", "export const reduce = (total, value, index) => …") ??
    functionProblem(
      namespace,
      "classifyError",
      "export const classifyError = (error) => ({ code: … })",
    ) ??
    optionsProblem(namespace["options"])
  );
}

function defaultProblem(task: unknown): ExportProblem | null {
  const problem = (code: string, sentence: string, hint = DEFAULT_HINT): ExportProblem => ({
    name: "default",
    code,
    sentence,
    hint,
  });
  if (task === undefined) {
    return problem("no_default_export", "The job file has no default export, expected a function.");
  }
  if (typeof task !== "function") {
    return problem(
      "default_export_not_function",
      `The default export is ${describeKind(task)}, expected a function that runs one task.`,
    );
  }
  if (isClass(task)) {
    return problem(
      "default_export_not_function",
      `The default export is the class ${task.name}, expected a function that runs one task.`,
    );
  }
  if (isGenerator(task)) {
    return problem(
      "default_export_not_function",
      "The default export is a generator, expected a function that returns one value.",
      "Return an array, or make each part a task of its own through inputs.",
    );
  }
  return null;
}

function functionProblem(
  namespace: ModuleNamespace,
  name: string,
  example: string,
): ExportProblem | null {
  const value = namespace[name];
  if (value === undefined || (typeof value === "function" && !isClass(value))) return null;
  return {
    name,
    code: "export_not_function",
    sentence: `The export ${name} is ${describeKind(value)}, expected a function.`,
    hint: `Write: ${example}`,
  };
}

function optionsProblem(options: unknown): ExportProblem | null {
  if (options === undefined) return null;
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return null;
  return {
    name: "options",
    code: "options_not_object",
    sentence: `The export options is ${describeKind(options)}, expected an object.`,
    hint: 'Write: export const options = { name: "…", retries: 3 }',
  };
}

/** `a string`, `an array`, `null`, `the class Model`, … for a message. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return isClass(value) ? `the class ${value.name}` : "a function";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (value instanceof Promise) return "a promise";
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return name === undefined || name === "Object" ? "an object" : `an instance of ${name}`;
}

function isClass(value: (...args: never[]) => unknown): boolean;
function isClass(value: unknown): value is { name: string };
function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function isGenerator(value: object): boolean {
  return /GeneratorFunction$/.test(Object.prototype.toString.call(value).slice(8, -1));
}
