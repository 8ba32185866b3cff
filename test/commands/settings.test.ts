import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settleJobOptions } from "../../src/commands/job-options.ts";
import { explainSettings, loadSettings, settleOptions } from "../../src/commands/settings.ts";
import { WORKER_VERB } from "../../src/commands/tables/daemons.ts";
import { SUBMIT_VERB } from "../../src/commands/tables/run.ts";
import { VERSION_VERB } from "../../src/commands/tables/setup.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-settings-"));
  mkdirSync(join(root, "crowdcompute"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const writeUser = (config: unknown) =>
  writeFileSync(join(root, "crowdcompute", "config.json"), JSON.stringify(config));
const writeProject = (options: unknown) =>
  writeFileSync(join(root, "crowdcompute.json"), JSON.stringify(options));
const settleWorker = (flags: Record<string, unknown>, env: Record<string, string> = {}) =>
  settleOptions(WORKER_VERB, {
    given: new Map(Object.entries(flags)),
    env: { XDG_CONFIG_HOME: root, ...env },
    cwd: root,
  });

describe("a daemon's option", () => {
  test("comes from flag, environment, config file and default, in this order", () => {
    writeUser({ worker: { maxMemory: 70 } });
    const of = (flags: Record<string, unknown>, env: Record<string, string>) => {
      const { values, origins } = settleWorker(flags, env);
      return [values["maxMemory"], origins["maxMemory"]?.kind, origins["maxMemory"]?.detail];
    };
    expect(of({ maxMemory: 50 }, { CC_MAX_MEMORY: "60" })).toEqual([50, "flag", "--max-memory"]);
    expect(of({}, { CC_MAX_MEMORY: "60" })).toEqual([60, "environment", "CC_MAX_MEMORY"]);
    expect(of({}, { CC_MAX_MEMORY: "" })).toEqual([
      70,
      "config",
      `${join(root, "crowdcompute", "config.json")}: worker.maxMemory`,
    ]);
    rmSync(join(root, "crowdcompute", "config.json"));
    expect(of({}, {})).toEqual([85, "default", ""]);
  });

  test("repeats in the environment are separated by commas", () => {
    const { values } = settleWorker({}, { CC_LABEL: "rack=b,disk=ssd", CC_QUEUES: "a.*,!a.b" });
    expect({ ...(values["label"] as object) }).toEqual({ rack: "b", disk: "ssd" });
    expect(values["queues"]).toEqual(["a.*", "!a.b"]);
  });

  test("a wrong value names the variable or the file", () => {
    expect(() => settleWorker({}, { CC_SLOTS: "many" })).toThrow(
      'CC_SLOTS: "many" is not a whole number from 1 to 4096',
    );
    writeUser({ worker: { slots: 0 } });
    expect(() => settleWorker({})).toThrow("worker.slots: 0 is out of range");
    writeUser({ worker: { slots: [1] } });
    expect(() => settleWorker({})).toThrow("worker.slots: [1] is not a text or a number");
  });
});

describe("a job's option", () => {
  const settle = (
    flags: Record<string, unknown>,
    options: unknown,
    env: Record<string, string> = {},
  ) => {
    const request = {
      given: new Map(Object.entries(flags)),
      env: { XDG_CONFIG_HOME: root, ...env },
      cwd: root,
    };
    const { values, config } = settleOptions(SUBMIT_VERB, request);
    return settleJobOptions({ values, config, jobFile: { name: "job.ts", options } });
  };

  test("comes from flag, job file, project and user, in this order, and never from the environment", () => {
    writeUser({ job: { retries: 1, queue: "user", note: "user" } });
    writeProject({ queue: "project", note: "project" });
    expect(settle({ note: "flag" }, { queue: "file" }, { CC_RETRIES: "9" })).toEqual({
      note: "flag",
      queue: "file",
      retries: 1,
    });
    expect(settle({}, undefined)).toEqual({ note: "project", queue: "project", retries: 1 });
  });

  test("in a job file is read as TypeScript writes it", () => {
    expect(
      settle(
        {},
        {
          timeout: "30s",
          retries: 5,
          priority: "high",
          maxFails: 3,
          shell: true,
          metadata: { a: 1, b: "x" },
          env: { A: "1", B: null },
        },
      ),
    ).toEqual({
      timeout: 30_000,
      retries: 5,
      priority: 10,
      maxFails: { kind: "count", count: 3 },
      shell: true,
      metadata: Object.assign(Object.create(null), { a: "1", b: "x" }),
      env: Object.assign(Object.create(null), { A: "1", B: null }),
    });
  });

  test("a flag that turns a switch off beats the file", () => {
    expect(settle({ shell: false }, { shell: true })).toEqual({ shell: false });
  });

  test("unknown or wrong in a job file is refused with file and name", () => {
    expect(() => settle({}, { retires: 1 })).toThrow(
      "job.ts: options.retires is no option of a job.",
    );
    expect(() => settle({}, { timeout: 30 })).toThrow('job.ts: options.timeout: "30" has no unit.');
    expect(() => settle({}, { shell: "yes" })).toThrow(
      'job.ts: options.shell: "yes" is not true or false.',
    );
    expect(() => settle({}, { metadata: { a: {} } })).toThrow(
      "job.ts: options.metadata.a: {} is not a text or a number.",
    );
    expect(() => settle({}, [])).toThrow("job.ts: options must be an object.");
  });
});

test("a verb without connection, daemon or job options reads no configuration", () => {
  writeUser("broken");
  expect(
    settleOptions(VERSION_VERB, { given: new Map(), env: { XDG_CONFIG_HOME: root }, cwd: root })
      .config,
  ).toBeNull();
});

test("every connection and daemon option can be explained", () => {
  writeUser({ connection: { foreman: "ws://a:1" }, foreman: { port: 9001 } });
  const env = { XDG_CONFIG_HOME: root, CC_SLOTS: "3" };
  const explained = explainSettings(env, loadSettings(env, root, undefined));
  const find = (section: string, key: string) =>
    explained.find((one) => one.section === section && one.key === key);
  expect(find("connection", "foreman")).toMatchObject({
    value: "ws://a:1",
    origin: { kind: "config" },
  });
  expect(find("foreman", "port")).toMatchObject({ value: 9001, origin: { kind: "config" } });
  expect(find("worker", "slots")).toMatchObject({ value: 3, origin: { kind: "environment" } });
  expect(find("worker", "maxCpu")).toMatchObject({ value: 90, origin: { kind: "default" } });
  expect(find("worker", "foreman")).toBeUndefined();
});
