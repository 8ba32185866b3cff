/** Peers that submit, ask or report faster than anybody can take it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asBootId } from "../../src/runtime/protocol/ids.ts";
import type { Message } from "../../src/runtime/protocol/messages.ts";
import { anOffer, aSpec, commandWork } from "../support/specs.ts";
import { type Attacked, openAttacked } from "./hostile/attacked.ts";
import type { RawPeer } from "./hostile/raw-peer.ts";
import { eventually, within } from "./support/cluster.ts";
import { count, SETUP_MS, TEST_MS } from "./support/long.ts";

let attacked: Attacked;
beforeAll(async () => {
  attacked = await openAttacked();
}, SETUP_MS);
afterAll(() => attacked.close());

const MEBIBYTE = 2 ** 20;
/**
 * What may be held of a flood is a few megabytes; the rest is what the collector has not looked at yet,
 * and must not grow with the flood.
 */
const MEBIBYTES_MAX = 512;
const bounds = { mebibytesMax: MEBIBYTES_MAX };

/** Tasks that no worker takes, so that only their inputs count. */
const NOBODYS = aSpec({ work: commandWork(["true"]), worker_labels: { is: "nobody" } });

let submissionCount = 0;
async function openJob(peer: RawPeer): Promise<number> {
  peer.send({
    type: "submit_job",
    request: 1,
    submission_id: `flood-${submissionCount++}`,
    resumable: true,
    spec: NOBODYS,
    count: 0,
    input: { lengths: 0, data: new Uint8Array(0) },
    close: false,
  });
  return (await peer.nextOf("job_accepted")).job_id;
}

/** Sends without waiting for any answer; resolves when the system has taken the last byte. */
async function flood(peer: RawPeer, messages: Iterable<Message>): Promise<void> {
  let onRoom = Promise.withResolvers<void>();
  const wake = (): void => onRoom.resolve();
  peer.socket.on("drain", wake).on("close", wake);
  for (const message of messages) {
    if (!peer.isOpen) return;
    onRoom = Promise.withResolvers();
    peer.send(message);
    if (peer.socket.writableNeedDrain && peer.isOpen) await onRoom.promise;
  }
}

describe("a client that does not wait for its credit", () => {
  test(
    "submits inputs as fast as the foreman commits them, and no faster",
    async () => {
      await attacked.besideHonest(
        "inputs without credit",
        async () => {
          const peer = await attacked.proven("client");
          const jobId = await openJob(peer);
          const batchCount = count(60, 1_000);
          const data = new Uint8Array(MEBIBYTE).fill(0x31);
          const accepted = Promise.withResolvers<void>();
          peer.onMessage = (message) => {
            if (message.type === "tasks_accepted" && message.next_index === 16 * batchCount) {
              accepted.resolve();
            }
          };
          function* batches(): Generator<Message> {
            for (let batch = 0; batch < batchCount; batch++) {
              const first = 16 * batch;
              yield {
                type: "submit_tasks",
                request: batch + 2,
                job_id: jobId,
                first_index: first,
                count: 16,
                input: { lengths: MEBIBYTE / 16, data },
              };
            }
          }
          await flood(peer, batches());
          await within("all is accepted", accepted.promise);
          peer.end();
          await attacked.cluster.cc(["cancel", `${jobId}`]);
          await attacked.cluster.cc(["rm", `${jobId}`]);
        },
        bounds,
      );
    },
    TEST_MS,
  );

  test(
    "asks for results without reading them and is not read itself until it does",
    async () => {
      const { cluster } = attacked;
      cluster.file("large.ts", "export default (n: number) => String(n % 10).repeat(2 ** 20);\n");
      const submitted = await cluster.cc(["submit", "-dq", "--array", "0-24", "large.ts"]);
      const jobId = Number(submitted.stdout.trim());
      expect((await cluster.cc(["wait", `${jobId}`])).exitCode).toBe(0);
      await attacked.besideHonest(
        "results that nobody reads",
        async () => {
          const peer = await attacked.proven("client");
          peer.socket.pause();
          const read = {
            type: "read_results",
            job_id: jobId,
            order: "index",
            bytes_max: 2 ** 32 - 1,
            wait: false,
            skip_holes: false,
          } as const;
          const requestCount = 1_000;
          for (let request = 1; request <= requestCount; request++) {
            peer.send({ ...read, request, after: request % 20 });
          }
          // It has its answers once it reads, each of them.
          const beside = await attacked.proven("client");
          beside.send({ ...read, request: 1, after: 0, bytes_max: 1 });
          await beside.nextOf("results");
          const seen = new Set<number>();
          const all = Promise.withResolvers<void>();
          peer.onMessage = (message) => {
            if (message.type === "results" && seen.add(message.request).size === 100) all.resolve();
          };
          peer.socket.resume();
          await within("it is answered", Promise.race([all.promise, peer.closed]));
          expect(seen.size).toBeGreaterThanOrEqual(100);
          peer.end();
          beside.end();
        },
        bounds,
      );
    },
    TEST_MS,
  );

  test(
    "asks a hundred thousand small questions and reads no answer",
    async () => {
      await attacked.besideHonest(
        "questions",
        async (honest) => {
          const peer = await attacked.proven("client");
          peer.socket.pause();
          function* questions(): Generator<Message> {
            for (let request = 1; request <= 100_000; request++) {
              yield {
                type: "subscribe",
                request,
                view: { kind: "jobs", limit: 100 },
                follow: request % 2 === 0,
              };
            }
          }
          const flooding = flood(peer, questions());
          await Promise.race([flooding, honest.untilJobs(count(80, 500))]);
          peer.end();
          await flooding;
        },
        bounds,
      );
    },
    TEST_MS,
  );

  test(
    "submits as many jobs as it can, and other clients' submissions are answered",
    async () => {
      await attacked.besideHonest(
        "many jobs",
        async () => {
          const peer = await attacked.proven("client");
          const jobCount = count(1_000, 30_000);
          const accepted = Promise.withResolvers<void>();
          let acceptedCount = 0;
          peer.onMessage = (message) => {
            if (message.type === "job_accepted" && ++acceptedCount === jobCount) accepted.resolve();
          };
          function* jobs(): Generator<Message> {
            for (let request = 1; request <= jobCount; request++) {
              yield {
                type: "submit_job",
                request,
                submission_id: `many-${request}`,
                resumable: false,
                spec: NOBODYS,
                count: 1,
                input: { lengths: 2, data: Buffer.from("\x011") },
                close: true,
              };
            }
          }
          await flood(peer, jobs());
          await within("all are accepted", accepted.promise);
          peer.end();
        },
        bounds,
      );
    },
    TEST_MS,
  );
});

