import { expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandContext, OutputStream } from "../../src/commands/command-context.ts";
import { run } from "../../src/commands/init.ts";
import type { INIT_VERB } from "../../src/commands/tables/setup.ts";
import { bundleJob } from "../../src/runtime/bundle/bundle-job.ts";

const ALL_FILES = [".gitignore", "crowdcompute.d.ts", "job.ts", "tsconfig.json"];

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly error: unknown;
}

/** Runs `cc init` in a folder of its own. */
async function createWorkplace() {
  const cwd = await mkdtemp(join(tmpdir(), "cc-init-test-"));
  const init = async (
    folder: string | null,
    flags: { json?: boolean; quiet?: boolean } = {},
  ): Promise<Outcome> => {
    const stdout = createCapture();
    const stderr = createCapture();
    const context: Partial<CommandContext<typeof INIT_VERB>> = {
      cwd,
      positionals: folder === null ? [] : [folder],
      json: flags.json ?? false,
      quiet: flags.quiet ?? false,
      io: {
        stdout: stdout.stream,
        stderr: stderr.stream,
        stdin: { isTerminal: false, stream: () => new ReadableStream() },
      },
    };
    // What the command reads is all there.
    const outcome = await run(context as CommandContext<typeof INIT_VERB>).then(
      (code) => ({ code, error: null }),
      (error: unknown) => ({ code: null, error }),
    );
    return { ...outcome, stdout: stdout.text(), stderr: stderr.text() };
  };
  return {
    cwd,
    init,
    [Symbol.asyncDispose]: () => rm(cwd, { recursive: true, force: true }),
  };
}

function createCapture(): { readonly stream: OutputStream; text(): string } {
  let text = "";
  const stream: OutputStream = {
    isTerminal: false,
    columnCount: 80,
    closed: new AbortController().signal,
    async write(chunk) {
      text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    },
  };
  return { stream, text: () => text };
}

test("init makes a project in a new folder, says what it made and what to type", async () => {
  await using place = await createWorkplace();
  const outcome = await place.init("new/pi project");
  expect(outcome).toEqual({
    code: 0,
    error: null,
    stdout: [
      "created new/pi project/job.ts",
      "created new/pi project/tsconfig.json",
      "created new/pi project/crowdcompute.d.ts",
      "created new/pi project/.gitignore",
      "",
    ].join("\n"),
    stderr: "Next:\n  cd 'new/pi project'\n  cc submit job.ts\n",
  });
  expect((await readdir(join(place.cwd, "new/pi project"))).sort()).toEqual(ALL_FILES);
});

test("the job it makes can be bundled and gives pi", async () => {
  await using place = await createWorkplace();
  await place.init(null);
  const { module, options } = await bundleJob("job.ts", { cwd: place.cwd });
  expect(options).toEqual({ name: "pi", retries: 2, timeout: "1m" });
  expect([...(module.inputs as (args: string[]) => Iterable<number>)(["3"])]).toEqual([
    1_000_000, 1_000_000, 1_000_000,
  ]);
});

test("a second init changes nothing and is no error", async () => {
  await using place = await createWorkplace();
  await place.init(null);
  expect(await place.init(null)).toEqual({
    code: 0,
    error: null,
    stdout: "",
    stderr: "nothing to do: all files exist\nNext:\n  cc submit job.ts\n",
  });
});

test("a file with another text stops it before anything is written", async () => {
  await using place = await createWorkplace();
  await writeFile(join(place.cwd, "tsconfig.json"), "{}");
  const { error, code } = await place.init(".");
  expect(code).toBeNull();
  expect(error).toMatchObject({
    code: "file_exists",
    message: "tsconfig.json exists and is not what cc init writes; nothing was changed.",
    exitCode: 2,
  });
  expect(await readdir(place.cwd)).toEqual(["tsconfig.json"]);
});

test("an own .gitignore stays as it is", async () => {
  await using place = await createWorkplace();
  await writeFile(join(place.cwd, ".gitignore"), "*.bak\n");
  expect((await place.init(null)).code).toBe(0);
  expect(await readFile(join(place.cwd, ".gitignore"), "utf8")).toBe("*.bak\n");
});

test("--json is one object, --quiet is silent", async () => {
  await using place = await createWorkplace();
  const { stdout, stderr } = await place.init("a", { json: true });
  expect(JSON.parse(stdout)).toEqual({
    schema: "crowdcompute/v1",
    folder: join(place.cwd, "a"),
    created: ["job.ts", "tsconfig.json", "crowdcompute.d.ts", ".gitignore"],
  });
  expect(stderr).toBe("");
  expect(await place.init("b", { quiet: true })).toEqual({
    code: 0,
    error: null,
    stdout: "",
    stderr: "",
  });
});

test("a file where the folder should be is an error of the command line", async () => {
  await using place = await createWorkplace();
  await writeFile(join(place.cwd, "taken"), "");
  expect((await place.init("taken")).error).toMatchObject({
    code: "cannot_write",
    exitCode: 2,
    hint: "Name a folder that can be written: cc init DIR",
  });
});
