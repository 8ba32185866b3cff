import { describe, expect, test } from "bun:test";
import {
  buildSpec,
  commandLine,
  commandWork,
  defaultNameOf,
  type JobOptions,
} from "../../../src/runtime/client/build-spec.ts";

const SHAPE = { product_sources: 0, chunk: 0, none: false };

function work(words: readonly string[], options: JobOptions = {}, placeholder?: string) {
  return commandWork({ words, options, placeholder, stdin: false, cwd: "/home/me" });
}

function specOf(options: JobOptions, words: readonly string[] = ["true"]) {
  return buildSpec({
    options,
    work: work(words, options),
    shape: SHAPE,
    defaultName: "true",
    after: [],
    attached: false,
    env: { TOKEN: "s3cret", HOME: "/home/me" },
    cwd: "/home/me",
    words: ["submit", "--", ...words],
  });
}

function refusalOf(options: JobOptions, words?: readonly string[]): string {
  try {
    specOf(options, words);
  } catch (thrown) {
    const error = thrown as Error & { exitCode: number; code: string };
    expect(error.exitCode).toBe(2);
    return `${error.code}: ${error.message}`;
  }
  throw new Error("nothing was refused");
}

describe("a specification", () => {
  test("says everything, also what nobody said", () => {
    expect(specOf({})).toMatchObject({
      name: "true",
      note: null,
      queue: "default",
      priority: 0,
      retries: 0,
      backoff_seconds: 1,
      timeout_seconds: null,
      max_crashes: 3,
      max_fails: { kind: "default" },
      max_running: null,
      delay_seconds: 0,
      cpus: 1,
      memory_bytes: null,
      env: {},
      seed: 0,
      submitted_from: { folder: "/home/me", command_line: "cc submit -- true" },
    });
  });

  test("durations become seconds", () => {
    expect(
      specOf({ timeout: 1_500, backoff: 0, delay: 250, timeRequest: 3_600_000 }),
    ).toMatchObject({
      timeout_seconds: 1.5,
      backoff_seconds: 0,
      delay_seconds: 0.25,
      time_request_seconds: 3600,
    });
  });

  test("--env NAME takes its value now and is secret", () => {
    expect(specOf({ env: { A: "1", TOKEN: null } }).env).toEqual({
      A: { value: "1", secret: false },
      TOKEN: { value: "s3cret", secret: true },
    });
    expect(refusalOf({ env: { NOWHERE: null } })).toMatch(/no_such_variable: --env NOWHERE/);
  });

  test("names that are too long or wrong are refused by their option", () => {
    expect(refusalOf({ queue: "a b" })).toMatch(/bad_queue: --queue: "a b"/);
    expect(refusalOf({ name: "x".repeat(300) })).toMatch(/--name: the value is empty, too long/);
    expect(refusalOf({ workerLabel: { gpu: "y".repeat(300) } })).toMatch(/--worker-label gpu:/);
  });

  test("a command line beyond the limit is refused with a way out", () => {
    const words = Array.from({ length: 60_000 }, (_, i) => `file-${i}`);
    expect(refusalOf({}, words)).toMatch(/spec_too_large: .* at most 262144/);
  });

  test("a template that no shell could be given safely is refused", () => {
    expect(refusalOf({ shell: true }, ["cat <<E\n{}\nE"])).toMatch(/here-document/);
  });
});

describe("a command", () => {
  test("--cwd counts from the submitter's folder", () => {
    expect(work(["ls"])).toMatchObject({ cwd: "/home/me" });
    expect(work(["ls"], { cwd: "sub/.." })).toMatchObject({ cwd: "/home/me" });
    expect(work(["ls"], { cwd: "/data" })).toMatchObject({ cwd: "/data" });
  });

  test("a --cwd with a placeholder is left for the task", () => {
    expect(work(["ls"], { cwd: "{//}" })).toMatchObject({ cwd: "{//}", folder: "/home/me" });
    expect(work(["ls"], { cwd: "/data/{/}" })).not.toHaveProperty("folder");
    expect(work(["ls"], { cwd: "X/a" }, "X")).toMatchObject({ cwd: "X/a", folder: "/home/me" });
  });

  test("nothing behind -- is refused", () => {
    expect(() => work([])).toThrow(/There is no command/);
    expect(() => work(["ls"], {}, "")).toThrow(/cannot be empty/);
  });

  test("names its job", () => {
    expect(defaultNameOf(work(["/usr/bin/convert", "x"]))).toBe("convert");
    expect(defaultNameOf(work(["grep x | wc"], { shell: true }))).toBe("grep");
    const entry = {
      kind: "function",
      bundle_sha256: "0".repeat(64),
      entry_file: "dir/primes.job.ts",
    };
    expect(defaultNameOf(entry as Parameters<typeof defaultNameOf>[0])).toBe("primes.job");
  });

  test("its line can be typed again", () => {
    expect(commandLine(["submit", "--", "echo", "a b", "it's", "{}", "--x=1"])).toBe(
      "cc submit -- echo 'a b' 'it'\\''s' {} --x=1",
    );
    expect(commandLine(["x".repeat(5_000)]).length).toBe(4_001);
  });
});
