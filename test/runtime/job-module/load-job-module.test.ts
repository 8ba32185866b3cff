import { expect, test } from "bun:test";
import { symlink } from "node:fs/promises";
import { describeThrown } from "../../../src/runtime/job-module/describe-thrown.ts";
import { loadJobModule } from "../../../src/runtime/job-module/load-job-module.ts";
import { createContext } from "../../../src/runtime/job-module/task-context.ts";
import { createProject } from "../bundle/temporary-project.ts";
import { createShared } from "./modules.ts";

const CONTEXT = createContext(createShared(), 0, 1);

test("a module on disk is loaded with what it exports", async () => {
  await using project = await createProject({
    "it.mjs": `
      export const options = { name: "x" };
      export const inputs = [1];
      export const initial = 0;
      export function setup() { return "model"; }
      export default (input) => input + 1;
    `,
  });
  const module = await loadJobModule(project.path("it.mjs"));
  expect(module).toMatchObject({
    path: project.path("it.mjs"),
    inputs: [1],
    hasInputs: true,
    reduce: undefined,
    initial: 0,
    hasInitial: true,
    classifyError: undefined,
    options: { name: "x" },
    places: {},
  });
  expect(module.setup).toBeFunction();
  expect(module.task).toBeFunction();
});

test("a module whose top level throws is an error with the thrown one as its cause", async () => {
  await using project = await createProject({
    "it.mjs": "export default () => 1;\nthrow new TypeError('no model');\n",
  });
  expect(loadJobModule(project.path("it.mjs"))).rejects.toMatchObject({
    code: "job_file_throws",
    message: "Loading the job file threw: TypeError: no model.",
    cause: expect.any(TypeError),
  });
});

test("behind a symbolic link stack traces are still relative to the bundle", async () => {
  await using project = await createProject({
    "real/it.mjs": "export default () => {\n  throw new Error('boom');\n};\n",
  });
  await symlink(project.path("real"), project.path("link"));
  const module = await loadJobModule(project.path("link/it.mjs"));
  const thrown: unknown = await Promise.try(() => module.task(null, CONTEXT)).catch((it) => it);
  const { place } = describeThrown(thrown, { bundlePath: module.path, classifyError: undefined });
  expect(place).toStartWith("it.mjs:2:");
});

test("a module that is not there is an error", async () => {
  await using project = await createProject({});
  expect(loadJobModule(project.path("it.mjs"))).rejects.toMatchObject({ code: "job_file_throws" });
});

test("a module without a task is refused", async () => {
  await using project = await createProject({ "it.mjs": "export const task = 1;" });
  expect(loadJobModule(project.path("it.mjs"))).rejects.toMatchObject({
    code: "no_default_export",
  });
});
