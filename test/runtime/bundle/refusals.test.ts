import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { createProject } from "./temporary-project.ts";

const DEFAULT_HINT = "Write: export default async function (input, ctx) { … }";

test("a missing file", async () => {
  await using project = await createProject({});
  expect(await project.refusal("nope.ts")).toEqual({
    code: "job_file_not_found",
    message: "There is no file nope.ts.",
    hint: undefined,
  });
});

test("a folder", async () => {
  await using project = await createProject({});
  await mkdir(project.path("jobs"));
  expect(await project.refusal("jobs")).toEqual({
    code: "job_file_not_a_file",
    message: "jobs is a folder, expected a TypeScript or JavaScript file.",
    hint: "Name the file: cc submit FOLDER/job.ts",
  });
});

test("a file that is no module by its name", async () => {
  await using project = await createProject({ "job.py": "print(1)" });
  expect(await project.refusal("job.py")).toEqual({
    code: "job_file_not_a_module",
    message:
      "job.py is not a TypeScript or JavaScript file, expected a name that ends in .ts .tsx .mts .cts .js .jsx .mjs .cjs.",
    hint: "To run a command instead, write: cc submit -- CMD ARG…",
  });
});

test("a syntax error", async () => {
  await using project = await createProject({
    "job.ts": "export default async function (input) {\n  return (input;\n}\n",
  });
  expect(await project.refusal()).toEqual({
    code: "syntax_error",
    message: 'job.ts:2:16: Expected ")" but found ";".',
    hint: undefined,
  });
});

test("syntax errors in several files: the first by name and line, and how many more", async () => {
  await using project = await createProject({
    "job.ts": 'import "./b.ts";\nimport "./a.ts";\nexport default () => 1;\n',
    "a.ts": "let x = 1;\nlet x = 2;\nlet x = 3;\n",
    "b.ts": "let a = ;\n",
  });
  expect((await project.refusal()).message).toBe(
    'a.ts:2:5: "x" has already been declared (and 2 more errors).',
  );
});

test("a syntax error in another file names that file", async () => {
  await using project = await createProject({
    "job.ts": 'import { one } from "./lib/one.ts"; export default () => one;',
    "lib/one.ts": "export const one = `1;",
  });
  expect((await project.refusal()).message).toBe("lib/one.ts:1:20: Unterminated string literal.");
});

test("an import of something a module does not export", async () => {
  await using project = await createProject({
    "job.ts": 'import { two } from "./one.ts";\nexport default () => two;\n',
    "one.ts": "export const one = 1;",
  });
  const { code, message } = await project.refusal();
  expect(code).toBe("syntax_error");
  expect(message).toMatch(/^job\.ts:1:10: No matching export in ".*one\.ts" for import "two"\.$/);
});

test.each([
  ["left-pad", "npm install left-pad"],
  ["@scope/name/part", "npm install @scope/name"],
  ["helper", 'Did you mean "./helper.ts"?'],
  ["./lib/helpr", 'Did you mean "./lib/helper.ts"?'],
  ["./nowhere/at-all", 'Write the path as seen from job.ts, such as "./lib/helper.ts".'],
  ["fs/promise", 'Did you mean "node:fs/promises"?'],
  ["node:fs/promise", 'Did you mean "node:fs/promises"?'],
  ["node:nonsense-name", `Bun ${Bun.version} has no such built-in.`],
  ["#internal", 'Add "#internal" to "imports" in package.json.'],
  [
    "@/helper",
    'Give "@/helper" a meaning under "paths" in tsconfig.json, or write a relative path.',
  ],
])("an unresolved import of %s", async (specifier, hint) => {
  await using project = await createProject({
    "job.ts": `// One.\nimport * as it from "${specifier}";\nexport default () => it;\n`,
    "helper.ts": "",
    "lib/helper.ts": "",
  });
  expect(await project.refusal()).toEqual({
    code: "unresolved_import",
    message: `job.ts:2:21: Cannot find "${specifier}".`,
    hint,
  });
});

test("several unresolved imports: the first, and how many more", async () => {
  await using project = await createProject({
    "job.ts": 'import "./one.ts";\nimport "./two.ts";\nexport default () => 1;\n',
  });
  expect((await project.refusal()).message).toBe(
    'job.ts:1:8: Cannot find "./one.ts" (and 1 more error).',
  );
});

test("an import from the web", async () => {
  await using project = await createProject({
    "job.ts": 'import it from "https://example.org/it.ts";\nexport default () => it;\n',
  });
  expect(await project.refusal()).toEqual({
    code: "unresolved_import",
    message:
      'job.ts:1:16: "https://example.org/it.ts" is no local file and no package, expected one that can be bundled.',
    hint: "Download it, or install the package that has it.",
  });
});

