import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ServedWorld } from "../submit-support.ts";
import { createIdleWorld, expectRefused } from "./refusals.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createIdleWorld();
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

/** A job file of these lines and its refusal. */
async function refuseFile(
  name: string,
  lines: readonly string[],
  expected: { readonly code: string; readonly message: string; readonly hint?: string },
): Promise<void> {
  served.file(name, `${lines.join("\n")}\n`);
  await expectRefused(served, [{ args: ["submit", name], ...expected }]);
}

describe("a job file is refused with its file and line", () => {
  test(
    "when it is missing or a folder",
    async () => {
      mkdirSync(join(served.world.folder, "folder"));
      await expectRefused(served, [
        {
          args: ["submit", "missing.ts"],
          code: "job_file_not_found",
          message: "There is no file missing.ts.",
        },
        {
          args: ["submit", "folder"],
          code: "job_file_not_a_file",
          message: "folder is a folder, expected a TypeScript or JavaScript file.",
        },
        {
          args: ["submit", "sleep", "--", "1"],
          code: "job_file_not_found",
          message: "There is no job file sleep.",
          hint: 'A command stands after "--": cc submit -- sleep',
        },
      ]);
    },
    LONG,
  );

  test(
    "when its syntax is wrong",
    () =>
      refuseFile("syntax.ts", ["export default (n: number) => {", "  return n +;", "};"], {
        code: "syntax_error",
        message: "syntax.ts:2:13: Unexpected ;.",
      }),
    LONG,
  );

  test(
    "when it exports no function to run",
    async () => {
      await refuseFile("no-default.ts", ["", "export const inputs = [1];"], {
        code: "no_default_export",
        message:
          "no-default.ts:1:1: The job file has no default export, expected the function that runs one task.",
        hint: "Write: export default async function (input, ctx) { … }",
      });
      await refuseFile("number.ts", ["export const inputs = [1];", "export default 42;"], {
        code: "default_export_not_function",
        message:
          "number.ts:2:1: The default export is a number, expected a function that runs one task.",
      });
      await refuseFile("class.ts", ["", "", "export default class Task {}"], {
        code: "default_export_not_function",
        message:
          "class.ts:3:1: The default export is the class Task, expected a function that runs one task.",
      });
    },
    LONG,
  );

  test(
    "when an import cannot be found",
    async () => {
      await refuseFile(
        "local.ts",
        ["", 'import { x } from "./nope.ts";', "export default () => x;"],
        {
          code: "unresolved_import",
          message: 'local.ts:2:19: Cannot find "./nope.ts".',
        },
      );
      await refuseFile("package.ts", ['import pad from "left-pad-xyz";', "export default pad;"], {
        code: "unresolved_import",
        message: 'package.ts:1:17: Cannot find "left-pad-xyz".',
      });
    },
    LONG,
  );

  test(
    "when it needs a native addon",
    async () => {
      served.file("addon.node", "\x7fELF");
      await refuseFile(
        "native.ts",
        ["", 'import a from "./addon.node";', "export default () => a;"],
        {
          code: "native_addon",
          message:
            'native.ts:2:15: "./addon.node" is a native addon, which cannot travel to workers.',
        },
      );
    },
    LONG,
  );

  test(
    "when loading it throws or exits",
    async () => {
      await refuseFile(
        "throws.ts",
        ["", 'throw new Error("no disk");', "export default () => 1;"],
        {
          code: "job_file_throws",
          message: "throws.ts:2:11: Loading the job file threw: no disk.",
        },
      );
      await refuseFile("exits.ts", ["process.exit(0);", "export default () => 1;"], {
        code: "job_file_exits",
        message: "exits.ts:1:9: The job file called process.exit(0) while it was loaded.",
      });
    },
    LONG,
  );
});