describe("honest work of unusual size", () => {
  test(
    "a job of a million tasks does not keep others waiting",
    async () => {
      await attacked.besideHonest(
        "a million tasks",
        async () => {
          const last = count(99_999, 999_999);
          const { cluster } = attacked;
          const words = ["submit", "-dq", "--worker-label", "is=nobody", "--array", `0-${last}`];
          const submitted = await cluster.cc([...words, "--", "true"]);
          expect(submitted.exitCode).toBe(0);
          const jobId = submitted.stdout.trim();
          expect((await cluster.cc(["cancel", jobId])).exitCode).toBe(0);
        },
        bounds,
      );
    },
    TEST_MS,
  );

  test(
    "an input of 100 MB is refused where it is made, with the limit",
    async () => {
      await attacked.besideHonest("an input of 100 MB", async () => {
        const { cluster } = attacked;
        cluster.file(
          "huge.ts",
          'export const inputs = ["x".repeat(1e8)];\nexport default () => 1;\n',
        );
        const refused = await cluster.cc(["submit", "-q", "huge.ts"]);
        expect(refused.exitCode).toBe(2);
        expect(refused.stderr).toContain("an input may have at most 8388608");
      });
    },
    TEST_MS,
  );
});

test(
  "a worker that reports faster than anybody can record it is read no faster than that",
  async () => {
    await attacked.besideHonest(
      "reports of a worker",
      async () => {
        const peer = await attacked.proven("worker");
        peer.send({
          type: "worker_ready",
          worker_id: "flooding",
          boot_id: asBootId("boot-of-a-flood"),
          connection_seq: 1,
          offer: anOffer({ queues: ["nobody.serves.this"], host: "elsewhere" }),
          inventory: [],
          acknowledged_seq: 0,
        });
        const data = new Uint8Array(4 * MEBIBYTE).fill(0x31);
        function* reports(): Generator<Message> {
          for (let seq = 1; seq <= count(40, 500); seq++) {
            yield {
              type: "task_result",
              seq,
              assignment: 5,
              job_id: 1,
              status: "completed",
              first_index: 0,
              count: 1,
              attempt: 1,
              run_us: 1,
              ended_ago_us: 0,
              value: { lengths: data.byteLength, data },
            };
          }
        }
        await flood(peer, reports());
        await eventually("the last report is refused", async () => {
          const { seq } = await peer.nextOf("task_result_ack");
          return seq === count(40, 500);
        });
        peer.end();
      },
      bounds,
    );
  },
  TEST_MS,
);
