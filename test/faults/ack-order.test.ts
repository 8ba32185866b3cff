/**
 * Nothing is acknowledged before it is durable: under `strace`, no acknowledgement leaves the foreman
 * while the write-ahead log holds bytes that are not synced, and none without a commit since its
 * request. Shown for submissions, results and cancels; builds that are wrong on purpose must be found.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BunPlugin } from "bun";
import { buildBinary } from "../../scripts/build-binary.ts";
import type { MessageOf } from "../../src/runtime/protocol/messages.ts";
import { readKeyFile } from "../../src/runtime/transport/key-files.ts";
import { connectProven } from "../e2e/hostile-peers/bare-peer.ts";
import { anOffer, aSpec, commandWork } from "../support/specs.ts";
import { type Cluster, openCluster } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";
import { type AckOrder, canTrace, readAckOrder, underTrace } from "./support/trace.ts";

const ROUNDS = count(50, 1_000);

let folder: string;
let cluster: Cluster;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-ack-order-"));
}, SETUP_MS);
afterEach(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

async function traced(act: () => Promise<void>, binary?: string): Promise<AckOrder> {
  const file = join(folder, "calls");
  cluster = await openCluster({ ...underTrace(file), ...(binary ? { binary } : {}) });
  await act();
  const { foreman } = cluster;
  await foreman.stop();
  return await readAckOrder(file, foreman.pid);
}

const keyOf = (role: string) =>
  readKeyFile(
    join(cluster.world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys", `local-${role}.key`),
  );

/** A value column of one JSON `1`. */
const ONE = new TextEncoder().encode("\x011");

/** One job after the other, each with one task; then the last one is cancelled. */
async function submitAndCancel(): Promise<void> {
  const client = await connectProven(cluster.url, keyOf("admin"), "client");
  for (let round = 1; round <= ROUNDS; round++) {
    client.send({
      type: "submit_job",
      request: round,
      submission_id: `round-${round}`,
      resumable: false,
      spec: aSpec({ work: commandWork(["true"]) }),
      count: 1,
      input: { lengths: ONE.byteLength, data: ONE },
      close: true,
    });
    const { job_id } = await client.nextOf("job_accepted");
    client.send({ type: "cancel_job", request: ROUNDS + round, job_id });
    await client.nextOf("job_status");
  }
  client.close();
}

/** A worker that returns one result after the other and waits for each acknowledgement. */
async function returnResults(): Promise<void> {
  const words = ["submit", "-d", "--array", `1-${ROUNDS}`, "--", "true"];
  expect(await cluster.cc(words)).toMatchObject({ exitCode: 0 });
  const worker = await connectProven(cluster.url, keyOf("worker"), "worker");
  worker.send({
    type: "worker_ready",
    worker_id: "one-by-one",
    boot_id: randomUUID(),
    connection_seq: 1,
    offer: anOffer({ slots: 1 }),
    inventory: [],
    acknowledged_seq: 0,
  });
  let seq = 0;
  while (seq < ROUNDS) {
    const assigned = await worker.nextOf("assign_task");
    for (let row = 0; row < assigned.count; row++) {
      worker.send(resultOf(assigned, row, ++seq));
      // Acknowledgements are cumulative.
      while ((await worker.nextOf("task_result_ack")).seq < seq);
    }
  }
  worker.close();
}

function resultOf(
  { assignment, job_id, first_index, index }: MessageOf<"assign_task">,
  row: number,
  seq: number,
): MessageOf<"task_result"> {
  return {
    type: "task_result",
    seq,
    assignment,
    job_id,
    status: "completed",
    first_index: index?.[row] ?? (first_index ?? 0) + row,
    count: 1,
    attempt: 1,
    run_us: 5,
    ended_ago_us: 0,
    value: { lengths: ONE.byteLength, data: ONE },
  };
}

/** The program with some words of one module changed. */
async function buildWrong(file: RegExp, right: string, wrong: string): Promise<string> {
  const outfile = join(folder, "cc-wrong");
  let changedCount = 0;
  const plugin: BunPlugin = {
    name: "wrong on purpose",
    setup(build) {
      build.onLoad({ filter: file }, async ({ path }) => {
        const source = await Bun.file(path).text();
        changedCount += source.split(right).length - 1;
        return { contents: source.replace(right, wrong), loader: "ts" };
      });
    },
  };
  const target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  await buildBinary({ target, outfile, plugins: [plugin] });
  expect(changedCount).toBe(1);
  return outfile;
}

describe.skipIf(!canTrace)("under strace", () => {
  test.each([
    ["a submission or a cancel", submitAndCancel, 2 * ROUNDS],
    ["a result", returnResults, ROUNDS],
  ] as const)(
    "no acknowledgement of %s leaves before the log's bytes are synced",
    async (kind, act, atLeast) => {
      const order = await traced(act);
      expect({ ...order, ackCount: 0 }).toEqual({ ackCount: 0, beforeSync: [], beforeCommit: [] });
      expect(order.ackCount).toBeGreaterThanOrEqual(atLeast);
      report(`strace, ${kind}: ${order.ackCount} acknowledgements, 0 before their sync`);
    },
    TEST_MS,
  );

  test(
    "nor any under the load of real workers and submitters",
    async () => {
      const order = await traced(async () => {
        const history = createHistory(cluster);
        await Promise.all(["w1", "w2"].map((id) => cluster.worker(id)));
        for (let job = 0; job < 3; job++) await history.submit({ taskCount: 20 * ROUNDS });
        await history.check({ startsMax: 1 });
      });
      expect(order.beforeSync).toEqual([]);
      expect(order.ackCount).toBeGreaterThan(3);
      report(`strace, mixed load: ${order.ackCount} acknowledgements, 0 before their sync`);
    },
    TEST_MS,
  );

  test(
    "a store that does not sync each commit is found out",
    async () => {
      const wrong = await buildWrong(
        /store\/sqlite\/open-database\.ts$/,
        "synchronous = full",
        "synchronous = normal",
      );
      const order = await traced(submitAndCancel, wrong);
      expect(order.beforeSync.length).toBeGreaterThan(ROUNDS);
    },
    TEST_MS,
  );

  test(
    "a foreman that speaks before it commits is found out",
    async () => {
      const commit = "if (changes.length > 0) await commit(changes);";
      const wrong = await buildWrong(
        /foreman\/pump\.ts$/,
        commit,
        `for (const effect of effects.splice(0)) parts.perform(effect);\n${commit}`,
      );
      const order = await traced(returnResults, wrong);
      expect(order.beforeCommit.length).toBeGreaterThan(ROUNDS / 2);
    },
    TEST_MS,
  );
});
