import { expect, test } from "bun:test";
import { loadJobModule } from "../../../src/runtime/job-module/load-job-module.ts";
import { createProject } from "../bundle/temporary-project.ts";

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
    message: "Loading the job file threw TypeError: no model.",
    cause: expect.any(TypeError),
  });
});

test("a module without a task is refused", async () => {
  await using project = await createProject({ "it.mjs": "export const task = 1;" });
  expect(loadJobModule(project.path("it.mjs"))).rejects.toMatchObject({
    code: "no_default_export",
  });
});
