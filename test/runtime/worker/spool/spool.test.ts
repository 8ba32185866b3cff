/** The spool's folder: what outlives the process, what is thrown away, and what is put aside. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../../../src/runtime/platform/logger.ts";
import type { SpooledResult } from "../../../../src/runtime/scheduler/agent/state.ts";
import { openSpool, type Spool } from "../../../../src/runtime/worker/spool/spool.ts";

let root = "";
let folder = "";
let warnings: string[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cc-spool-"));
  folder = join(root, "w1.spool");
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const quiet = (): void => {};
const logger: Logger = {
  debug: quiet,
  info: quiet,
  error: quiet,
  with: () => logger,
  warn: (event, fields) => void warnings.push(`${event}: ${String(fields?.["reason"] ?? "")}`),
};

const open = (bounds: { filesMax?: number; bytesMax?: number } = {}): Promise<Spool> =>
  openSpool({ folder, workerId: "w1", logger, ...bounds });

function result(spoolId: number, bytes = 3): SpooledResult {
  const data = new Uint8Array(bytes).fill(spoolId);
  return {
    spoolId,
    foremanId: "foreman-a",
    message: {
      type: "task_result",
      seq: spoolId,
      assignment: 4_294_967_297,
      job_id: 1,
      status: "completed",
      first_index: spoolId,
      count: 1,
      attempt: 2,
      run_us: Uint32Array.of(6_000_000),
      ended_ago_us: 0,
      value: { lengths: bytes, data },
    },
  };
}

const left = (spool: Spool): number[] => spool.recovered.map(({ spoolId }) => spoolId);

async function keepAll(...results: readonly SpooledResult[]): Promise<Spool> {
  const spool = await open();
  for (const one of results) spool.keep(one);
  await spool.settled();
  return spool;
}

describe("what is kept", () => {
  test("is found whole by the next boot, in order, and readable by this account alone", async () => {
    await keepAll(result(2), result(10), result(1));
    const next = await open();
    expect(left(next)).toEqual([1, 2, 10]);
    expect(next.recovered[1]).toMatchObject({
      foremanId: "foreman-a",
      message: { assignment: 4_294_967_297, first_index: 2, attempt: 2, status: "completed" },
    });
    expect([...(next.recovered[1]?.message.value.data ?? [])]).toEqual([2, 2, 2]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    expect(warnings).toEqual([]);
  });

  test("goes when it is dropped, also before it was written", async () => {
    const spool = await open();
    spool.keep(result(1));
    spool.keep(result(2));
    spool.drop([1, 2, 99]);
    await spool.settled();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("stays within its bounds; what is beyond is not written, and said once", async () => {
    const spool = await open({ filesMax: 2 });
    for (const spoolId of [1, 2, 3, 4]) spool.keep(result(spoolId));
    await spool.settled();
    expect(readdirSync(folder)).toHaveLength(2);
    spool.drop([1]);
    spool.keep(result(5));
    await spool.settled();
    expect(left(await open())).toEqual([2, 5]);
    expect(warnings).toEqual(["the spool is full: results stay in memory alone: "]);
    const small = await open({ bytesMax: 10 });
    small.keep(result(7, 100));
    await small.settled();
    expect(left(await open())).toEqual([2, 5]);
  });
});

describe("what cannot be used", () => {
  test.each([
    ["an empty file", () => new Uint8Array(0), "it does not begin with a line of JSON"],
    [
      "a truncated one",
      (whole: Uint8Array) => whole.subarray(0, whole.length - 1),
      /^it holds \d+ bytes of \d+$/,
    ],
    [
      "one with a flipped bit",
      (whole: Uint8Array) => {
        const changed = new Uint8Array(whole);
        changed[whole.length - 1] = (changed[whole.length - 1] ?? 0) ^ 1;
        return changed;
      },
      "its checksum does not match",
    ],
    [
      "another worker's",
      (whole: Uint8Array) =>
        Buffer.from(Buffer.from(whole).toString("latin1").replace('"w1"', '"w2"'), "latin1"),
      "it is of worker w2",
    ],
    ["text", () => Buffer.from("hello\nworld"), "its first line is not that of a spooled result"],
  ])("%s is set aside with a warning, and the others are found", async (_, damage, reason) => {
    await keepAll(result(1), result(2));
    const path = join(folder, "000000000001.result");
    writeFileSync(path, damage(readFileSync(path)));
    expect(left(await open())).toEqual([2]);
    expect(warnings).toEqual([
      expect.stringMatching(/^a file in the spool is set aside: /) as unknown as string,
    ]);
    expect(warnings[0]?.slice("a file in the spool is set aside: ".length)).toMatch(reason);
    expect(readdirSync(folder).sort()).toEqual([
      "000000000001.result.aside",
      "000000000002.result",
    ]);
    warnings = [];
    expect(left(await open())).toEqual([2]);
    expect(warnings).toEqual([]);
  });

  test("links, folders and foreign names are set aside, unfinished files removed", async () => {
    await keepAll(result(1));
    symlinkSync("/etc/passwd", join(folder, "000000000007.result"));
    mkdirSync(join(folder, "000000000008.result"));
    writeFileSync(join(folder, "notes.txt"), "mine");
    writeFileSync(join(folder, "000000000009.result.part"), "half");
    expect(left(await open())).toEqual([1]);
    expect(readdirSync(folder).sort()).toEqual([
      "000000000001.result",
      "000000000007.result.aside",
      "000000000008.result.aside",
      "notes.txt.aside",
    ]);
  });

  test("a folder that is in the way means that nothing is spooled, and the worker goes on", async () => {
    writeFileSync(folder, "a file");
    const spool = await open();
    spool.keep(result(1));
    await spool.settled();
    expect(left(spool)).toEqual([]);
    expect(warnings.map((line) => line.split(":")[0])).toEqual([
      "the spool cannot be used",
      "a result cannot be spooled and stays in memory alone",
    ]);
  });

  test("set aside on request, at most sixteen are kept", async () => {
    const spool = await open();
    const ids = Array.from({ length: 20 }, (_, i) => i + 1);
    for (const spoolId of ids) spool.keep(result(spoolId));
    await spool.settled();
    spool.setAside(ids, "they belong to another foreman");
    await spool.settled();
    expect(readdirSync(folder)).toHaveLength(16);
    expect(left(await open())).toEqual([]);
  });
});
