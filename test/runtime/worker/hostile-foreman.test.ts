/** What a foreman may say, however wrong, must not end a worker, nor what it does for others. */
import { afterEach, expect, test } from "bun:test";
import { readFrame } from "../../../src/runtime/transport/read-frame.ts";
import { mutatedFrame } from "../../support/fuzz/mutate.ts";
import { createRandom, seedOfFrame } from "../../support/fuzz/random.ts";
import type { Plain } from "../../support/fuzz/sample-messages.ts";
import { commandSpec, startTestWorker, type TestWorker } from "./test-worker.ts";

const FRAME_COUNT = Number(process.env["CC_FUZZ_FRAMES"] ?? 4_000);
const SEED = Number(process.env["CC_FUZZ_SEED"] ?? 7);

let started: TestWorker | null = null;
afterEach(async () => {
  await started?.close();
  started = null;
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function samples(): readonly Plain[] {
  const u32s = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer);
  const held = { assignment: 77, index: u32s(0, 1) };
  const assign = {
    type: "assign_task",
    assignment: 77,
    job_id: 9,
    spec: commandSpec(["true"]),
    spec_version: 1,
    owner: "somebody",
    bundle_sha256: null,
    priority: 0,
    attempt: 1,
    timeout_ms: 1_000,
    first_index: 0,
    count: 2,
    input: { lengths: 2, data: text("\x011\x012") },
  };
  const sha256 = "0".repeat(64);
  return [
    assign,
    { ...assign, assignment: 78, job_id: 10, bundle_sha256: sha256 },
    { type: "task_result_ack", seq: 1, stale: [held] },
    { type: "revoke_task", request: 1, ...held },
    { type: "cancel_task", ...held, reason: "cancelled" },
    { type: "heartbeat_echo", beat: 1 },
    { type: "blob_chunk", request: 1, sha256, number: 0, data: text("chunk") },
    { type: "blob_done", request: 1, sha256 },
    { type: "error", request: 1, code: "no_such_job", message: "No.", retryable: false },
    { type: "goodbye", reason: "enough" },
    { type: "job_status", request: 1, job: {}, affected: 0 },
  ];
}

test("nearly right messages of a foreman, then honest work", async () => {
  started = startTestWorker();
  const { foreman } = started;
  await foreman.wait("worker_ready");
  const random = createRandom(SEED);
  const known = samples();
  let saidCount = 0;
  for (let i = 0; i < FRAME_COUNT; i++) {
    const seed = seedOfFrame(SEED, i);
    const frame = mutatedFrame(seed, known, "msgpack");
    const reading = readFrame(frame, { encoding: "msgpack", bytesMax: 2 ** 24 });
    // What is refused here ends the connection; that is the transport's matter.
    if (reading.kind !== "message" || reading.message.type === "drain") continue;
    // Its end of a session is heeded: seldom, or nothing else would be heard.
    if (reading.message.type === "goodbye" && !random.chance(0.02)) continue;
    foreman.send(reading.message);
    saidCount++;
    if (i % 50 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect(saidCount).toBeGreaterThan(FRAME_COUNT / 10);
  foreman.assign({
    assignment: 2 ** 33,
    jobId: 1_000_000,
    spec: commandSpec(["echo", "honest", "{}"]),
    inputs: ["work"],
    priority: 100,
  });
  const outcome = await foreman.outcome(0, 2 ** 33);
  if (outcome.kind !== "command") throw new Error(`honest work ended as ${outcome.kind}`);
  expect(new TextDecoder().decode(outcome.outcome.stdout)).toBe("honest work\n");
}, 60_000);
