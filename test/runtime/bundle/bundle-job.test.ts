import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { createContext } from "../../../src/runtime/job-module/task-context.ts";
import { createProject } from "./temporary-project.ts";

const CONTEXT = createContext(
  {
    job: { id: 1, name: "test", queue: "default" },
    metadata: {},
    setup: undefined,
    seed: 0,
    openFolder: () => "",
    log: () => undefined,
  },
  0,
  1,
);

test("local modules, npm packages, JSON and text become one module", async () => {
  await using project = await createProject({
    "job.ts": `
      import { double } from "./lib/double.ts";
      import triple from "triple";
      import { offset } from "./offset.json";
      import greeting from "./greeting.txt" with { type: "text" };
      import { sep } from "node:path";
      import { Database } from "bun:sqlite";
      export default (input: number) =>
        [double(input), triple(input), offset, greeting, sep, typeof Database];
    `,
    "lib/double.ts": "export const double = (value: number): number => value * 2;",
    "offset.json": '{ "offset": 7 }',
    "greeting.txt": "hello",
    "node_modules/triple/package.json": '{ "name": "triple", "main": "main.cjs" }',
    "node_modules/triple/main.cjs": "module.exports = (value) => value * 3;",
  });
  const bundle = await project.bundle();
  expect(await bundle.module.task(5, CONTEXT)).toEqual([10, 15, 7, "hello", "/", "function"]);
  expect(bundle.sourceFiles).toEqual(
    ["greeting.txt", "job.ts", "lib/double.ts", "node_modules/triple/main.cjs", "offset.json"].map(
      project.path,
    ),
  );
});

test("the bundle is named by the hash of its bytes and by its entry file", async () => {
  await using project = await createProject({
    "jobs/job.ts": "export default () => 1;",
  });
  const bundle = await project.bundle("./jobs/../jobs/job.ts");
  expect(bundle.entryFile).toBe("jobs/job.ts");
  expect(bundle.sha256).toBe(createHash("sha256").update(bundle.code).digest("hex"));
  expect(bundle.warnings).toEqual([]);
});

test("what the job file exports is told, and options are handed over as they are", async () => {
  await using project = await createProject({
    "job.ts": `
      export const options = { name: "primes", nonsense: [1n] };
      export const inputs = [1];
      export const setup = () => 1;
      export const reduce = (total: number, value: number) => total + value;
      export const initial = undefined;
      export const classifyError = () => ({ code: "x" });
      export default () => 1;
    `,
    "plain.ts": "export default () => 1;",
  });
  const full = await project.bundle();
  expect(full.options).toEqual({ name: "primes", nonsense: [1n] });
  expect(full.exportsPresent).toEqual({
    setup: true,
    inputs: true,
    reduce: true,
    initial: true,
    classifyError: true,
  });
  const plain = await project.bundle("plain.ts");
  expect(plain.options).toEqual({});
  expect(plain.exportsPresent).toEqual({
    setup: false,
    inputs: false,
    reduce: false,
    initial: false,
    classifyError: false,
  });
});

test("the module crowdcompute is there though nothing is installed, even beside a package of that name", async () => {
  await using project = await createProject({
    "job.ts": `
      import { type Context, PermanentError } from "crowdcompute";
      export default (input: string, ctx: Context) => {
        const error = new PermanentError(input, { code: "bad_input", cause: ctx.attempt });
        return [error instanceof Error, error.name, error.message, error.code, error.cause];
      };
    `,
    "node_modules/crowdcompute/package.json": '{ "name": "crowdcompute", "main": "main.js" }',
    "node_modules/crowdcompute/main.js": "export const PermanentError = null;",
  });
  const { module } = await project.bundle();
  expect(await module.task("no", CONTEXT)).toEqual([true, "PermanentError", "no", "bad_input", 1]);
});

test("__dirname and __filename are those of the bundle on the worker, not folders of the submitter", async () => {
  await using project = await createProject({
    "job.ts": `
      import there from "./there.cjs";
      export default () => [there, __dirname, __filename];
    `,
    "there.cjs": "module.exports = __dirname;",
  });
  const bundle = await project.bundle();
  const [there, folder, file] = (await bundle.module.task(null, CONTEXT)) as string[];
  expect([there, folder]).toEqual([dirname(bundle.module.path), dirname(bundle.module.path)]);
  expect(file).toBe(bundle.module.path);
  expect(new TextDecoder().decode(bundle.code)).not.toContain(project.folder);
});

test("a name in tsconfig.json's paths is resolved", async () => {
  await using project = await createProject({
    "job.ts": 'import { one } from "@lib/one"; export default () => one;',
    "lib/one.ts": "export const one = 1;",
    "tsconfig.json": '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
  });
  const { module } = await project.bundle();
  expect(await module.task(null, CONTEXT)).toBe(1);
});

test("a first line for the shell does not disturb the bundle", async () => {
  await using project = await createProject({
    "job.ts": "#!/usr/bin/env -S cc submit\nexport default () => 1;\n",
  });
  const bundle = await project.bundle();
  expect(await bundle.module.task(null, CONTEXT)).toBe(1);
  expect(new TextDecoder().decode(bundle.code)).toStartWith("// @bun\n");
});

test("a CommonJS file whose module.exports is the task is a job file", async () => {
  await using project = await createProject({
    "job.cjs": "module.exports = (value) => value + 1;",
  });
  const { module } = await project.bundle("job.cjs");
  expect(await module.task(1, CONTEXT)).toBe(2);
});

test("an import of a computed name is a warning in the author's files and nothing in packages", async () => {
  await using project = await createProject({
    "job.ts": `
import "lazy";
export default async (name: string) => {
  return import(name);
};
`,
    "node_modules/lazy/package.json": '{ "name": "lazy", "main": "main.cjs" }',
    "node_modules/lazy/main.cjs": "module.exports = (name) => require(name);",
  });
  const bundle = await project.bundle();
  expect(bundle.warnings).toEqual([
    "job.ts:4:17: This import() finds its module on the worker, which has neither this folder nor its packages.",
  ]);
  expect(await bundle.module.task("node:path", CONTEXT)).toHaveProperty("sep");
});

test("a package that only tries a native addon travels without it", async () => {
  await using project = await createProject({
    "job.ts": 'import fast from "fast"; export default () => fast();',
    "node_modules/fast/package.json": '{ "name": "fast", "main": "main.js" }',
    "node_modules/fast/main.js": `
      let add;
      try { add = require("./build/fast.node"); } catch { add = () => "slow"; }
      module.exports = add;
    `,
    "node_modules/fast/build/fast.node": Uint8Array.of(0x7f, 0x45, 0x4c, 0x46),
  });
  const { module } = await project.bundle();
  expect(await module.task(null, CONTEXT)).toBe("slow");
});

test("nothing is left behind in the folder for temporary files", async () => {
  await using project = await createProject({ "job.ts": "export default () => 1;" });
  const { module } = await project.bundle();
  expect(basename(dirname(module.path))).toStartWith("cc-job-");
  expect(existsSync(dirname(module.path))).toBe(false);
});