test("an image or any other file that would lie beside the module", async () => {
  await using project = await createProject({
    "job.ts":
      'import words from "./words.txt";\nimport logo from "./logo.png";\nexport default () => logo + words;\n',
    "logo.png": Uint8Array.of(1, 2, 3),
    "words.txt": "one two",
  });
  expect(await project.refusal()).toEqual({
    code: "file_import",
    message:
      'job.ts:2:18: "./logo.png" is imported as a file, but only code, JSON and text travel to workers.',
    hint: 'Import text with { type: "text" }, or put the bytes into the inputs.',
  });
});

test("a macro, which is not run either", async () => {
  await using project = await createProject({
    "job.ts":
      'import { now } from "./now.ts" with { type: "macro" };\nconst at = now();\nexport default () => at;\n',
    "now.ts":
      'import { writeFileSync } from "node:fs"; export const now = () => writeFileSync(__dirname + "/ran", "");',
  });
  expect(await project.refusal()).toEqual({
    code: "macro_import",
    message: "job.ts:1:32: A macro would run on this machine while the job file is bundled.",
    hint: 'Import the module without { type: "macro" } and call it in inputs or setup.',
  });
  expect(await Bun.file(project.path("ran")).exists()).toBe(false);
});

const ADDON_HINT = "Use a package written in JavaScript, or a built-in such as bun:sqlite.";

test("a native addon of the author's own", async () => {
  await using project = await createProject({
    "job.ts": 'import fast from "./fast.node";\nexport default () => fast;\n',
    "fast.node": Uint8Array.of(0x7f, 0x45, 0x4c, 0x46),
  });
  expect(await project.refusal()).toEqual({
    code: "native_addon",
    message: 'job.ts:1:18: "./fast.node" is a native addon, which cannot travel to workers.',
    hint: ADDON_HINT,
  });
});

test("a package that requires an addon loader when it is first used", async () => {
  await using project = await createProject({
    "job.ts": 'import "./other.ts";\nimport { open } from "db";\nexport default () => open();\n',
    "other.ts": "export {};",
    "node_modules/db/package.json": '{ "name": "db", "main": "main.js" }',
    "node_modules/db/main.js": 'module.exports = require("./lib/open.js");',
    "node_modules/db/lib/open.js": 'exports.open = () =>\n  require("bindings")("db.node");',
    "node_modules/bindings/package.json": '{ "name": "bindings", "main": "main.js" }',
    "node_modules/bindings/main.js": "module.exports = () => null;",
  });
  expect(await project.refusal()).toEqual({
    code: "native_addon",
    message:
      'job.ts:2:22: "db" loads a native addon (node_modules/db/lib/open.js:2:11 requires bindings), which cannot travel to workers.',
    hint: ADDON_HINT,
  });
});

test("a package that ships an addon and finds it in a way of its own", async () => {
  await using project = await createProject({
    "job.ts": 'import db from "db";\nexport default () => db();\n',
    "node_modules/db/package.json": '{ "name": "db", "main": "main.js" }',
    "node_modules/db/main.js": "module.exports = () => require(process.argv[1] + '.node');",
    "node_modules/db/binding.gyp": "{}",
  });
  expect(await project.refusal()).toEqual({
    code: "native_addon",
    message: 'job.ts:1:16: "db" is a native addon, which cannot travel to workers.',
    hint: ADDON_HINT,
  });
});

test("a package that tries its addon and gives up without it", async () => {
  await using project = await createProject({
    "job.ts": 'import db from "db";\nexport default () => db();\n',
    "node_modules/db/package.json": '{ "name": "db", "main": "main.js" }',
    "node_modules/db/main.js":
      'let it;\ntry { it = require("./db.node") } catch {}\nif (!it) throw new Error("no binding");\nmodule.exports = it;',
    "node_modules/db/db.node": Uint8Array.of(0x7f, 0x45, 0x4c, 0x46),
  });
  expect((await project.refusal()).message).toBe(
    'job.ts:1:16: "db" loads a native addon (node_modules/db/main.js:2:20 requires ./db.node), which cannot travel to workers.',
  );
});

test.each([
  ["a script without exports", "console.log(1);\n"],
  ["a module with other exports", "export const task = () => 1;\n"],
  ["an empty file", ""],
])("no default export: %s", async (_, text) => {
  await using project = await createProject({ "job.ts": text });
  expect(await project.refusal()).toEqual({
    code: "no_default_export",
    message:
      "job.ts:1:1: The job file has no default export, expected the function that runs one task.",
    hint: DEFAULT_HINT,
  });
});

