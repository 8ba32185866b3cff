/** Each look of `cc doctor` finds its trouble, and says what to do about it. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXECUTABLE_MARK } from "../../../src/commands/compiler-handover.ts";
import type { Check, CheckSection } from "../../../src/commands/doctor/check.ts";
import { checkKeys } from "../../../src/commands/doctor/key-checks.ts";
import { checkMachine } from "../../../src/commands/doctor/machine-checks.ts";
import { printChecks } from "../../../src/commands/doctor/print-checks.ts";
import { checkProgram } from "../../../src/commands/doctor/program-checks.ts";
import { checkSettings, findSetting } from "../../../src/commands/doctor/settings-checks.ts";
import { checkStore, judgeSpace } from "../../../src/commands/doctor/store-checks.ts";
import { loadSettings } from "../../../src/commands/settings.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { findPaths } from "../../../src/runtime/platform/paths.ts";
import { SCHEMA_VERSION } from "../../../src/runtime/store/sqlite/schema.ts";
import { openSqliteStore } from "../../../src/runtime/store/sqlite/sqlite-store.ts";
import { ensureLocalKeys } from "../../../src/runtime/transport/key-files.ts";
import { createMemoryIo } from "../../support/memory-io.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-doctor-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function checkOf(section: CheckSection, name: string): Check {
  const found = section.checks.find((check) => check.name === name);
  if (!found) throw new Error(`no check ${name} in ${section.title}`);
  return found;
}

describe("the program", () => {
  function executable(folder: string, name: string, text: string): string {
    mkdirSync(join(root, folder), { recursive: true });
    const path = join(root, folder, name);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  }
  const pathOf = (...folders: string[]) => ({
    PATH: folders.map((folder) => join(root, folder)).join(":"),
  });

  test("that is found as cc is fine, and so is a compiler behind it", () => {
    const own = executable("ours", "cc", `program${EXECUTABLE_MARK}`);
    const compiler = executable("theirs", "cc", "#!/bin/sh\n");
    const section = checkProgram(pathOf("ours", "theirs"), own);
    expect(checkOf(section, "path")).toMatchObject({ state: "ok", facts: { cc: own } });
    expect(checkOf(section, "compiler")).toMatchObject({ facts: { compiler } });
  });

  test("behind the compiler is told apart: by its second name it is fine", () => {
    const own = executable("ours", "cc", `program${EXECUTABLE_MARK}`);
    executable("theirs", "cc", "#!/bin/sh\n");
    const hidden = checkOf(checkProgram(pathOf("theirs", "ours"), own), "path");
    expect(hidden.state).toBe("warning");
    expect(hidden.hint).toContain(join(root, "ours"));
    linkSync(own, join(root, "ours", "crowdcompute"));
    const named = checkOf(checkProgram(pathOf("theirs", "ours"), own), "path");
    expect(named.state).toBe("ok");
    expect(named.text).toContain("this program is crowdcompute");
  });

  test("that is another copy, or on no PATH, is named", () => {
    const own = executable("ours", "cc", `program${EXECUTABLE_MARK}`);
    mkdirSync(join(root, "older"));
    copyFileSync(own, join(root, "older", "cc"));
    const other = checkOf(checkProgram(pathOf("older", "ours"), own), "path");
    expect(other.text).toContain("another CrowdCompute");
    const nowhere = checkProgram(pathOf("empty"), own);
    expect(checkOf(nowhere, "path")).toMatchObject({ state: "warning", facts: { cc: null } });
    expect(checkOf(nowhere, "compiler")).toMatchObject({ state: "ok", facts: { compiler: null } });
  });
});

describe("settings", () => {
  const request = (env: Record<string, string> = {}) => {
    const all = { HOME: root, ...env };
    return { env: all, config: loadSettings(all, root, undefined), values: {}, origins: {} };
  };

  test("name the file, variable or flag that each value came from", () => {
    mkdirSync(join(root, ".config", "crowdcompute"), { recursive: true });
    const file = join(root, ".config", "crowdcompute", "config.json");
    writeFileSync(
      file,
      '{"foreman":{"port":9100},"job":{"timeout":"5s","env":{"TOKEN":"s3cret"}}}',
    );
    const section = checkSettings({
      ...request({ CC_MAX_MEMORY: "70", CC_STORE: "stores/a" }),
      values: { foreman: "ws://here:1" },
      origins: { foreman: { kind: "flag", detail: "--foreman" } },
    });
    const texts = section.checks.map(({ text }) => text);
    expect(texts.slice(0, -1)).toEqual([
      `read ${file}`,
      `no ${join(root, "crowdcompute.json")}`,
      'connection.foreman = "ws://here:1", from --foreman',
      `foreman.port = 9100, from ${file}: foreman.port`,
      'foreman.store = "stores/a", from CC_STORE',
      'worker.maxMemory = "70", from CC_MAX_MEMORY',
      `job.timeout = "5s", from ${file}: job.timeout`,
      `job.env = "***", from ${file}: job.env`,
    ]);
    expect(JSON.stringify(section)).not.toContain("s3cret");
  });

  test("that cannot be used fail, with the place", () => {
    const bad = request({ CC_SLOTS: "many", CC_STORE: "stores/a" });
    const setting = checkOf(checkSettings(bad), "setting");
    expect(setting.state).toBe("failed");
    expect(setting.text).toContain("CC_SLOTS");
    expect(setting.hint).not.toBeNull();
    expect(findSetting(bad.env, bad.config, "store")).toBeNull();
    const good = request({ CC_STORE: "stores/a" });
    expect(findSetting(good.env, good.config, "store")).toBe("stores/a");
    expect(findSetting(good.env, good.config, "cacheDir")).toBeNull();
  });
});

describe("keys", () => {
  const keysOf = (keyFile?: string) =>
    checkKeys({ paths: findPaths({ HOME: root }), keyFile, cwd: root });

  test("that were never made are no trouble, and looking makes none", async () => {
    const { checks } = await keysOf();
    expect(checks.map(({ state }) => state)).toEqual(["ok", "ok", "ok"]);
    expect(readdirSync(root)).toEqual([]);
  });

  test("that others may read fail, a folder they may enter is a warning", async () => {
    const { configFolder, keysFolder, localAdminKey } = findPaths({ HOME: root });
    ensureLocalKeys(configFolder);
    expect((await keysOf()).checks.every(({ state }) => state === "ok")).toBe(true);
    chmodSync(keysFolder, 0o755);
    chmodSync(localAdminKey, 0o640);
    const section = await keysOf();
    expect(checkOf(section, "keys_folder")).toMatchObject({
      state: "warning",
      hint: `chmod 700 ${keysFolder}`,
    });
    expect(checkOf(section, "local_admin_key")).toMatchObject({
      state: "failed",
      hint: `chmod 600 ${localAdminKey}`,
    });
  });

  test("of the wrong role, and named ones that are not there, fail", async () => {
    const { configFolder, localAdminKey, localWorkerKey } = findPaths({ HOME: root });
    ensureLocalKeys(configFolder);
    copyFileSync(localAdminKey, localWorkerKey);
    const section = await keysOf("absent.key");
    expect(checkOf(section, "local_worker_key")).toMatchObject({ state: "failed" });
    expect(checkOf(section, "key_file")).toMatchObject({
      state: "failed",
      facts: { code: "no_key_file" },
    });
  });
});

describe("a store", () => {
  test("that does not exist is no trouble", async () => {
    const section = await checkStore(join(root, "state", "store"));
    expect(section.checks.map(({ state }) => state)).toEqual(["ok", "ok"]);
    expect(readdirSync(root)).toEqual([]);
  });

  test("says whether a foreman has it, and who may enter it", async () => {
    const folder = join(root, "store");
    const store = await openSqliteStore({ folder, readOnly: false, clock: systemClock });
    expect(checkOf(await checkStore(folder), "store")).toMatchObject({
      state: "ok",
      facts: { held: true, version: SCHEMA_VERSION, job_count: 0 },
    });
    await store.close();
    chmodSync(folder, 0o755);
    const section = await checkStore(folder);
    expect(checkOf(section, "store")).toMatchObject({ facts: { held: false } });
    expect(checkOf(section, "store_mode")).toMatchObject({ state: "warning" });
  });

  test("that is no database fails with the way out", async () => {
    const folder = join(root, "store");
    await (await openSqliteStore({ folder, readOnly: false, clock: systemClock })).close();
    writeFileSync(join(folder, "foreman.db"), "no database\n".repeat(1_000));
    const check = checkOf(await checkStore(folder), "store");
    expect(check).toMatchObject({ state: "failed", facts: { code: "storage_corrupt" } });
    expect(check.hint).toContain(".recover");
  });

  test("on a full disk fails, on a nearly full one warns", () => {
    const stateOf = (freeBytes: number) => judgeSpace("disk_space", "/", freeBytes, 1_000).state;
    expect([999, 1_000, 2 ** 30 - 1, 2 ** 30].map(stateOf)).toEqual([
      "failed",
      "warning",
      "warning",
      "ok",
    ]);
  });
});

test("this machine has cores, memory, a temporary folder and a process table", async () => {
  const section = await checkMachine(join(root, "cache"));
  expect(section.checks.map(({ name }) => name)).toEqual([
    "slots",
    "temporary_folder",
    "temporary_space",
    "cache_folder",
    "open_files",
    "process_table",
  ]);
  expect(checkOf(section, "slots").facts?.["cores"]).toBeGreaterThan(0);
  expect(readdirSync(root)).toEqual([]);
});

test("the report counts what is wrong, and names only that with -q", async () => {
  const sections: readonly CheckSection[] = [
    { title: "one", checks: [{ name: "a", state: "ok", text: "fine", hint: null }] },
    {
      title: "two",
      checks: [
        { name: "b", state: "failed", text: "bad\u001b[2J", hint: "mend it" },
        { name: "c", state: "warning", text: "odd", hint: "know it" },
      ],
    },
  ];
  const print = async (options: { json?: boolean; quiet?: boolean }) => {
    const io = createMemoryIo();
    const color = { stdout: false, stderr: false };
    await printChecks({ io, json: false, quiet: false, color, ...options }, sections);
    return io.stdoutText();
  };
  const two = "two\n  ✗ bad?[2J\n    hint: mend it\n  ! odd\n    hint: know it\n";
  expect(await print({})).toBe(`one\n  ✓ fine\n\n${two}\n1 thing is wrong, 1 thing to know\n`);
  expect(await print({ quiet: true })).toBe(two);
  expect(JSON.parse(await print({ json: true }))).toMatchObject({
    schema: "crowdcompute/v1",
    ok: false,
    checks: [{ section: "one", name: "a" }, { name: "b" }, { name: "c" }],
  });
});
