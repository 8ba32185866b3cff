import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createContext } from "../../../src/runtime/job-module/task-context.ts";
import { createProject } from "./temporary-project.ts";

/** Everything in a folder that some tool would run or read by itself. */
const HOSTILE = {
  "bunfig.toml": `
preload = ["./evil.ts"]
[macros]
"lib" = { "one" = "./evil.ts" }
[bundle.macros]
"lib" = { "one" = "./evil.ts" }
[define]
"__MARK__" = "'planted'"
`,
  ".env": "PLANTED=from-env-file\n",
  ".env.local": "PLANTED=from-env-file\n",
  "package.json": `{
    "name": "hostile", "type": "module",
    "scripts": { "preinstall": "touch ran", "postinstall": "touch ran", "prebuild": "touch ran" },
    "macros": { "lib": { "one": "./evil.ts" } },
    "bun": { "macros": { "lib": { "one": "./evil.ts" } }, "preload": ["./evil.ts"] },
    "dependencies": { "never-installed": "1.0.0" }
  }`,
  "tsconfig.json": `{
    "compilerOptions": { "plugins": [{ "name": "./evil.ts" }], "jsxImportSource": "./evil.ts" }
  }`,
  "evil.ts": `
    import { writeFileSync } from "node:fs";
    writeFileSync(import.meta.dir + "/ran", "");
    export const one = () => 0;
    export default { name: "evil", setup() { writeFileSync(import.meta.dir + "/ran", ""); } };
  `,
  "node_modules/lib/package.json": `{
    "name": "lib", "main": "main.js", "scripts": { "postinstall": "touch ../../ran" }
  }`,
  "node_modules/lib/main.js": "exports.one = () => 1;",
  "job.ts": `
    import { one } from "lib";
    export default () => [one(), process.env.PLANTED ?? null, typeof __MARK__];
    declare const __MARK__: string;
  `,
};

test("nothing of the job's folder runs or slips in while it is bundled", async () => {
  await using project = await createProject(HOSTILE);
  const before = process.cwd();
  let value: unknown;
  try {
    process.chdir(project.folder);
    const { module } = await project.bundle();
    const shared = {
      job: { id: 1, name: "test", queue: "default" },
      metadata: {},
      setup: undefined,
      seed: 0,
      openFolder: () => "",
      log: () => undefined,
    };
    value = await module.task(null, createContext(shared, 0, 1));
  } finally {
    process.chdir(before);
  }
  expect(value).toEqual([1, null, "undefined"]);
  expect(existsSync(project.path("ran"))).toBe(false);
});

test("a broken package.json of a package is a refusal that names it", async () => {
  await using project = await createProject({
    "job.ts": 'import "lib"; export default () => 1;',
    "node_modules/lib/package.json": "{ broken",
    "node_modules/lib/index.js": "",
  });
  expect((await project.refusal()).message).toBe(
    'node_modules/lib/package.json:1:3: Expected string but found "broken".',
  );
});

test("a broken tsconfig.json does not end the program", async () => {
  await using project = await createProject({
    "job.ts": 'import "./lib.ts"; export default () => 1;',
    "lib.ts": "",
    "tsconfig.json": "{ broken",
  });
  expect((await project.refusal()).message).toMatch(/^tsconfig\.json:1:3: /);
});