describe("a job file's inputs are refused", () => {
  const TASK = "export default (n: unknown) => n;";

  test(
    "when one cannot be carried, with its number and the path inside it",
    async () => {
      const refuseInput = (name: string, inputs: string, message: string) =>
        refuseFile(name, [inputs, TASK], { code: "unserializable", message });
      await refuseInput(
        "function.ts",
        "export const inputs = [1, { rows: [7, () => 1] }];",
        "Input 1: The value at .rows[1] is a function, which cannot be carried.",
      );
      await refuseInput(
        "instance.ts",
        'export const inputs = [new Map([["key", new (class Model {})()]])];',
        "Input 0: The value at [0].value is an instance of Model, which cannot be carried.",
      );
      await refuseInput(
        "cycle.ts",
        "const a: Record<string, unknown> = {}; a.self = a; export const inputs = [0, 1, a];",
        "Input 2: The value at .self is a cycle, which cannot be carried.",
      );
      await refuseInput(
        "promise.ts",
        "export function* inputs() { yield Promise.resolve(1); }",
        "Input 0: The value is an instance of Promise, which cannot be carried.",
      );
    },
    LONG,
  );

  test(
    "when one is larger than 8 MiB",
    () =>
      refuseFile("large.ts", ['export const inputs = ["x".repeat(8 * 1024 * 1024)];', TASK], {
        code: "input_too_large",
        message: "Input 0 has 8388611 bytes, an input may have at most 8388608.",
      }),
    LONG,
  );

  test(
    "when there are none, or no list of them",
    async () => {
      await refuseFile("empty.ts", ["", "export const inputs = [];", TASK], {
        code: "inputs_empty",
        message: "empty.ts:2:1: inputs has no values, expected at least one.",
      });
      await refuseFile("number-inputs.ts", [TASK, "export const inputs = 5;"], {
        code: "inputs_not_iterable",
        message: "number-inputs.ts:2:1: inputs is a number, expected an array or another iterable.",
      });
      await refuseFile("no-list.ts", [TASK, "export const inputs = () => undefined;"], {
        code: "inputs_not_iterable",
        message:
          "no-list.ts:2:1: inputs returned undefined, expected an array or another iterable.",
      });
    },
    LONG,
  );

  test(
    "when making them throws at once",
    async () => {
      await refuseFile(
        "at-once.ts",
        ["export function inputs() {", '  throw new Error("no list");', "}", TASK],
        { code: "inputs_failed", message: "at-once.ts:2:13: inputs threw: no list" },
      );
      await refuseFile(
        "rejects.ts",
        ["export async function inputs() {", '  throw new TypeError("no answer");', "}", TASK],
        {
          code: "inputs_failed",
          message: "rejects.ts:2:13: inputs threw: TypeError: no answer",
        },
      );
    },
    LONG,
  );
});

describe("inputs that fail later", () => {
  const TASK = "export default (n: unknown) => n;";
  let jobId = 0;

  async function expectCancelled(name: string, lines: readonly string[], message: string) {
    served.file(name, `${lines.join("\n")}\n`);
    const run = await served.cc(["submit", "-q", "--json", name]);
    jobId += 1;
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 2, stdout: "" });
    const error = JSON.parse(run.stderr.trimEnd().split("\n").at(-1) ?? "") as { message: string };
    expect(error.message).toBe(message.replace("JOB", String(jobId)));
    const job = JSON.parse((await served.cc(["jobs", String(jobId), "--json"])).stdout);
    expect(job).toMatchObject({ job_id: jobId, state: "cancelled", inputs_open: false });
  }

  test(
    "cancel the job and name it",
    async () => {
      await expectCancelled(
        "later.ts",
        [
          "export function* inputs() {",
          "  for (let i = 0; i < 50_000; i++) yield i;",
          '  throw new Error("the file ends here");',
          "}",
          TASK,
        ],
        "later.ts:3:13: inputs threw after 50000 inputs: the file ends here (job JOB)",
      );
      await expectCancelled(
        "later-function.ts",
        [
          "export async function* inputs() {",
          "  for (let i = 0; i < 40_000; i++) yield i;",
          "  yield [() => 1];",
          "}",
          TASK,
        ],
        "Input 40000: The value at [0] is a function, which cannot be carried (job JOB).",
      );
    },
    LONG,
  );
});
