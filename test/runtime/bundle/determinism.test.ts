import { expect, test } from "bun:test";
import { createProject } from "./temporary-project.ts";

const FILES = {
  "jobs/job.ts": `
    // A remark with nothing to do with the code.
    import { one } from "../lib/one.ts";
    import { value as two } from "../lib/two.ts";
    import { value as three } from "../lib/three.ts";
    import there from "there";
    import { PermanentError } from "crowdcompute";
    export default () => [one, two, three, there, PermanentError, process.env.NODE_ENV];
  `,
  "lib/one.ts": "export const one = 1;",
  "lib/two.ts": "export const value = 2;",
  "lib/three.ts": 'import { one } from "./one.ts"; export const value = one + 2;',
  "node_modules/there/package.json": '{ "name": "there", "main": "main.js" }',
  "node_modules/there/main.js": "module.exports = [__dirname, __filename];",
};

test("equal sources in different folders, bundled again and again, have one hash", async () => {
  await using first = await createProject(FILES);
  await using second = await createProject(FILES);
  const bundles = [];
  for (let round = 0; round < 5; round += 1) {
    bundles.push(await first.bundle("jobs/job.ts"), await second.bundle("jobs/job.ts"));
  }
  expect(new Set(bundles.map((bundle) => bundle.sha256)).size).toBe(1);
  expect(new TextDecoder().decode(bundles[0]?.code)).not.toContain(first.folder);
});

test("the environment of the submitter does not change the bundle", async () => {
  await using project = await createProject(FILES);
  const before = process.env["NODE_ENV"];
  try {
    process.env["NODE_ENV"] = "test";
    const { sha256 } = await project.bundle("jobs/job.ts");
    process.env["NODE_ENV"] = "development";
    expect((await project.bundle("jobs/job.ts")).sha256).toBe(sha256);
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  }
});

test("another line of code is another bundle", async () => {
  await using project = await createProject(FILES);
  const { sha256 } = await project.bundle("jobs/job.ts");
  await project.write({ "lib/one.ts": "export const one = 11;" });
  expect((await project.bundle("jobs/job.ts")).sha256).not.toBe(sha256);
});
