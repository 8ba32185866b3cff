import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FRAME_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";
import {
  type BarePeer,
  besideHonestJob,
  connectProven,
  HONEST_COUNT,
  type LocalKeys,
  readLocalKeys,
} from "./bare-peer.ts";

let served: ServedWorld;
let keys: LocalKeys;
beforeAll(async () => {
  served = await createServedWorld(2);
  keys = readLocalKeys(served);
  served.file("mine.ts", "export default (n: number) => n;\n");
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

const asClient = () => connectProven(served.url, keys.client, "client");

let bootCount = 0;
/** A worker that takes no work but what asks for its label `liar`, which no honest one has. */
async function asWorker(label: string): Promise<BarePeer> {
  const peer = await connectProven(served.url, keys.worker, "worker");
  peer.send(readyOf(`hostile-${label}`, label));
  return peer;
}

/** `cc submit` for that worker alone. */
const submitTo = (label: string): string[] => [
  "submit",
  "-q",
  "--queue",
  "lies",
  "--worker-label",
  `liar=${label}`,
];

function readyOf(workerId: string, label: string): MessageOf<"worker_ready"> {
  return {
    type: "worker_ready",
    worker_id: workerId,
    boot_id: `boot-of-a-liar-${bootCount++}`,
    connection_seq: 1,
    offer: {
      slots: 1,
      queues: ["lies"],
      roles: [],
      labels: { liar: label },
      resources: {},
      memory_bytes: 2 ** 30,
      time_left_ms: null,
      sandbox: "process",
      host: "elsewhere",
      platform: "linux-x64",
      version: "0.1.0",
      pid: 1,
    },
    inventory: [],
    acknowledged_seq: 0,
  };
}

type Claim = Partial<MessageOf<"task_result">> & { readonly seq: number; readonly job_id: number };

/** A result of the value 666. */
const resultOf = (claim: Claim): MessageOf<"task_result"> => {
  const data = new TextEncoder().encode("\x01666");
  return {
    type: "task_result",
    assignment: 1,
    status: "completed",
    first_index: 0,
    count: 1,
    attempt: 1,
    run_us: 5,
    ended_ago_us: 0,
    value: { lengths: data.byteLength, data },
    ...claim,
  };
};

describe("a proven peer that stops following the protocol is told so and closed, alone", () => {
  const frames: [string, Uint8Array | string, string, number][] = [
    ["bytes that mean nothing", Buffer.alloc(4096, 0xc1), "malformed_message", 1007],
    ["a million levels of lists", new Uint8Array(1e6).fill(0x91), "malformed_message", 1007],
    ["text", "hello", "malformed_message", 1003],
  ];
  for (const [name, frame, code, closeCode] of frames) {
    test(
      `after ${name}`,
      () =>
        besideHonestJob(served, async () => {
          const connect = [asClient, () => asWorker("none")];
          for (const peer of await Promise.all(connect.map((each) => each()))) {
            peer.sendFrame(frame);
            expect((await peer.nextOf("error")).code).toBe(code);
            expect((await peer.closed).code).toBe(closeCode);
          }
        }),
      LONG,
    );
  }

  test(
    "after a frame of more than 16 MiB",
    () =>
      besideHonestJob(served, async () => {
        const peer = await asClient();
        peer.sendFrame(new Uint8Array(FRAME_BYTES_MAX + 1));
        expect((await peer.closed).code).toBe(1009);
      }),
    LONG,
  );

  test(
    "after work of a worker that has not said what it is",
    () =>
      besideHonestJob(served, async () => {
        const peer = await connectProven(served.url, keys.worker, "worker");
        peer.send(resultOf({ seq: 1, job_id: 1 }));
        expect(await peer.closed).toEqual({
          code: 1008,
          reason: "task_result before worker_ready",
        });
      }),
    LONG,
  );
});

describe("a peer that speaks for the other side is answered and may go on", () => {
  test(
    "a client that sends a worker's results",
    () =>
      besideHonestJob(served, async () => {
        const peer = await asClient();
        peer.send(resultOf({ seq: 1, job_id: 1 }));
        expect(await peer.nextOf("error")).toMatchObject({
          code: "unexpected_message",
          message: "A client does not send task_result.",
        });
        peer.send({ type: "get_job", request: 7, job_id: 1 });
        expect(await peer.nextOf("job_status")).toMatchObject({ request: 7 });
        peer.close();
      }),
    LONG,
  );

  test(
    "a worker that submits, cancels and shuts down",
    () =>
      besideHonestJob(served, async () => {
        const peer = await asWorker("none");
        const words: Message[] = [
          { type: "cancel_job", request: 1, job_id: 1 },
          { type: "shutdown", request: 2, force: true },
        ];
        for (const word of words) {
          peer.send(word);
          expect(await peer.nextOf("error")).toMatchObject({
            code: "unexpected_message",
            message: `A worker does not send ${word.type}.`,
          });
        }
        peer.close();
      }),
    LONG,
  );

  test(
    "a worker under the name of one that lives on another machine",
    () =>
      besideHonestJob(served, async () => {
        const workers = (await served.cc(["workers", "--json"])).stdout.trim().split("\n");
        const { worker_id: taken } = JSON.parse(workers[0] ?? "");
        const peer = await connectProven(served.url, keys.worker, "worker");
        peer.send(readyOf(taken, "none"));
        expect(await peer.nextOf("error")).toMatchObject({ code: "worker_id_taken" });
        expect((await peer.closed).code).toBe(1008);
      }),
    LONG,
  );
});

/** Sends a report and returns what the foreman did not take of it. */
async function report(peer: BarePeer, result: MessageOf<"task_result">) {
  peer.send(result);
  for (;;) {
    const ack = await peer.nextOf("task_result_ack");
    if (ack.seq === result.seq) return ack.stale ?? [];
  }
}

describe("a worker that reports what it was not given", () => {
  test(
    "changes nothing of the jobs of others, and hears that its reports are stale",
    () =>
      besideHonestJob(served, async (jobId) => {
        const liar = await asWorker("none");
        // Assignments are numbered from 1 in each epoch, so some of these are real.
        const numbers = Array.from({ length: 100 }, (_, i) => i + 1);
        const assignments = [0, 1, 2].flatMap((epoch) => numbers.map((n) => epoch * 2 ** 32 + n));
        let seq = 0;
        for (const assignment of assignments) {
          // The last task, which has not run yet.
          const claim = { seq: ++seq, job_id: jobId, assignment, first_index: HONEST_COUNT - 1 };
          expect(await report(liar, resultOf(claim))).toMatchObject([{ assignment }]);
        }
        liar.close();
      }),
    LONG,
  );

  test(
    "is believed in what it was given, and in nothing else",
    () =>
      besideHonestJob(served, async () => {
        const liar = await asWorker("mine");
        const submit = [...submitTo("mine"), "--json", "--array", "10-13", "mine.ts"];
        const mine = served.start(submit);
        let seq = 0;
        for (let settled = 0; settled < 4; ) {
          const { assignment, job_id, first_index, index, count } =
            await liar.nextOf("assign_task");
          const first = first_index ?? index?.[0] ?? 0;
          const claim = { job_id, assignment, first_index: first };
          const lies: Partial<Claim>[] = [
            { assignment: assignment + 1000 },
            { first_index: 99 },
            { first_index: 2 ** 32 - 1 },
            { attempt: 2 },
            { attempt: 0 },
          ];
          for (const lie of lies) {
            const stale = await report(liar, resultOf({ ...claim, ...lie, seq: ++seq }));
            expect({ lie, stale: stale.length }).toEqual({ lie, stale: 1 });
          }
          const data = new TextEncoder().encode("\x017".repeat(count));
          const honest = { ...claim, count, value: { lengths: 2, data } };
          expect(await report(liar, resultOf({ ...honest, seq: ++seq }))).toEqual([]);
          settled += count;
          // What is settled stays as it is.
          await report(liar, resultOf({ ...claim, seq: ++seq }));
        }
        const { exitCode, stdout } = await mine.ended;
        const rows = stdout
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line));
        expect(rows).toMatchObject([0, 1, 2, 3].map((i) => ({ index: i, value: 7, attempts: 1 })));
        expect(exitCode).toBe(0);
        liar.close();
      }),
    LONG,
  );

  test(
    "cannot report twice what it has settled",
    () =>
      besideHonestJob(served, async () => {
        const liar = await asWorker("twice");
        const job = served.start([...submitTo("twice"), "--input", "1", "mine.ts"]);
        const { assignment, job_id } = await liar.nextOf("assign_task");
        const once = resultOf({ seq: 1, job_id, assignment });
        liar.send(once);
        const failed = resultOf({ seq: 2, job_id, assignment });
        liar.send({ ...failed, status: "failed", code: ["error"] });
        liar.send(once);
        expect((await job.ended).stdout).toBe("666\n");
        const results = await served.cc(["results", String(job_id)]);
        expect(results).toMatchObject({ exitCode: 0, stdout: "666\n" });
        liar.close();
      }),
    LONG,
  );
});
