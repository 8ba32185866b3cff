/** A stdout of a hundred megabytes, by every way to a reader. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createWorld, type RunningCc, type RunResult, type World } from "../support/binary.ts";
import { SETUP_MS } from "./stage.ts";

const LONG = 60_000;
const LARGE = ["seq", "1", "12500000"] as const;
const SMALLER = ["seq", "1", "1500000"] as const;

let world: World;
let foreman: RunningCc;
let store: string;
beforeAll(async () => {
  world = await createWorld();
  store = join(world.folder, "store");
  foreman = await startForeman();
}, SETUP_MS);
afterAll(() => world.close());

async function startForeman(): Promise<RunningCc> {
  const words = ["--port", "0", "--store", store, "--workers", "2", "--output-size", "1G"];
  const started = world.start(["foreman", ...words]);
  await started.untilStderr(/workers join with/);
  return started;
}

const cc = (...args: readonly string[]): Promise<RunResult> => {
  const url = /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "";
  return world.cc(args, { env: { CC_FOREMAN: url }, timeoutMs: LONG });
};

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const fileHash = (name: string): string => sha256(readFileSync(join(world.folder, name)));
const printedBy = (words: readonly string[]): Uint8Array =>
  Bun.spawnSync([...words], { timeout: LONG }).stdout;
const outputs = (): string[] =>
  readdirSync(join(store, "artifacts"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".stdout"),
  );

describe("a hundred megabytes of stdout", () => {
  const expected = sha256(printedBy(LARGE));

  test(
    "come through a pipe, into a file, and again after the foreman's restart",
    async () => {
      const piped = await cc("submit", "-q", "--", ...LARGE);
      expect([piped.exitCode, piped.stderr, sha256(piped.stdoutBytes)]).toEqual([0, "", expected]);
      foreman.kill("SIGTERM");
      expect(await foreman.ended).toMatchObject({ exitCode: 0 });
      foreman = await startForeman();
      expect(await cc("results", "1", "-o", "all.txt")).toMatchObject({ exitCode: 0, stdout: "" });
      expect(fileHash("all.txt")).toBe(expected);
      const job = await cc("results", "1", "--format", "jsonl");
      expect(JSON.parse(job.stdout)).toMatchObject({
        value: null,
        stdout_bytes: statSync(join(world.folder, "all.txt")).size,
        stdout_sha256: expected,
      });
    },
    LONG,
  );

  test(
    "are shortened where a task is shown, and copied by a backup, of which cc doctor says what lacks",
    async () => {
      const shown = await cc("tasks", "1/0");
      expect(shown.stdout).toMatch(/stdout \(96\.7 MiB in all\)\n {2}1\n {2}2\n/);
      expect(shown.stdout.length).toBeLessThan(8_000);
      expect(await world.cc(["foreman", "--store", store, "--backup", "copy"])).toMatchObject({
        exitCode: 0,
        stderr: expect.stringMatching(/copied .* \(\d+(\.\d)? MiB\b/),
      });
      const copy = join(world.folder, "copy");
      expect(await cc("doctor", "--store", copy)).toMatchObject({ exitCode: 0 });
      rmSync(join(copy, "artifacts", outputs()[0] as string));
      const doctor = await cc("doctor", "--store", copy);
      expect([doctor.exitCode, doctor.stdout]).toEqual([
        1,
        expect.stringMatching(/the output of task 1\/0 \(\d+ bytes\) is missing/),
      ]);
    },
    LONG,
  );
});

describe("a stdout somewhat larger than a result", () => {
  test(
    "stands among others in order, under its tag, in its file and in its row",
    async () => {
      const whole = Buffer.from(printedBy(SMALLER)).toString();
      const script = `if [ "$0" = b ]; then ${SMALLER.join(" ")}; else echo "$0"; fi`;
      const words = ["--", "sh", "-c", script, "{}", ":::", "a", "b", "c"];
      expect((await cc("submit", "-q", ...words)).stdout).toBe(`a\n${whole}c\n`);
      const tagged = await cc("results", "last", "--tag");
      expect(tagged.stdout).toBe(`a\ta\n${whole.replace(/^(?=.)/gm, "b\t")}c\tc\n`);
      await cc("results", "last", "-o", "of/{}.txt");
      expect(fileHash("of/b.txt")).toBe(sha256(Buffer.from(whole)));
      const rows = (await cc("results", "last", "--json")).stdout.trimEnd().split("\n");
      expect(rows.map((row) => JSON.parse(row).stdout === whole)).toEqual([false, true, false]);
    },
    LONG,
  );

  test(
    "goes with its job, and with a retry",
    async () => {
      const before = outputs();
      expect(before).toHaveLength(2);
      await cc("retry", "-q", "--all", "last", "-o", "/dev/null");
      expect(outputs()).toHaveLength(2);
      expect(outputs()).not.toEqual(before);
      expect((await cc("results", "last", "-o", "again.txt")).exitCode).toBe(0);
      expect(await cc("rm", "1", "last")).toMatchObject({ exitCode: 0 });
      // Removed at once for readers; from the disk right after, which a stop waits for.
      foreman.kill("SIGTERM");
      await foreman.ended;
      expect(outputs()).toEqual([]);
      foreman = await startForeman();
    },
    LONG,
  );
});
