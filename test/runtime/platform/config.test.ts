import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../../src/runtime/platform/config.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";

const KNOWN = {
  connection: ["foreman", "keyFile"],
  foreman: ["port"],
  worker: ["slots", "maxMemory"],
  job: ["retries", "queue"],
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-config-"));
  mkdirSync(join(root, "xdg", "crowdcompute"), { recursive: true });
  mkdirSync(join(root, "project"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const userFile = () => join(root, "xdg", "crowdcompute", "config.json");
const projectFile = () => join(root, "project", "crowdcompute.json");
const load = (explicitPath?: string) =>
  loadConfig({
    env: { XDG_CONFIG_HOME: join(root, "xdg"), HOME: root },
    cwd: join(root, "project"),
    explicitPath,
    knownOptions: KNOWN,
  });

function refusal(act: () => unknown): CcError {
  try {
    act();
  } catch (error) {
    if (error instanceof CcError) return error;
  }
  throw new Error("nothing was refused");
}

test("without any file there are no entries, and both places are named", () => {
  const config = load();
  expect(config.entries.job.size).toBe(0);
  expect(config.files).toEqual([
    { path: userFile(), found: false },
    { path: projectFile(), found: false },
  ]);
});

test("each entry says which file and key it came from", () => {
  writeFileSync(
    userFile(),
    JSON.stringify({ connection: { foreman: "ws://a:1" }, worker: { maxMemory: 70 } }),
  );
  const { entries } = load();
  expect(entries.connection.get("foreman")).toEqual({
    value: "ws://a:1",
    origin: `${userFile()}: connection.foreman`,
  });
  expect(entries.worker.get("maxMemory")?.value).toBe(70);
});

test("a project's job options beat the user's", () => {
  writeFileSync(userFile(), JSON.stringify({ job: { retries: 1, queue: "a" } }));
  writeFileSync(projectFile(), JSON.stringify({ retries: 2 }));
  const { entries } = load();
  expect(entries.job.get("retries")).toEqual({ value: 2, origin: `${projectFile()}: retries` });
  expect(entries.job.get("queue")?.value).toBe("a");
});

test("--config replaces the user's file and must exist", () => {
  writeFileSync(userFile(), JSON.stringify({ connection: { foreman: "ws://a:1" } }));
  writeFileSync(
    join(root, "project", "other.json"),
    JSON.stringify({ connection: { foreman: "ws://b:2" } }),
  );
  expect(load("other.json").entries.connection.get("foreman")?.value).toBe("ws://b:2");
  expect(refusal(() => load("absent.json")).message).toContain("cannot be read (ENOENT)");
});

describe("refused with file and key", () => {
  test("a project's file that sets an address, a key or a daemon's option", () => {
    for (const name of ["foreman", "keyFile", "maxMemory", "connection"]) {
      writeFileSync(projectFile(), JSON.stringify({ [name]: "x" }));
      const error = refusal(load);
      expect(error.message).toContain(
        `${projectFile()}: "${name}" may not be set by a project's file`,
      );
    }
  });

  test("an unknown option, with the nearest one", () => {
    writeFileSync(userFile(), JSON.stringify({ worker: { maxMemmory: 70 } }));
    const error = refusal(load);
    expect(error.message).toBe(`${userFile()}: worker.maxMemmory is no known option.`);
    expect(error.hint).toBe('Did you mean "maxMemory"?');
    expect(error.code).toBe("bad_config");
  });

  test("an option outside its section, with the place where it belongs", () => {
    writeFileSync(userFile(), JSON.stringify({ slots: 2 }));
    expect(refusal(load).hint).toBe('Write it as {"worker": {"slots": …}}.');
  });

  test("text that is no JSON object", () => {
    for (const text of ["{", "[]", "1", '{"job": 1}']) {
      writeFileSync(userFile(), text);
      expect(refusal(load).code).toBe("bad_config");
    }
  });
});
