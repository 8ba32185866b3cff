/**
 * Who follows which job. A foreman that is tied to a command lives as long as somebody follows, and
 * runs only what is followed; a job submitted with `--attached` ends with its submitter.
 */
import type { JobId } from "../../protocol/ids.ts";
import type { Channel } from "../../transport/channel.ts";
import type { Readers } from "../reading/readers.ts";

export interface Followers {
  follow(channel: Channel, jobIds: readonly JobId[]): void;
  /** A submitter follows its own job until it says otherwise or leaves. */
  submitted(channel: Channel, jobId: JobId): void;
  drop(channel: Channel): void;
  /** There is no such job any more. */
  forget(jobId: JobId): void;
  count(): number;
}

export interface FollowersParts {
  /** Whoever follows or submits a job will read it. */
  readonly readers: Pick<Readers, "begin" | "drop">;
  /** The first follower came, or the last has gone. */
  onFollowed(jobId: JobId, followed: boolean): void;
  /** The number of following connections changed. */
  onCount(count: number): void;
}

export function createFollowers(parts: FollowersParts): Followers {
  const jobsOf = new Map<Channel, Set<JobId>>();
  const followersOf = new Map<JobId, number>();

  function add(channel: Channel, jobId: JobId): void {
    parts.readers.begin(channel, jobId);
    const jobs = jobsOf.get(channel) ?? new Set();
    if (jobs.has(jobId)) return;
    jobs.add(jobId);
    jobsOf.set(channel, jobs);
    const count = (followersOf.get(jobId) ?? 0) + 1;
    followersOf.set(jobId, count);
    if (count === 1) parts.onFollowed(jobId, true);
    if (jobs.size === 1) parts.onCount(jobsOf.size);
  }

  function remove(channel: Channel, jobId: JobId): void {
    const jobs = jobsOf.get(channel);
    if (!jobs?.delete(jobId)) return;
    const count = (followersOf.get(jobId) ?? 1) - 1;
    if (count > 0) followersOf.set(jobId, count);
    else {
      followersOf.delete(jobId);
      parts.onFollowed(jobId, false);
    }
  }

  return {
    /** Exactly these jobs from now on. */
    follow(channel, jobIds) {
      const wanted = new Set(jobIds);
      for (const jobId of jobIds) add(channel, jobId);
      for (const jobId of [...(jobsOf.get(channel) ?? [])]) {
        if (!wanted.has(jobId)) remove(channel, jobId);
      }
      if (jobsOf.get(channel)?.size === 0) jobsOf.delete(channel);
      parts.onCount(jobsOf.size);
    },
    submitted: add,
    drop(channel) {
      parts.readers.drop(channel);
      for (const jobId of [...(jobsOf.get(channel) ?? [])]) remove(channel, jobId);
      if (jobsOf.delete(channel)) parts.onCount(jobsOf.size);
    },
    forget(jobId) {
      if (!followersOf.has(jobId)) return;
      for (const [channel, jobs] of jobsOf) {
        remove(channel, jobId);
        if (jobs.size === 0) jobsOf.delete(channel);
      }
      parts.onCount(jobsOf.size);
    },
    count: () => jobsOf.size,
  };
}
