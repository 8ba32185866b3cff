/** A store can be looked over while it is in use, and rows that contradict each other are named. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { openSqlDatabase } from "../../../../src/runtime/platform/sqlite-driver.ts";
import type { ValueColumn } from "../../../../src/runtime/protocol/columns.ts";
import { encodeCommandOutcome } from "../../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import { storePaths } from "../../../../src/runtime/store/folder.ts";
import { openOutputFiles } from "../../../../src/runtime/store/output-files.ts";
import {
  examineStore,
  isStoreHeld,
  PROBLEMS_MAX,
} from "../../../../src/runtime/store/sqlite/examine-store.ts";
import { SCHEMA_VERSION } from "../../../../src/runtime/store/sqlite/schema.ts";
import {
  functionSpec,
  inputs,
  jobFacts,
  NOW_MS,
  reclaimLimits,
  reopened,
  restCancelled,
  settled,
  settlement,
  valuesOf,
} from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openStore } from "../sqlite-world.ts";

const CODE = new TextEncoder().encode("export default () => 1;");
const SHA256 = createHash("sha256").update(CODE).digest("hex");
const TEXTS = ["a", "b", "c", "d"];
const INPUT_CRC32 = crc32(valuesOf(TEXTS).data);

/** Job 1 has completed, failed, retried and cancelled tasks; job 2 has none. */
async function fill(folder: string): Promise<void> {
  const store = await openStore(folder);
  await store.putBlob({ sha256: SHA256, kind: "bundle", bytes: CODE, atMs: NOW_MS });
  const facts = jobFacts(1, {
    spec: functionSpec(SHA256),
    inputCount: 4,
    inputCrc32: INPUT_CRC32,
    inputsClosedAtMs: NOW_MS,
    state: "failed",
    completed: 2,
    failed: 1,
    cancelled: 1,
    nextSettleSeq: 6,
    finishedAtMs: NOW_MS,
  });
  await store.commit([
    { type: "jobCreated", facts },
    inputs(1, 0, TEXTS.slice(0, 3)),
    inputs(1, 3, TEXTS.slice(3)),
    settled({ seq: 1, indexes: [0] }),
    settled({ seq: 2, indexes: [1, 2], status: "failed" }),
    reopened(3, [1]),
    settled({ seq: 4, indexes: [1], attempts: 2 }),
    restCancelled(5, 4, 1),
    { type: "jobCreated", facts: jobFacts(2, { inputCrc32: 0 }) },
  ]);
  await store.close();
}

async function alter(folder: string, sql: string): Promise<void> {
  const database = await openSqlDatabase({ path: storePaths(folder).database, readOnly: false });
  database.exec(sql);
  database.close();
}

async function problemsAfter(folder: string, sql: string): Promise<readonly string[]> {
  await fill(folder);
  await alter(folder, sql);
  return (await examineStore(folder, { whole: true })).problems;
}

