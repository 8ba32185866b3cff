/** Logs on disk and in memory: what a row holds, how it is found, and what becomes of a damaged file. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlDatabase } from "../../../../src/runtime/platform/sqlite-driver.ts";
import type { LogRow, LogStore } from "../../../../src/runtime/store/logs/log-store.ts";
import {
  examineLogs,
  logsFile,
  openLogsForReading,
  openLogsForWriting,
  openLogsInMemory,
} from "../../../../src/runtime/store/logs/open-logs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-logs-"));
  mkdirSync(join(folder, "logs"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Two parts: of task `index` its first attempt, and of the next task its second. */
function row(seq: number, index = 0, overrides: Partial<LogRow> = {}): LogRow {
  const data = Buffer.from(`row ${seq}\nerr\n`);
  return {
    seq,
    jobId: 1,
    firstIndex: index,
    lastIndex: index + 1,
    attempt: null,
    firstByte: 0,
    gapBytes: 0,
    arrivedAtMs: 1_000 * seq,
    byteCount: data.byteLength,
    columns: {
      index: Uint32Array.of(index, index + 1),
      attempt: Uint32Array.of(1, 2),
      firstByte: Float64Array.of(0, 2 ** 40),
      pieces: Uint32Array.of(1, 1),
      stream: Uint32Array.of(0, 1),
      atMs: Float64Array.of(1_700_000_000_000, 1_700_000_000_007),
      length: Uint32Array.of(data.byteLength - 4, 4),
    },
    data,
    ...overrides,
  };
}

const write = (store: LogStore, rows: readonly LogRow[]) =>
  store.write({
    rows,
    dropped: [],
    gaps: [],
    jobs: [{ jobId: 1, byteCount: rows.length, droppedBytes: 0 }],
  });
const all = { jobId: 1, from: 0, to: Number.MAX_SAFE_INTEGER };

const KINDS: Readonly<Record<string, () => Promise<LogStore>>> = {
  "in memory": openLogsInMemory,
  "on disk": async () => (await openLogsForWriting(folder)).store,
};

for (const [kind, open] of Object.entries(KINDS)) {
  describe(`logs ${kind}`, () => {
    let store: LogStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    test("are read back as they were written", () => {
      expect(write(store, [row(1)])).toBe("ok");
      expect(store.row(1)).toEqual({ ...row(1), data: new Uint8Array(row(1).data) });
      expect(store.row(2)).toBeNull();
      expect(store.nextSeq).toBe(2);
    });

    test("are found in both directions, between numbers, with the tasks of each row", () => {
      write(
        store,
        [1, 2, 3, 4].map((seq) => row(seq, 10 * seq)),
      );
      const seqs = (backward: boolean, from: number, to: number, limit = 10) =>
        store.places({ ...all, from, to }, { backward, limit }).map(({ seq }) => seq);
      expect(seqs(false, 2, 3)).toEqual([2, 3]);
      expect(seqs(true, 0, 99, 3)).toEqual([4, 3, 2]);
      expect(store.places({ ...all, from: 2, to: 2 }, { backward: false, limit: 1 })).toEqual([
        { seq: 2, firstIndex: 20, lastIndex: 21 },
      ]);
    });

    test("are searched for by their arrival", () => {
      expect(store.firstSince(1, 0)).toBeNull();
      write(store, [row(3), row(7), row(8, 0, { jobId: 2 }), row(9)]);
      const since = [0, 3_000, 3_001, 7_000, 7_001, 9_000, 9_001].map((atMs) =>
        store.firstSince(1, atMs),
      );
      expect(since).toEqual([3, 3, 7, 7, 9, 9, null]);
    });

    test("of one attempt alone are listed and summed without being opened", () => {
      const alone = { attempt: 1, lastIndex: 0 };
      write(store, [
        row(1),
        row(2, 0, { ...alone, firstByte: 100, gapBytes: 5 }),
        row(3, 0, { ...alone, firstByte: 200 }),
        row(4, 0, { ...alone, attempt: 2, firstByte: 0 }),
      ]);
      const of = { jobId: 1, index: 0, attempt: 1 };
      const byteCount = row(1).byteCount;
      expect(store.attemptRows(of, 0, 10)).toEqual([
        { seq: 2, firstByte: 100, gapBytes: 5, byteCount },
        { seq: 3, firstByte: 200, gapBytes: 0, byteCount },
      ]);
      expect(store.attemptRows(of, 3, 10).length).toBe(1);
      expect(store.attemptSums(1, 0)).toEqual([
        { attempt: 1, byteCount: 2 * byteCount, gapBytes: 5 },
        { attempt: 2, byteCount, gapBytes: 0 },
      ]);
    });

    test("lose rows and gain gaps in the very write that adds others", () => {
      write(store, [row(1), row(2), row(3)]);
      store.write({
        rows: [row(4)],
        dropped: [2],
        gaps: [{ seq: 3, gapBytes: 77 }],
        jobs: [{ jobId: 1, byteCount: 9, droppedBytes: 77 }],
      });
      expect(store.places(all, { backward: false, limit: 9 }).map(({ seq }) => seq)).toEqual([
        1, 3, 4,
      ]);
      expect(store.row(3)?.gapBytes).toBe(77);
      expect(store.job(1)).toEqual({ jobId: 1, byteCount: 9, droppedBytes: 77 });
    });

    test("of a job go in steps, the oldest first, and forget or keep their count", () => {
      write(
        store,
        [1, 2, 3].map((seq) => row(seq)),
      );
      write(store, [row(4, 0, { jobId: 2 })]);
      const { byteCount } = row(1);
      expect(store.removeRows(1, 2, true)).toEqual({
        outcome: "ok",
        bytes: 2 * byteCount,
        more: true,
      });
      expect(store.places(all, { backward: false, limit: 9 }).map(({ seq }) => seq)).toEqual([3]);
      expect(store.job(1)?.droppedBytes).toBe(2 * byteCount);
      expect(store.removeRows(1, 2, false).more).toBe(false);
      expect(store.job(1)).toBeNull();
      expect(store.row(4)).not.toBeNull();
      // Numbers are never given twice.
      expect(store.nextSeq).toBe(5);
    });

    test("give the space back that they took", () => {
      const large = new Uint8Array(60_000);
      for (let seq = 1; seq <= 50; seq++) {
        const base = row(seq);
        const length = Uint32Array.of(large.byteLength - 4, 4);
        const columns = { ...base.columns, length };
        write(store, [{ ...base, data: large, byteCount: large.byteLength, columns }]);
      }
      const used = store.usedBytes();
      expect(used).toBeGreaterThan(3_000_000);
      while (store.removeRows(1, 8, false).more);
      expect(store.usedBytes()).toBeLessThan(used / 10);
      while (store.shrink(64));
      expect(store.usedBytes()).toBeLessThan(used / 10);
    });
  });
}

