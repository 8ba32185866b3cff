import { expect, test } from "bun:test";
import { join } from "node:path";
import { JOB_OPTIONS } from "../../../src/commands/tables/shared.ts";
import { AUTHOR_TYPES, PROJECT_FILES } from "../../../src/runtime/bundle/project-files.ts";
import { createContext, createSetupContext } from "../../../src/runtime/job-module/task-context.ts";
import { createShared } from "../job-module/modules.ts";
import { createProject, type TemporaryProject } from "./temporary-project.ts";

const TSC = join(import.meta.dir, "../../../node_modules/.bin/tsc");

/** What the type checker says about a project as `cc init` makes it, without anything installed. */
async function createInitialised(files: Readonly<Record<string, string>>) {
  const initial = Object.fromEntries(PROJECT_FILES.map(({ name, text }) => [name, text]));
  return createProject({ ...initial, ...files });
}

function typeCheck(project: TemporaryProject): string {
  const run = Bun.spawnSync([TSC, "-p", project.folder], {
    cwd: project.folder,
    timeout: 60_000,
  });
  return run.stdout.toString() + run.stderr.toString();
}

test("a new project type-checks as it is", async () => {
  await using project = await createInitialised({});
  expect(typeCheck(project)).toBe("");
}, 60_000);

test("everything a job file may export type-checks", async () => {
  await using project = await createInitialised({
    "full.ts": `
import {
  type Carried, type ClassifyError, type Context, type Inputs, type JobOptions, PermanentError,
  type Reduce, type SetupContext, type Task,
} from "crowdcompute";

interface Model { readonly weight: number }

export const options: JobOptions = {
  name: "full", note: "n", queue: "a.b", role: "r", metadata: { k: "v", n: 1 }, priority: "high",
  retries: 3, backoff: "1s", timeout: "1h30m", maxCrashes: 2, maxFails: "5%", maxRunning: 4,
  delay: "10s", timeRequest: "1d", cpus: 2, mem: "4G", resource: { gpu: 1 },
  workerLabel: { zone: "a" }, env: { HOME: null, LEVEL: 3 }, cwd: "/", scratch: false, shell: true,
  seed: 7, chunk: 10,
};
export const inputs: Inputs<string> = async function* (args: string[]) { yield* args; };
export async function setup(ctx: SetupContext): Promise<Model> {
  ctx.log(ctx.job.name, ctx.metadata["k"], ctx.signal.aborted);
  return { weight: 1 };
}
const task: Task<string, Carried, Model> = async (input, ctx) => {
  if (input === "") throw new PermanentError("empty", { code: "empty", cause: ctx.signal.reason });
  ctx.log(ctx.attempt, ctx.dir);
  return { when: new Date(0), big: 1n, map: new Map([[ctx.task.id, ctx.task.index]]), nothing: undefined,
    bytes: new Uint8Array(), list: [ctx.random() * ctx.setup.weight, ctx.job.id, ctx.job.queue] };
};
export default task;
export const reduce: Reduce<number, number> = (total, value, index) => total + value + index;
export const initial = 0;
export const classifyError: ClassifyError = (error) =>
  error instanceof TypeError ? { code: "type", permanent: true } : undefined;
export type Used = Context<Model>;
`,
  });
  expect(typeCheck(project)).toBe("");
}, 60_000);

test("slips are found", async () => {
  await using project = await createInitialised({
    "slips.ts": `
import type { Carried, Context, JobOptions } from "crowdcompute";
export const options: JobOptions = { retrys: 3 };
export const more: JobOptions = { timeout: "soon" };
export const value: Carried = () => 1;
export default (input: string, ctx: Context) => ctx.checkpoint;
`,
  });
  const lines = typeCheck(project).match(/^slips\.ts\(\d+/gm);
  expect(lines).toEqual(["slips.ts(3", "slips.ts(4", "slips.ts(5", "slips.ts(6"]);
}, 60_000);

test("JobOptions has exactly the options that a job file may set", () => {
  const body = /interface JobOptions \{(.*?)\n {2}\}/s.exec(AUTHOR_TYPES)?.[1] ?? "";
  const names = [...body.matchAll(/^ {4}(\w+)\?:/gm)].map((match) => match[1] ?? "");
  expect(names.sort()).toEqual(Object.keys(JOB_OPTIONS).sort());
});

test("Context and SetupContext have exactly what contexts have", () => {
  const body = /interface Context<.*?> \{(.*?)\n {2}\}/s.exec(AUTHOR_TYPES)?.[1] ?? "";
  const names = [...body.matchAll(/^ {4}(?:readonly )?(\w+)[(:]/gm)].map((match) => match[1] ?? "");
  const context = createContext(createShared(), 0, 1);
  const prototype = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(context)));
  const offered = [...Object.keys(context), ...prototype.filter((name) => name !== "constructor")];
  expect(names.sort()).toEqual(offered.sort());
  const setup = /SetupContext = Pick<Context, (.*?)>/.exec(AUTHOR_TYPES)?.[1] ?? "";
  const { signal } = new AbortController();
  expect([...(setup.match(/\w+/g) ?? [])]).toEqual(
    Object.keys(createSetupContext(createShared(), signal)),
  );
});
