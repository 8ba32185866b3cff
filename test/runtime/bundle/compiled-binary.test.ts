import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createProject, type TemporaryProject } from "./temporary-project.ts";

const SOURCES = join(import.meta.dir, "../../../src/runtime");
const TIMEOUT_MS = 60_000;

/** What the compiled program does: bundle argv[2] in its folder, run it once, print what happened. */
const PROGRAM = `
import { bundleJob } from ${JSON.stringify(join(SOURCES, "bundle/bundle-job.ts"))};
import { AUTHOR_TYPES } from ${JSON.stringify(join(SOURCES, "bundle/project-files.ts"))};
import { describeThrown } from ${JSON.stringify(join(SOURCES, "job-module/describe-thrown.ts"))};
import { loadJobModule } from ${JSON.stringify(join(SOURCES, "job-module/load-job-module.ts"))};
const [, , entry = "", copy = ""] = process.argv;
try {
  const bundle = await bundleJob(entry, { cwd: process.cwd() });
  await Bun.write(copy, bundle.code);
  const module = await loadJobModule(copy);
  const runs = [];
  for (const input of ["value", "error", "permanent"]) {
    try {
      runs.push(await module.task(input, {}));
    } catch (thrown) {
      runs.push(describeThrown(thrown, { bundlePath: copy, classifyError: module.classifyError }));
    }
  }
  console.log(JSON.stringify({ runs, sha256: bundle.sha256, types: AUTHOR_TYPES.length > 0 }));
} catch (thrown) {
  console.log(JSON.stringify({ code: thrown.code, message: thrown.message, hint: thrown.hint }));
}
`;

let workshop: TemporaryProject;

beforeAll(async () => {
  workshop = await createProject({ "program.ts": PROGRAM });
  const build = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-dotenv",
      "--bytecode",
      "--format=esm",
      "--minify",
      workshop.path("program.ts"),
      "--outfile",
      workshop.path("program"),
    ],
    { cwd: workshop.folder, timeout: TIMEOUT_MS },
  );
  if (build.exitCode !== 0) throw new Error(build.stderr.toString());
}, TIMEOUT_MS);

afterAll(() => workshop[Symbol.asyncDispose]());

function runProgram(project: TemporaryProject, entry: string): unknown {
  const run = Bun.spawnSync(
    [workshop.path("program"), entry, project.path("cache/copy.mjs")],
    // A path without any tool: the executable needs nothing beside itself.
    { cwd: project.folder, env: { PATH: "/nonexistent", HOME: project.folder }, timeout: 20_000 },
  );
  expect(run.stderr.toString()).toBe("");
  return JSON.parse(run.stdout.toString());
}

test(
  "the compiled program bundles, provides crowdcompute and maps stacks, in a hostile folder",
  async () => {
    await using project = await createProject({
      "jobs/job.ts": `
import { PermanentError } from "crowdcompute";
import { fail } from "../lib/fail.ts";
import triple from "triple";
export default (input: string): unknown => {
  if (input === "permanent") throw new PermanentError("never", { code: "bad_input" });
  if (input === "error") fail(input);
  return [triple(2), process.env["PLANTED"] ?? null];
};
`,
      "lib/fail.ts":
        "\n\nexport function fail(text: string): never {\n  throw new Error(text);\n}\n",
      "node_modules/triple/package.json": '{ "name": "triple", "main": "main.cjs" }',
      "node_modules/triple/main.cjs": "module.exports = (value) => value * 3;",
      "bunfig.toml": 'preload = ["./evil.ts"]\n[macros]\n"triple" = { "default" = "./evil.ts" }\n',
      ".env": "PLANTED=1",
      "evil.ts":
        'import { writeFileSync } from "node:fs"; writeFileSync(import.meta.dir + "/ran", ""); export default () => 0;',
    });
    const outcome = runProgram(project, "jobs/job.ts") as { runs: unknown[]; sha256: string };
    expect(outcome).toMatchObject({
      types: true,
      sha256: (await project.bundle("jobs/job.ts")).sha256,
      runs: [
        [6, null],
        {
          code: "error",
          message: "error",
          permanent: false,
          place: "lib/fail.ts:4:13",
          stack:
            "Error: error\n    at fail (lib/fail.ts:4:13)\n    at job_default (jobs/job.ts:7:26)",
        },
        { code: "bad_input", message: "never", permanent: true },
      ],
    });
    expect(existsSync(project.path("ran"))).toBe(false);
  },
  TIMEOUT_MS,
);

test(
  "the compiled program refuses as the uncompiled one does",
  async () => {
    await using project = await createProject({
      "job.ts": 'import "left-pad";\nexport default () => 1;\n',
      "throws.ts": "export default () => 1;\nJSON.parse('');\n",
    });
    expect(runProgram(project, "job.ts")).toEqual(await project.refusal());
    const { hint, ...refusal } = await project.refusal("throws.ts");
    expect(hint).toBeUndefined();
    expect(runProgram(project, "throws.ts")).toEqual(refusal);
  },
  TIMEOUT_MS,
);
