import { describe, expect, test } from "bun:test";
import { buildSpec, commandWork } from "../../../src/runtime/client/build-spec.ts";
import { encodeInputs } from "../../../src/runtime/client/inputs/encode-inputs.ts";
import { createLink, type Link } from "../../../src/runtime/client/link.ts";
import { submitJob } from "../../../src/runtime/client/submit-job.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { ValueColumnBuilder } from "../../../src/runtime/protocol/columns.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import { encodeValue } from "../../../src/runtime/protocol/value.ts";
import {
  createInputKeeper,
  createScriptedForeman,
  type ScriptedForeman,
} from "./scripted-foreman.ts";

const SHAPE = { product_sources: 0, chunk: 0, none: false };
const WORK = commandWork({
  words: ["echo"],
  options: {},
  placeholder: undefined,
  stdin: false,
  cwd: "/",
});
const SPEC = buildSpec({
  options: {},
  work: WORK,
  shape: SHAPE,
  defaultName: "echo",
  after: [],
  attached: false,
  env: {},
  cwd: "/",
  words: ["submit"],
});

/** Inputs of 1,000 characters: about a thousand a batch. */
const inputOf = (index: number): string => `${index}`.padEnd(1_000, "x");

async function* batchesOf(count: number): AsyncGenerator<readonly unknown[]> {
  for (let from = 0; from < count; from += 500) {
    yield Array.from({ length: Math.min(500, count - from) }, (_, i) => inputOf(from + i));
  }
}

function encoded(batches: AsyncIterable<readonly unknown[]>) {
  const source = { label: "inputs", productSources: 0, isNone: false, batches };
  return encodeInputs(source, { chunk: 0, head: undefined, clock: systemClock });
}

function expectedData(count: number): Uint8Array {
  const builder = new ValueColumnBuilder();
  for (let i = 0; i < count; i++) encodeValue(inputOf(i), builder);
  return builder.take().data;
}

async function linkTo(foreman: ScriptedForeman): Promise<Link> {
  return createLink({
    connection: await foreman.connect(),
    redial: foreman.connect,
    clock: systemClock,
    chance: () => 0,
  });
}

function submit(link: Link, batches: AsyncIterable<readonly unknown[]>, submissionId = "s1") {
  return submitJob({
    link,
    spec: SPEC,
    submissionId,
    resumable: true,
    bundle: null,
    batches: encoded(batches),
    clock: systemClock,
  });
}

const typesOf = (heard: readonly Message[]): string[] => heard.map(({ type }) => type);