test.each([
  ["export default 42;", "a number"],
  ["export default [() => 1];", "an array"],
  ["export default { run() {} };", "an object"],
  ["export default class Job {}", "the class Job"],
  ["export default null;", "null"],
  ["export default Promise.resolve(1);", "a promise"],
])("a default export that is no function: %s", async (text, kind) => {
  await using project = await createProject({ "job.ts": `// One.\n  ${text}\n` });
  expect(await project.refusal()).toEqual({
    code: "default_export_not_function",
    message: `job.ts:2:3: The default export is ${kind}, expected a function that runs one task.`,
    hint: DEFAULT_HINT,
  });
});

test("a default export that is a generator", async () => {
  await using project = await createProject({
    "job.ts": "async function* task() {}\nexport { task as default };\n",
  });
  expect(await project.refusal()).toEqual({
    code: "default_export_not_function",
    message:
      "job.ts:2:15: The default export is a generator, expected a function that returns one value.",
    hint: "Return an array, or make each part a task of its own through inputs.",
  });
});

test.each([
  [
    "setup",
    "export const setup = { model: 1 };",
    "an object",
    "export async function setup(ctx) { … }",
  ],
  [
    "reduce",
    "export const reduce = 0;",
    "a number",
    "export const reduce = (total, value, index) => …",
  ],
  [
    "classifyError",
    'export const classifyError = "bad";',
    "a string",
    "export const classifyError = (error) => ({ code: … })",
  ],
])("an export %s that is no function", async (name, text, kind, example) => {
  await using project = await createProject({
    "job.ts": `export default () => 1;\n${text}\n`,
  });
  expect(await project.refusal()).toEqual({
    code: "export_not_function",
    message: `job.ts:2:1: The export ${name} is ${kind}, expected a function.`,
    hint: `Write: ${example}`,
  });
});

test("options that are no object", async () => {
  await using project = await createProject({
    "job.ts": 'export default () => 1;\nexport const options = ["--retries", 3];\n',
  });
  expect(await project.refusal()).toEqual({
    code: "options_not_object",
    message: "job.ts:2:1: The export options is an array, expected an object.",
    hint: 'Write: export const options = { name: "…", retries: 3 }',
  });
});

test("top-level code that throws is refused where it threw", async () => {
  await using project = await createProject({
    "job.ts": 'import "./lib/model.ts";\nexport default () => 1;\n',
    "lib/model.ts": "// A comment.\nconst model = JSON.parse('');\nexport { model };\n",
  });
  const { code, message } = await project.refusal();
  expect(code).toBe("job_file_throws");
  expect(message).toBe(
    "lib/model.ts:2:20: Loading the job file threw: SyntaxError: JSON Parse error: Unexpected EOF.",
  );
});

test("top-level code that exits does not end the program", async () => {
  await using project = await createProject({
    "job.ts": "export default () => 1;\nprocess.exit(3);\n",
  });
  expect(await project.refusal()).toEqual({
    code: "job_file_exits",
    message: "job.ts:2:9: The job file called process.exit(3) while it was loaded.",
    hint: "Move what runs at once into the default export or into inputs.",
  });
});

test("a top-level await that never ends", async () => {
  await using project = await createProject({
    "job.ts": "await new Promise(() => {});\nexport default () => 1;\n",
  });
  expect(await project.refusal("job.ts", { loadDeadlineMs: 50 })).toEqual({
    code: "job_file_hangs",
    message: "job.ts:1:1: The job file was not loaded within 0.05 seconds.",
    hint: "A top-level await never ended; move it into setup or inputs.",
  });
});

test("a bundle one byte larger than the limit, with its largest parts; one of the limit passes", async () => {
  await using project = await createProject({
    "job.ts": 'import table from "./table.txt";\nexport default () => table;\n',
    "table.txt": "x".repeat(300_000),
  });
  const bytes = (await project.bundle()).code.byteLength;
  await project.bundle("job.ts", { bytesMax: bytes });
  expect(await project.refusal("job.ts", { bytesMax: bytes - 1 })).toEqual({
    code: "bundle_too_large",
    message: "job.ts:1:1: The job is 0.3 MiB of code after bundling, expected at most 0.3 MiB.",
    hint: "Read large tables in setup or send them as inputs. The largest parts: table.txt (0.3 MiB), job.ts (0.0 MiB).",
  });
});

test("a folder for temporary files that cannot be written", async () => {
  await using project = await createProject({ "job.ts": "export default () => 1;" });
  const before = process.env["TMPDIR"];
  try {
    process.env["TMPDIR"] = project.path("nowhere");
    expect(await project.refusal()).toEqual({
      code: "no_temporary_folder",
      message: `No file can be written to ${project.path("nowhere")}, where a job file is loaded from.`,
      hint: "Set TMPDIR to a folder that can be written.",
    });
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});