export function suiteOfExamination(suite: FolderSuite): void {
  suite("a sound store has no problems, in use or not", async (folder) => {
    await fill(folder);
    const sound = { version: SCHEMA_VERSION, jobCount: 2, unfinishedCount: 1, problems: [] };
    const whole = await examineStore(folder, { whole: true });
    assert.deepEqual({ ...sound, checked: "rows", byteCount: whole.byteCount }, whole);
    assert.equal(await isStoreHeld(folder), false);
    const store = await openStore(folder);
    assert.equal(await isStoreHeld(folder), true);
    const quick = await examineStore(folder, { whole: false });
    assert.deepEqual({ ...sound, checked: "pages", byteCount: quick.byteCount }, quick);
    await store.close();
    assert.equal(await isStoreHeld(folder), false);
  });

  const contradictions: Readonly<Record<string, readonly [sql: string, problem: string]>> = {
    counters: [
      "update job set completed = 3 where job_id = 1",
      "job 1 counts 3 completed tasks, and its log has 2",
    ],
    "a missing settlement": [
      "delete from settlement where job_id = 1 and seq = 5",
      "job 1 counts 1 cancelled tasks, and its log has 0",
    ],
    "a settlement number that is taken": [
      "update job set next_settle_seq = 5 where job_id = 1",
      "job 1 would write settlement 5 next, and has 5 already",
    ],
    "missing inputs": [
      "delete from input_chunk where job_id = 1 and first_index = 0",
      "job 1 lacks its inputs from 0 to 2",
    ],
    "inputs that were changed": [
      "update input_chunk set data = x'41' where job_id = 1 and first_index = 3",
      "the inputs of job 1 do not have their checksum",
    ],
    "rows of no job": [
      "delete from job where job_id = 1",
      "settlement holds rows of 1 jobs that are gone",
    ],
    "code that was changed": [
      "update blob_chunk set data = x'00'",
      "the code of job 1 does not have its SHA-256",
    ],
    "missing code": ["delete from blob_chunk", "the code of job 1 is missing"],
  };
  for (const [what, [sql, problem]] of Object.entries(contradictions)) {
    suite(`${what}: an examination of the whole finds it`, async (folder) => {
      assert.equal((await problemsAfter(folder, sql))[0], problem);
    });
  }

  suite("a store with many problems names the first ones", async (folder) => {
    const store = await openStore(folder);
    const jobs = Array.from({ length: PROBLEMS_MAX + 5 }, (_, i) =>
      jobFacts(i + 1, { inputCount: 1 }),
    );
    await store.commit(jobs.map((facts) => ({ type: "jobCreated" as const, facts })));
    await store.close();
    const { problems } = await examineStore(folder, { whole: true });
    assert.equal(problems.length, PROBLEMS_MAX);
    assert.equal(problems[0], "job 1 has 0 inputs of 1");
  });

  suite("outputs that results name are there with their lengths, or are named", async (folder) => {
    const stored = (index: number, byteCount: number): Uint8Array =>
      encodeCommandOutcome({
        exitCode: 0,
        signal: null,
        stdout: new Uint8Array(0),
        storedStdout: { byteCount, assignment: 100 + index, sha256: "00".repeat(32) },
        stderr: new Uint8Array(0),
        stderrDroppedBytes: 0,
      });
    const values = (...rows: Uint8Array[]): ValueColumn => ({
      lengths: Uint32Array.from(rows, (row) => row.byteLength),
      data: Buffer.concat(rows),
    });
    const named = (of: Parameters<typeof settlement>[0], column: ValueColumn): Change => ({
      type: "settled",
      settlement: { ...settlement(of), values: column },
    });
    const failure = encodeFailure({ code: "exit_status", message: "no" }, stored(2, 7));
    await fill(folder);
    const store = await openStore(folder);
    const facts = jobFacts(3, { inputCount: 4, inputCrc32: INPUT_CRC32, completed: 2, failed: 1 });
    await store.commit([
      { type: "jobCreated", facts: { ...facts, nextSettleSeq: 5 } },
      inputs(3, 0, TEXTS),
      named({ jobId: asJobId(3), seq: 1, indexes: [3] }, values(stored(3, 9))),
      named({ jobId: asJobId(3), seq: 2, indexes: [0, 1] }, values(stored(0, 5), stored(1, 6))),
      named({ jobId: asJobId(3), seq: 3, indexes: [2], status: "failed" }, values(failure)),
      reopened(4, [3], asJobId(3)),
    ]);
    await store.close();
    const files = openOutputFiles(storePaths(folder).artifacts);
    for (const [index, byteCount] of [5, 6, 7].entries()) {
      const name = { jobId: 3, index, attempt: 1, assignment: 100 + index };
      await files.write(name, 0, [new Uint8Array(byteCount)]);
    }
    assert.deepEqual((await examineStore(folder, { whole: true })).problems, []);
    await files.write({ jobId: 3, index: 0, attempt: 1, assignment: 100 }, 5, [new Uint8Array(1)]);
    await files.remove({ jobId: 3, index: 2, attempt: 1, assignment: 102 });
    assert.deepEqual((await examineStore(folder, { whole: true })).problems, [
      "the output of task 3/0 (5 bytes) has 6 bytes",
      "the output of task 3/2 (7 bytes) is missing",
    ]);
  });

  suite("rows of a removed job that wait to be deleted are no problem", async (folder) => {
    await fill(folder);
    const store = await openStore(folder);
    await store.commit([{ type: "jobRemoved", jobId: asJobId(1) }]);
    await store.reclaim(reclaimLimits({ rowsMax: 1 }));
    await store.close();
    const { problems, jobCount } = await examineStore(folder, { whole: true });
    assert.deepEqual([problems, jobCount], [[], 1]);
  });

  suite("a job that is removed and still there is named", async (folder) => {
    const problems = await problemsAfter(folder, "insert into removed_job(job_id) values (2)");
    assert.deepEqual(problems, ["job 2 is removed and still there"]);
  });
}
