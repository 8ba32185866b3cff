/**
 * Submits one job: the specification with its first inputs in one message, then the rest in batches as
 * the foreman takes them, then the word that no more follow. Whatever happens to the connection, each
 * input arrives once: after a loss the foreman says how many it holds, and the rest is sent again. A
 * foreman whose disk fills up on the way is waited for; one that is full at the start refuses.
 */
import { crc32 } from "node:zlib";
import type { Clock } from "../platform/clock.ts";
import { EMPTY_VALUES, sliceValues, valueOffsets } from "../protocol/columns.ts";
import { CcError, usageError } from "../protocol/error.ts";
import type { JobSpec } from "../protocol/job-spec.ts";
import type { MessageOf } from "../protocol/messages.ts";
import type { JobView } from "../protocol/views.ts";
import type { Connection } from "./connection.ts";
import { createInputFeed, type InputBatch } from "./input-feed.ts";
import type { EncodedBatch } from "./inputs/encode-inputs.ts";
import type { Link } from "./link.ts";
import { type Bundle, uploadBundle } from "./upload-bundle.ts";

export interface SubmitRequest {
  readonly link: Link;
  readonly spec: JobSpec;
  /** The user's idempotency key, or a random one. */
  readonly submissionId: string;
  /** The user chose it. */
  readonly resumable: boolean;
  /** A function's code; null for a command. */
  readonly bundle: Bundle | null;
  /** At least one batch. */
  readonly batches: AsyncIterable<EncodedBatch>;
  readonly clock: Pick<Clock, "setTimer">;
  /** The foreman's disk is full: inputs wait until there is room. */
  onHeld?(refusal: CcError): void;
}

export interface Submission {
  readonly jobId: number;
  /** The submission was known: this is that job. */
  readonly existing: boolean;
  /** How many inputs there are, once all are accepted; rejects with what went wrong on the way. */
  readonly inputs: Promise<number>;
  /** Whether `inputs` has resolved. */
  hasAllInputs(): boolean;
}

/**
 * Resolves as soon as the foreman has accepted the job; the other inputs follow by themselves.
 * @throws CcError what is wrong with the first inputs (nothing was submitted), or a refusal.
 */