describe("a submission", () => {
  test("of one task is one message that closes the job", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const submission = await submit(link, batchesOf(1));
    expect(submission.jobId).toBe(17);
    expect(submission.hasAllInputs()).toBe(true);
    expect(await submission.inputs).toBe(1);
    expect(typesOf(foreman.heard)).toEqual(["submit_job", "follow_jobs"]);
    expect(keeper.job).toMatchObject({ count: 1, closed: true });
    link.close();
  });

  test("streams its inputs in order and closes the job with their number", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const submission = await submit(link, batchesOf(5_000));
    expect(submission.hasAllInputs()).toBe(false);
    expect(await submission.inputs).toBe(5_000);
    expect(submission.hasAllInputs()).toBe(true);
    expect(keeper.job.closed).toBe(true);
    expect(Buffer.compare(keeper.job.data, expectedData(5_000))).toBe(0);
    link.close();
  });

  test("keeps no more under way than the credit allows", async () => {
    let underWay = 0;
    let underWayMax = 0;
    const keeper = createInputKeeper((message, channel, job) => {
      if (message.type !== "submit_tasks") return false;
      underWayMax = Math.max(underWayMax, ++underWay);
      job.data = Buffer.concat([job.data, message.input.data]);
      job.count += message.count;
      const { request } = message;
      const next_index = job.count;
      setTimeout(() => {
        underWay--;
        channel.send({ type: "tasks_accepted", request, job_id: 17, next_index, credit_bytes: 0 });
      }, 1);
      return true;
    });
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const submission = await submit(link, batchesOf(8_000));
    expect(await submission.inputs).toBe(8_000);
    // One batch is more than this credit already.
    expect(underWayMax).toBe(1);
    link.close();
  });

  test("sends on after a lost connection, each input once", async () => {
    let cuts = 3;
    let foreman: ScriptedForeman;
    const keeper = createInputKeeper((message, _channel, job) => {
      if (message.type !== "submit_tasks" || cuts === 0) return false;
      cuts--;
      // Heard and kept, but the answer is lost; every other time it is not even kept.
      if (cuts % 2 === 0) {
        job.data = Buffer.concat([job.data, message.input.data]);
        job.count += message.count;
      }
      foreman.cut();
      return true;
    });
    foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const submission = await submit(link, batchesOf(6_000));
    expect(await submission.inputs).toBe(6_000);
    expect(foreman.connectionCount).toBe(4);
    expect(keeper.job.closed).toBe(true);
    expect(Buffer.compare(keeper.job.data, expectedData(6_000))).toBe(0);
    link.close();
  });

  test("under a known key sends only what is missing", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    await (await submit(link, batchesOf(1_300))).inputs;
    keeper.job.closed = false;
    foreman.heard.length = 0;
    const again = await submit(link, batchesOf(4_000));
    expect(again.existing).toBe(true);
    expect(await again.inputs).toBe(4_000);
    const [firstSent] = foreman.heard.flatMap((message) =>
      message.type === "submit_tasks" ? [message.first_index] : [],
    );
    expect(firstSent).toBe(1_300);
    expect(Buffer.compare(keeper.job.data, expectedData(4_000))).toBe(0);
    link.close();
  });

  test("under a known key with other inputs, or fewer, is a conflict", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    await (await submit(link, batchesOf(1_300))).inputs;
    async function* others(): AsyncGenerator<readonly unknown[]> {
      yield Array.from({ length: 1_300 }, (_, i) => inputOf(i === 700 ? 0 : i));
    }
    const other = await submit(link, others());
    await expect(other.inputs).rejects.toThrow(/belongs to job 17, which has other inputs/);
    const fewer = await submit(link, batchesOf(1_000));
    await expect(fewer.inputs).rejects.toThrow(/which has more inputs \(1300, here are 1000\)/);
    link.close();
  });

  test("with more inputs than a job that is whole is a conflict, other than for a cancelled one", async () => {
    for (const [state, error] of [
      ["completed", /belongs to job 17, which has fewer inputs/],
      ["running", /belongs to job 17, which has fewer inputs/],
      ["cancelled", /Job 17 takes no more inputs/],
    ] as const) {
      const keeper = createInputKeeper((message, channel, job) => {
        if (message.type === "submit_tasks" && job.closed) {
          const { request } = message;
          channel.send({
            type: "error",
            request,
            code: "inputs_closed",
            message: "Job 17 takes no more inputs.",
            retryable: false,
          });
          return true;
        }
        if (message.type !== "get_job") return false;
        const { request } = message;
        channel.send({ type: "job_status", request, job: { job_id: 17, state }, affected: 0 });
        return true;
      });
      const link = await linkTo(createScriptedForeman(keeper.answer));
      await (await submit(link, batchesOf(1_300))).inputs;
      const more = await submit(link, batchesOf(1_400));
      await expect(more.inputs).rejects.toThrow(error);
      expect(keeper.job.count).toBe(1_300);
      link.close();
    }
  });

  test("inputs that are wrong at once submit nothing", async () => {
    const foreman = createScriptedForeman(createInputKeeper().answer);
    const link = await linkTo(foreman);
    async function* wrong(): AsyncGenerator<readonly unknown[]> {
      yield [1, () => 2];
    }
    await expect(submit(link, wrong())).rejects.toThrow(/Input 1: .* is a function/);
    expect(foreman.heard).toEqual([]);
    link.close();
  });

  test("inputs that fail later reject `inputs`, with the job known", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    async function* breaking(): AsyncGenerator<readonly unknown[]> {
      yield* batchesOf(2_000);
      throw new Error("broken generator");
    }
    const submission = await submit(link, breaking());
    expect(submission.jobId).toBe(17);
    await expect(submission.inputs).rejects.toThrow("broken generator");
    expect(keeper.job.closed).toBe(false);
    link.close();
  });

  test("waits for a foreman whose disk fills up on the way, and says so once", async () => {
    let refusals = 0;
    const keeper = createInputKeeper((message, channel, job) => {
      if (message.type !== "submit_tasks" || job.count < 2_000 || refusals === 2) return false;
      // What was under way behind the refused batch does not fit where the foreman stands.
      const isNext = message.first_index === job.count;
      if (isNext) refusals++;
      const code = isNext ? "storage_full" : "inputs_gap";
      const { request } = message;
      channel.send({ type: "error", request, code, message: "no room", retryable: true });
      return true;
    });
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const held: string[] = [];
    const submission = await submitJob({
      link,
      spec: SPEC,
      submissionId: "s1",
      resumable: false,
      bundle: null,
      batches: encoded(batchesOf(5_000)),
      clock: { setTimer: (_delayMs, onTime) => systemClock.setTimer(0, onTime) },
      onHeld: ({ code }) => held.push(code),
    });
    expect(await submission.inputs).toBe(5_000);
    expect(held).toEqual(["storage_full"]);
    expect(refusals).toBe(2);
    expect(Buffer.compare(keeper.job.data, expectedData(5_000))).toBe(0);
    link.close();
  });

  test("a function's code is offered first and sent where it is not known", async () => {
    const keeper = createInputKeeper();
    const foreman = createScriptedForeman(keeper.answer);
    const link = await linkTo(foreman);
    const code = new Uint8Array(2.5 * 1024 * 1024).fill(7);
    await submitJob({
      link,
      spec: SPEC,
      submissionId: "s1",
      resumable: false,
      bundle: { sha256: "b".repeat(64), code },
      batches: encoded(batchesOf(1)),
      clock: systemClock,
    });
    expect(typesOf(foreman.heard).slice(0, 6)).toEqual([
      "blob_offer",
      "blob_chunk",
      "blob_chunk",
      "blob_chunk",
      "blob_done",
      "submit_job",
    ]);
    link.close();
  });
});
