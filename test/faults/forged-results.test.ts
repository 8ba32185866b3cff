/** A worker that reports what it was not given changes nothing, is told so, and is seen to do it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { hostname } from "node:os";
import type { Message, MessageOf } from "../../src/runtime/protocol/messages.ts";
import { anOffer } from "../support/specs.ts";
import { type Attacked, openAttacked } from "./hostile/attacked.ts";
import type { RawPeer } from "./hostile/raw-peer.ts";
import { within } from "./support/cluster.ts";
import { SETUP_MS, TEST_MS } from "./support/long.ts";

let attacked: Attacked;
beforeAll(async () => {
  attacked = await openAttacked();
}, SETUP_MS);
afterAll(() => attacked.close());

const TASK_COUNT = 4;

/** A worker that only gets jobs for its own label. */
async function join(id: string): Promise<RawPeer> {
  const peer = await attacked.proven("worker");
  peer.send(readyOf(id));
  return peer;
}

const readyOf = (id: string, host = "elsewhere"): MessageOf<"worker_ready"> => ({
  type: "worker_ready",
  worker_id: id,
  boot_id: `boot-of-${id}`,
  connection_seq: 1,
  offer: anOffer({ slots: TASK_COUNT, labels: { is: id }, host }),
  inventory: [],
  acknowledged_seq: 0,
});

/** What a worker was given, until it has `TASK_COUNT` tasks. */
async function takeTasks(peer: RawPeer): Promise<readonly MessageOf<"assign_task">[]> {
  const taken: MessageOf<"assign_task">[] = [];
  for (let count = 0; count < TASK_COUNT; count += taken.at(-1)?.count ?? 0) {
    taken.push(await within("tasks are assigned", peer.nextOf("assign_task")));
  }
  return taken;
}

const resultOf = (
  { assignment, job_id, count, first_index, index }: MessageOf<"assign_task">,
  seq: number,
  text: string,
): MessageOf<"task_result"> => {
  const data = new TextEncoder().encode(`\x01${JSON.stringify(text)}`.repeat(count));
  return {
    type: "task_result",
    seq,
    assignment,
    job_id,
    status: "completed",
    ...(index === undefined ? { first_index: first_index ?? 0 } : { index }),
    count,
    attempt: 1,
    run_us: 5,
    ended_ago_us: 0,
    value: { lengths: data.byteLength / count, data },
  };
};

async function acknowledged(peer: RawPeer, seq: number): Promise<MessageOf<"task_result_ack">> {
  for (;;) {
    const ack = await within("the report is answered", peer.nextOf("task_result_ack"));
    if (ack.seq >= seq) return ack;
  }
}

test(
  "the results of others' tasks are refused, the honest ones stand, and events name the liar",
  async () => {
    const { cluster } = attacked;
    await attacked.besideHonest("forged results", async () => {
      const owner = await join("owner");
      const liar = await join("liar");
      const words = ["submit", "-dq", "--worker-label", "is=owner", "--array", "0-3", "--", "true"];
      const jobId = (await cluster.cc(words)).stdout.trim();
      const batches = await takeTasks(owner);
      let seq = 0;
      for (const batch of batches) {
        liar.send(resultOf(batch, ++seq, "a lie"));
        const { stale = [] } = await acknowledged(liar, seq);
        expect(stale.reduce((sum, { index }) => sum + index.length, 0)).toBe(batch.count);
        // Nor may it take them away, return them, or say that they are gone.
        const held = {
          assignment: batch.assignment,
          index: Uint32Array.from({ length: batch.count }, (_, i) => (batch.first_index ?? 0) + i),
        };
        const lies: readonly Message[] = [
          { type: "task_started", seq: ++seq, ...held, running_us: 9e6 },
          { type: "tasks_returned", seq: ++seq, ...held, reason: "aborted" },
          { type: "tasks_gone", seq: ++seq, ...held },
        ];
        for (const lie of lies) liar.send(lie);
        await acknowledged(liar, seq);
      }
      batches.forEach((batch, i) => void owner.send(resultOf(batch, i + 1, "the truth")));
      expect((await acknowledged(owner, batches.length)).stale).toBeUndefined();
      // Too late, and by the right worker: what stands, stands.
      const [first] = batches;
      if (first) owner.send(resultOf(first, batches.length + 1, "a change of mind"));
      await acknowledged(owner, batches.length + 1);
      const results = await cluster.cc(["results", jobId]);
      expect(results.stdout).toBe("the truth\n".repeat(TASK_COUNT));
      const tasks = await cluster.json(["tasks", jobId]);
      expect(tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
      const events = await cluster.json(["events", "liar", "--kind", "stale_attempt"]);
      expect(events).toMatchObject(batches.map(({ count }) => ({ worker: "liar", count })));
      const workers = await cluster.json(["workers"]);
      expect(workers.find(({ worker_id }) => worker_id === "liar")).toMatchObject({
        refused: TASK_COUNT,
      });
      owner.end();
      liar.end();
    });
  },
  TEST_MS,
);

test(
  "a worker cannot speak under the name, or as the connection, of another",
  async () => {
    await attacked.besideHonest("borrowed names", async () => {
      const owner = await join("named");
      const words = ["submit", "-dq", "--worker-label", "is=named", "--array", "0-3", "--", "true"];
      const jobId = (await attacked.cluster.cc(words)).stdout.trim();
      const batches = await takeTasks(owner);
      const claims: readonly MessageOf<"worker_ready">[] = [
        { ...readyOf("named", hostname()), boot_id: "boot-of-another" },
        readyOf("named"),
        { ...readyOf("named"), connection_seq: 0 },
        { ...readyOf("honest"), boot_id: "boot-of-another" },
      ];
      for (const claim of claims) {
        const peer = await attacked.proven("worker");
        peer.send(claim);
        expect((await within("it is refused", peer.closed)).code).toBe(1008);
      }
      batches.forEach((batch, i) => void owner.send(resultOf(batch, i + 1, "mine")));
      expect((await acknowledged(owner, batches.length)).stale).toBeUndefined();
      const results = await attacked.cluster.cc(["results", jobId]);
      expect(results.stdout).toBe("mine\n".repeat(TASK_COUNT));
      owner.end();
    });
  },
  TEST_MS,
);
