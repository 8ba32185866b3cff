/**
 * Answers `read_output`: a piece of a stdout that lies beside the store. Whoever reads asks for the next
 * piece when it has written the last one, so nothing is kept for a reader between two of its requests.
 */
import { CcError } from "../../protocol/error.ts";
import { asJobId, formatTaskId, type JobId } from "../../protocol/ids.ts";
import { OUTPUT_CHUNK_BYTES } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { OutputFiles, OutputName } from "../../store/output-files.ts";
import type { Channel } from "../../transport/channel.ts";
import type { Readers } from "../reading/readers.ts";

export interface OutputsDesk {
  read(channel: Channel, request: ReadOutput): Promise<void>;
}

type ReadOutput = MessageOf<"read_output">;

export function createOutputsDesk(parts: {
  readonly files: Pick<OutputFiles, "read">;
  /** null: there is none, or its attempt has not ended. */
  find(
    jobId: JobId,
    index: number,
    assignment: number,
  ): (OutputName & { readonly byteCount: number }) | null;
  readonly readers: Pick<Readers, "begin">;
}): OutputsDesk {
  return {
    async read(channel, request) {
      const { job_id, index, assignment, first_byte: firstByte } = request;
      const jobId = asJobId(job_id);
      const found = parts.find(jobId, index, assignment);
      if (found === null) throw noSuchOutput(jobId, index);
      parts.readers.begin(channel, jobId);
      const left = Math.max(0, found.byteCount - firstByte);
      const byteCount = Math.min(Math.max(1, request.bytes_max), OUTPUT_CHUNK_BYTES, left);
      const data =
        byteCount === 0 ? new Uint8Array(0) : await parts.files.read(found, firstByte, byteCount);
      if (data === null || data.byteLength < byteCount) throw lostOutput(jobId, index);
      channel.send({
        type: "output",
        request: request.request,
        job_id,
        index,
        first_byte: firstByte,
        data,
        total_bytes: found.byteCount,
      });
    },
  };
}

const noSuchOutput = (jobId: JobId, index: number): CcError =>
  new CcError({
    code: "no_such_output",
    message: `The output of task ${formatTaskId(jobId, index)} is not kept (any more): its job was removed, or the task was retried.`,
    exitCode: 2,
  });

const lostOutput = (jobId: JobId, index: number): CcError =>
  new CcError({
    code: "output_lost",
    message: `The file with the output of task ${formatTaskId(jobId, index)} is missing or shorter than it was.`,
    hint: "cc doctor --store DIR names what is missing; cc retry JOB/INDEX --all runs the task again.",
    exitCode: 3,
  });
