/**
 * Who reads which job right now, so that retention waits for them: from the submission, the first page
 * of results or the wish to follow on, until the last page was sent or the connection is gone.
 */
import type { JobId } from "../../protocol/ids.ts";
import type { Channel } from "../../transport/channel.ts";

export interface Readers {
  begin(channel: Channel, jobId: JobId): void;
  /** It has been told all there is. */
  end(channel: Channel, jobId: JobId): void;
  drop(channel: Channel): void;
}

/** Of one connection that submits for days only the newest are spared. */
const JOBS_PER_CHANNEL_MAX = 1_000;

/** @param onReading the first reader of a job came, or the last has gone. */
export function createReaders(onReading: (jobId: JobId, reading: boolean) => void): Readers {
  const jobsOf = new Map<Channel, Set<JobId>>();
  const readersOf = new Map<JobId, number>();

  function end(channel: Channel, jobId: JobId): void {
    const jobs = jobsOf.get(channel);
    if (!jobs?.delete(jobId)) return;
    if (jobs.size === 0) jobsOf.delete(channel);
    const count = (readersOf.get(jobId) ?? 1) - 1;
    if (count > 0) readersOf.set(jobId, count);
    else {
      readersOf.delete(jobId);
      onReading(jobId, false);
    }
  }

  return {
    begin(channel, jobId) {
      // It left while its request was looked at: nobody would ever say that it is done.
      if (!channel.isOpen) return;
      const jobs = jobsOf.get(channel) ?? new Set();
      if (jobs.has(jobId)) return;
      jobs.add(jobId);
      jobsOf.set(channel, jobs);
      const count = (readersOf.get(jobId) ?? 0) + 1;
      readersOf.set(jobId, count);
      if (count === 1) onReading(jobId, true);
      const [oldest] = jobs;
      if (jobs.size > JOBS_PER_CHANNEL_MAX && oldest !== undefined) end(channel, oldest);
    },
    end,
    drop(channel) {
      for (const jobId of [...(jobsOf.get(channel) ?? [])]) end(channel, jobId);
    },
  };
}
