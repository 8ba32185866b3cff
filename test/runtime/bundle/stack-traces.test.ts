import { expect, test } from "bun:test";
import { describeThrown } from "../../../src/runtime/job-module/describe-thrown.ts";
import { loadJobModule } from "../../../src/runtime/job-module/load-job-module.ts";
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

const FILES = {
  "jobs/job.ts": `
import { PermanentError } from "crowdcompute";
import { check } from "../lib/check.ts";
import parse from "parser";

interface Input {
  readonly text: string;
}

export default async function task({ text }: Input): Promise<unknown> {
  if (text === "permanent") throw new PermanentError("never");
  if (text === "package") return parse(text);
  await Promise.resolve();
  return check(text);
}
`,
  "lib/check.ts": `/**
 * A comment that the bundle does not carry.
 */
export function check(text: string): never {
  throw new RangeError(\`bad text: \${text}\`);
}
`,
  "node_modules/parser/package.json": '{ "name": "parser", "main": "main.js" }',
  "node_modules/parser/main.js": "module.exports = (text) => {\n  return text.parse();\n};\n",
};

test("stack traces name the author's files and lines, as seen from the folder of the submitter", async () => {
  await using project = await createProject(FILES);
  const { module } = await project.bundle("jobs/job.ts");
  const describe = async (text: string) => {
    const thrown: unknown = await Promise.resolve(module.task({ text }, CONTEXT)).catch((it) => it);
    return describeThrown(thrown, { bundlePath: module.path, classifyError: undefined });
  };
  const checked = await describe("x");
  expect(checked.place).toBe("lib/check.ts:5:13");
  expect(checked.stack?.split("\n").slice(0, 3)).toEqual([
    "RangeError: bad text: x",
    "    at check (lib/check.ts:5:13)",
    "    at task (jobs/job.ts:14:10)",
  ]);
  expect((await describe("permanent")).place).toStartWith("jobs/job.ts:11:");
  expect((await describe("package")).place).toBe("node_modules/parser/main.js:2:15");
});

test("files outside the submitter's folder are named by their whole path", async () => {
  await using project = await createProject(FILES);
  const { module } = await project.bundle("job.ts", { cwd: project.path("jobs") });
  const thrown: unknown = await Promise.resolve(module.task({ text: "x" }, CONTEXT)).catch(
    (it) => it,
  );
  const { stack } = describeThrown(thrown, { bundlePath: module.path, classifyError: undefined });
  expect(stack).toContain(`    at check (${project.path("lib/check.ts")}:5:13)`);
  expect(stack).toContain("    at task (job.ts:14:10)");
});

test("a worker that has only the bundle sees the same stack", async () => {
  await using project = await createProject(FILES);
  const bundle = await project.bundle("jobs/job.ts");
  await using worker = await createProject({ "cache/it.mjs": bundle.code });
  const module = await loadJobModule(worker.path("cache/it.mjs"));
  const thrown: unknown = await Promise.resolve(module.task({ text: "x" }, CONTEXT)).catch(
    (it) => it,
  );
  const { stack } = describeThrown(thrown, { bundlePath: module.path, classifyError: undefined });
  expect(stack?.split("\n").slice(1, 3)).toEqual([
    "    at check (lib/check.ts:5:13)",
    "    at task (jobs/job.ts:14:10)",
  ]);
});