export async function submitJob(request: SubmitRequest): Promise<Submission> {
  const { link, bundle } = request;
  const iterator = request.batches[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw usageError("inputs_empty", "The job has no inputs, expected at least one.");
  if (bundle) await link.run((connection) => uploadBundle(connection, bundle));
  const entry = await announce(request, first.value);
  const { accepted } = entry;
  // From now on the foreman keeps the job for as long as this command follows it.
  const followed = link.followJobs([accepted.job_id]);
  let isComplete = accepted.existing === false && first.value.isLast;
  const inputs = isComplete
    ? followed.then(() => first.value.count)
    : feed(request, entry, first.value, iterator).then(async (count) => {
        await followed;
        return count;
      });
  inputs.then(
    () => {
      isComplete = true;
    },
    () => {},
  );
  return {
    jobId: accepted.job_id,
    existing: accepted.existing,
    inputs,
    hasAllInputs: () => isComplete,
  };
}

interface Entry {
  readonly connection: Connection;
  readonly accepted: MessageOf<"job_accepted">;
}

/** Safe to repeat: the submission's id makes it the same job. */
function announce(request: SubmitRequest, first: EncodedBatch | null): Promise<Entry> {
  const { link, spec, submissionId, resumable } = request;
  return link.run(async (connection) => {
    const accepted = await connection.request({
      type: "submit_job",
      submission_id: submissionId,
      resumable,
      spec,
      count: first?.count ?? 0,
      input: first?.values ?? EMPTY_VALUES,
      close: first?.isLast ?? false,
    });
    return { connection, accepted };
  });
}

async function feed(
  request: SubmitRequest,
  entry: Entry,
  first: EncodedBatch,
  rest: AsyncIterator<EncodedBatch>,
): Promise<number> {
  try {
    return await feedMissing(request, entry, first, rest);
  } catch (thrown) {
    const { existing, job_id: jobId } = entry.accepted;
    if (!existing || !isInputsClosed(thrown)) throw thrown;
    // A cancelled job took no more of these very inputs; any other has all that its submitter had.
    if (await isCancelled(request.link, jobId)) throw thrown;
    throw conflict(jobId, "fewer inputs");
  }
}

/** Everything behind what the foreman holds already; returns how many inputs there are. */
async function feedMissing(
  request: SubmitRequest,
  { connection, accepted }: Entry,
  first: EncodedBatch,
  rest: AsyncIterator<EncodedBatch>,
): Promise<number> {
  const feeder = createInputFeed({
    jobId: accepted.job_id,
    creditBytes: accepted.credit_bytes,
    connection,
    clock: request.clock,
    ...(request.onHeld === undefined ? {} : { onHeld: request.onHeld }),
    async resume() {
      const again = await announce(request, null);
      return { connection: again.connection, heldCount: again.accepted.next_index };
    },
  });
  const skip = createSkip(accepted);
  let count = 0;
  for (let batch: EncodedBatch | null = first; batch !== null; batch = await nextOf(rest)) {
    count = batch.firstIndex + batch.count;
    const unsent = skip.take(batch);
    if (unsent) await feeder.send(unsent);
  }
  skip.check();
  await feeder.drain();
  await request.link.run((live) =>
    live.request({ type: "close_job", job_id: accepted.job_id, count }),
  );
  return count;
}

/** The job takes no more inputs: it has ended, or somebody has said that there are no more. */
export function isInputsClosed(thrown: unknown): boolean {
  return thrown instanceof CcError && thrown.code === "inputs_closed";
}

async function isCancelled(link: Link, jobId: number): Promise<boolean> {
  const { job } = await link.run((live) => live.request({ type: "get_job", job_id: jobId }));
  return (job as Partial<JobView> | null)?.state === "cancelled";
}

async function nextOf(batches: AsyncIterator<EncodedBatch>): Promise<EncodedBatch | null> {
  const step = await batches.next();
  return step.done ? null : step.value;
}

interface Skip {
  /** The part of a batch that the foreman lacks; null: none of it. */
  take(batch: EncodedBatch): InputBatch | null;
  /** @throws CcError when the inputs ended before what the foreman holds. */
  check(): void;
}

/** Compares the inputs that the foreman holds of a known submission with ours, and leaves them out. */
function createSkip(accepted: MessageOf<"job_accepted">): Skip {
  const { next_index: heldCount, input_crc32: heldCrc32 } = accepted;
  let crc = 0;
  let seen = 0;
  const compare = (): void => {
    if (crc >>> 0 !== heldCrc32 >>> 0) throw conflict(accepted.job_id, "other inputs");
  };
  return {
    take(batch) {
      const { firstIndex, count, values } = batch;
      seen = firstIndex + count;
      if (seen <= heldCount) {
        crc = crc32(values.data, crc);
        if (seen === heldCount) compare();
        return null;
      }
      if (firstIndex >= heldCount) return batch;
      const offsets = valueOffsets(values, count);
      const held = heldCount - firstIndex;
      crc = crc32(sliceValues(values, 0, held, offsets).data, crc);
      compare();
      return {
        firstIndex: heldCount,
        count: count - held,
        values: sliceValues(values, held, count, offsets),
      };
    },
    check() {
      if (seen < heldCount)
        throw conflict(accepted.job_id, `more inputs (${heldCount}, here are ${seen})`);
    },
  };
}

function conflict(jobId: number, what: string): CcError {
  return usageError(
    "idempotency_conflict",
    `This idempotency key belongs to job ${jobId}, which has ${what}.`,
    "Use another --idempotency-key for another job.",
  );
}
