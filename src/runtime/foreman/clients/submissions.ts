/**
 * Turns what submitters send into events: keeps the running checksum of inputs that are still on
 * their way through the inbox, and trims what a resend repeats, so that the machine only ever sees
 * the next inputs or none.
 */
import { crc32 } from "node:zlib";
import { sliceValues, valueOffsets } from "../../protocol/columns.ts";
import { asJobId, type JobId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { ReplyToken } from "../../scheduler/foreman/events.ts";
import type { UnstampedEvent } from "../pump.ts";

export interface InputProgress {
  readonly nextIndex: number;
  readonly crc32: number;
}

export interface Submissions {
  submitJob(message: MessageOf<"submit_job">, owner: string, token: ReplyToken): UnstampedEvent;
  submitTasks(message: MessageOf<"submit_tasks">, token: ReplyToken): UnstampedEvent;
  /** The job takes no more inputs, or its submitter is gone: what was under way is settled. */
  forget(jobId: JobId): void;
}

/** @param committed what the machine holds of a job's inputs; null when the job is unknown. */
export function createSubmissions(committed: (jobId: JobId) => InputProgress | null): Submissions {
  /** Inputs posted but perhaps not stepped yet. */
  const underWay = new Map<JobId, InputProgress>();

  return {
    submitJob(message, owner, token) {
      return {
        type: "jobSubmitted",
        token,
        owner,
        submissionId: message.submission_id,
        resumable: message.resumable,
        spec: message.spec,
        count: message.count,
        values: message.input,
        inputCrc32: crc32(message.input.data),
        close: message.close,
      };
    },
    submitTasks(message, token) {
      const jobId = asJobId(message.job_id);
      const base = { type: "tasksSubmitted", token, jobId } as const;
      const held = underWay.get(jobId) ?? committed(jobId);
      const repeated = held === null ? 0 : Math.max(0, held.nextIndex - message.first_index);
      if (held === null || message.first_index > held.nextIndex || repeated >= message.count) {
        const { first_index: firstIndex, count, input: values } = message;
        return { ...base, firstIndex, count, values, inputCrc32: held?.crc32 ?? 0 };
      }
      const values =
        repeated === 0
          ? message.input
          : sliceValues(
              message.input,
              repeated,
              message.count,
              valueOffsets(message.input, message.count),
            );
      const inputCrc32 = crc32(values.data, held.crc32);
      const firstIndex = message.first_index + repeated;
      const count = message.count - repeated;
      underWay.set(jobId, { nextIndex: firstIndex + count, crc32: inputCrc32 });
      return { ...base, firstIndex, count, values, inputCrc32 };
    },
    forget: (jobId) => void underWay.delete(jobId),
  };
}