describe("a file of logs", () => {
  test("is private, goes on where it was, and is read beside its writer", async () => {
    const first = (await openLogsForWriting(folder)).store;
    write(first, [row(1), row(2)]);
    const reader = await openLogsForReading(folder);
    expect(reader?.row(2)?.seq).toBe(2);
    reader?.close();
    first.removeRows(1, 10, false);
    first.close();
    expect(statSync(logsFile(folder)).mode & 0o777).toBe(0o600);
    const second = await openLogsForWriting(folder);
    expect(second.setAside).toBeNull();
    expect(second.store.nextSeq).toBe(3);
    second.store.close();
  });

  test("that is missing reads as none, and one of an older store is made", async () => {
    rmSync(join(folder, "logs"), { recursive: true });
    expect(await openLogsForReading(folder)).toBeNull();
    expect(await examineLogs(folder)).toMatchObject({ byteCount: 0, problem: null });
    const { store, setAside } = await openLogsForWriting(folder);
    expect([setAside, existsSync(logsFile(folder))]).toEqual([null, true]);
    store.close();
  });

  for (const [damage, harm] of Object.entries({
    "is no database": (path: string) => writeFileSync(path, "x".repeat(100_000)),
    "was cut": (path: string) => truncateSync(path, 20_000),
  })) {
    test(`that ${damage} is set aside, and new logs begin`, async () => {
      const path = logsFile(folder);
      const before = (await openLogsForWriting(folder)).store;
      for (let seq = 1; seq <= 400; seq++) write(before, [row(seq)]);
      before.close();
      harm(path);
      expect((await examineLogs(folder)).problem).not.toBeNull();
      const { store, setAside } = await openLogsForWriting(folder);
      expect(setAside?.path).toBe(`${path}.damaged`);
      expect(existsSync(`${path}.damaged`)).toBe(true);
      expect(write(store, [row(store.nextSeq)])).toBe("ok");
      store.close();
    });
  }

  test("of a newer program is set aside, too, and a reader finds none", async () => {
    const database = await openSqlDatabase({ path: logsFile(folder), readOnly: false });
    database.exec("pragma user_version = 99");
    database.close();
    expect(await openLogsForReading(folder)).toBeNull();
    const { store, setAside } = await openLogsForWriting(folder);
    expect(setAside?.reason).toContain("99");
    store.close();
  });

  test("that somebody else has locked is busy, and nothing of the write is there", async () => {
    const { store } = await openLogsForWriting(folder);
    const other = await openSqlDatabase({ path: logsFile(folder), readOnly: false });
    other.exec("begin immediate");
    expect(write(store, [row(1)])).toBe("busy");
    other.exec("rollback");
    other.close();
    expect(store.row(1)).toBeNull();
    expect(write(store, [row(1)])).toBe("ok");
    store.close();
  });
});
