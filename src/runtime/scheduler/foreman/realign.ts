/**
 * A wall clock that was set back between two foremen must not make anything wait longer. What is stored
 * was written on the time line of the foreman before us; where that one was ahead of ours, its instants
 * move back by as much, and none lies further off than the wait it stands for can be.
 */
import type { Change } from "./changes.ts";
import type { JobFacts, StoredJob, StoredState, TaskExceptionFacts, WorkerFacts } from "./facts.ts";
import { BACKOFF_MS_MAX } from "./outcomes/failures.ts";
import { SET_ASIDE_MS } from "./sessions/blame.ts";

export interface Realigned {
  readonly stored: StoredState;
  /** By how much the clock is behind the last event; 0: it is not. */
  readonly backMs: number;
  /** Rows as they now are. Back-offs are short and many: theirs are not written again. */
  readonly changes: readonly Change[];
}

export function realign(stored: StoredState, atMs: number): Realigned {
  const backMs = Math.max(0, (stored.lastEventAtMs ?? atMs) - atMs);
  const changes: Change[] = [];
  const moved = (instantMs: number, longestMs: number): number =>
    Math.min(instantMs - backMs, atMs + longestMs);

  function moveJob(facts: JobFacts): JobFacts {
    if (facts.notBeforeMs === null || facts.notBeforeMs <= atMs) return facts;
    const notBeforeMs = moved(facts.notBeforeMs, facts.spec.delay_seconds * 1000);
    return notBeforeMs === facts.notBeforeMs ? facts : { ...facts, notBeforeMs };
  }

  /** What ended in the future would be kept beyond its time. */
  function moveEnded(facts: JobFacts): JobFacts {
    const aheadMs = (facts.finishedAtMs ?? 0) - atMs;
    if (aheadMs <= 0) return moveJob(facts);
    const createdAtMs = facts.createdAtMs - aheadMs;
    return moveJob({ ...facts, createdAtMs, finishedAtMs: atMs });
  }

  function moveException(exception: TaskExceptionFacts): TaskExceptionFacts {
    if (exception.notBeforeMs === null || exception.notBeforeMs <= atMs) return exception;
    return { ...exception, notBeforeMs: moved(exception.notBeforeMs, BACKOFF_MS_MAX) };
  }

  function moveLive(job: StoredJob): StoredJob {
    const facts = moveJob(job.facts);
    if (facts !== job.facts) changes.push({ type: "jobChanged", facts });
    return { ...job, facts, exceptions: job.exceptions.map(moveException) };
  }

  function moveWorker(worker: WorkerFacts): WorkerFacts {
    if (worker.setAsideUntilMs === null || worker.setAsideUntilMs <= atMs) return worker;
    const setAsideUntilMs = moved(worker.setAsideUntilMs, SET_ASIDE_MS);
    if (setAsideUntilMs === worker.setAsideUntilMs) return worker;
    const changed = { ...worker, setAsideUntilMs };
    changes.push({ type: "workerChanged", worker: changed });
    return changed;
  }

  return {
    stored: {
      ...stored,
      jobs: stored.jobs.map(moveLive),
      ended: stored.ended.map(moveEnded),
      workers: stored.workers.map(moveWorker),
    },
    backMs,
    changes,
  };
}
