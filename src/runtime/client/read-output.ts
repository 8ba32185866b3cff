/**
 * A stdout that lies beside the foreman's store, piece by piece and in order: while one piece is written
 * the next is on its way, and no more. After a lost connection it goes on where it stood; whoever reads
 * to the end knows that it is what the command printed.
 */
import { createHash } from "node:crypto";
import type { StoredOutput } from "../protocol/command-outcome.ts";
import { CcError, usageError } from "../protocol/error.ts";
import { formatTaskId } from "../protocol/ids.ts";
import { OUTPUT_CHUNK_BYTES, OUTPUT_TEXT_BYTES_MAX } from "../protocol/limits.ts";
import type { Link } from "./link.ts";

/** The stdout of one of a job's tasks, as its result names it. */
export type ReadStored = (index: number, stored: StoredOutput) => AsyncIterable<Uint8Array>;

export const storedOutputsOf =
  (link: Link, jobId: number): ReadStored =>
  (index, stored) =>
    readOutput(link, jobId, index, stored);

async function* readOutput(
  link: Link,
  jobId: number,
  index: number,
  stored: StoredOutput,
): AsyncGenerator<Uint8Array> {
  const { byteCount, assignment, sha256 } = stored;
  const hash = createHash("sha256");
  const ask = (at: number): Promise<Uint8Array> =>
    link.run(async (connection) => {
      const { data, total_bytes: total } = await connection.request({
        type: "read_output",
        job_id: jobId,
        index,
        assignment,
        first_byte: at,
        bytes_max: OUTPUT_CHUNK_BYTES,
      });
      if (data.byteLength === 0 || total !== byteCount) throw notAsPrinted(jobId, index);
      return data;
    });
  let next = ask(0);
  for (let at = 0; at < byteCount; ) {
    const piece = await next;
    at += piece.byteLength;
    if (at < byteCount) {
      next = ask(at);
      // Whoever stops reading here does not wait for it.
      next.catch(() => {});
    }
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== sha256) throw notAsPrinted(jobId, index);
}

/**
 * All of it at once, for where it must be one text.
 * @throws CcError `output_too_large`, exit 2.
 */
export async function readWholeOutput(
  read: ReadStored,
  jobId: number,
  index: number,
  stored: StoredOutput,
): Promise<Uint8Array> {
  if (stored.byteCount > OUTPUT_TEXT_BYTES_MAX) throw tooLarge(jobId, index, stored.byteCount);
  const whole = new Uint8Array(stored.byteCount);
  let at = 0;
  for await (const piece of read(index, stored)) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

function notAsPrinted(jobId: number, index: number): CcError {
  return new CcError({
    code: "output_corrupt",
    message: `The output of task ${formatTaskId(jobId, index)} is not what the command printed: its length or SHA-256 differs.`,
    hint: "Check the disk of the foreman's store; cc retry JOB/INDEX --all runs the task again.",
    exitCode: 3,
  });
}

function tooLarge(jobId: number, index: number, byteCount: number): CcError {
  const task = formatTaskId(jobId, index);
  const mebibytes = Math.ceil(byteCount / 2 ** 20);
  return usageError(
    "output_too_large",
    `Task ${task} printed ${mebibytes} MiB, and reduce is given outputs up to ${OUTPUT_TEXT_BYTES_MAX / 2 ** 20} MiB.`,
    `Print it with cc results ${jobId}.`,
  );
}
