/** The sentences about what has ended: figures without noughts, the reason, and what to type next. */
import { expect, test } from "bun:test";
import {
  whyEndedJob,
  whyEndedTask,
  whyTaskInFull,
} from "../../../../src/runtime/foreman/views/why-ended.ts";
import type {
  ErrorGroupView,
  JobState,
  TaskCounts,
} from "../../../../src/runtime/protocol/views.ts";

function job(state: JobState, tasks: Partial<TaskCounts>, errors: readonly ErrorGroupView[] = []) {
  const none = { total: 0, blocked: 0, queued: 0, delayed: 0, running: 0 };
  const counts = { ...none, completed: 0, failed: 0, cancelled: 0, ...tasks };
  return { job_id: 7, state, tasks: counts, errors };
}

function group(count: number, message: string): ErrorGroupView {
  return { code: "error", message, place: null, count, task_id: "7/3", workers: [] };
}

function task(state: "completed" | "failed" | "cancelled", attempts: number, message?: string) {
  const error = message === undefined ? null : { code: "timeout", message };
  return { task_id: "7/3", state, attempts, worker: attempts === 0 ? null : "w1", error };
}

test("a completed job needs no hint and no noughts", () => {
  expect(whyEndedJob(job("completed", { completed: 1_000_000 }), null)).toEqual({
    code: "completed",
    sentence: "Job 7 completed: 1,000,000 completed.",
    hint: null,
  });
});

test("a failed job names its only error, how often it came and a task to look at", () => {
  const failed = job("failed", { completed: 9_999, failed: 1 }, [group(1, "no such host")]);
  expect(whyEndedJob(failed, null)).toEqual({
    code: "failed",
    sentence: "Job 7 failed: 9,999 completed, 1 failed. error: no such host (1 time, such as 7/3).",
    hint: "cc why 7/3",
  });
});

test("of several errors the most frequent one is named as that", () => {
  const failed = job("failed", { failed: 1_205 }, [group(1_200, "full"), group(5, "odd")]);
  expect(whyEndedJob(failed, null).sentence).toBe(
    "Job 7 failed: 1,205 failed. Most often error: full (1,200 times, such as 7/3).",
  );
});

test("a job cancelled while inputs came, with none left to cancel, offers no retry", () => {
  expect(whyEndedJob(job("cancelled", { completed: 5 }), null)).toEqual({
    code: "cancelled",
    sentence: "Job 7 was cancelled before all its inputs had come: 5 completed.",
    hint: "cc events 7",
  });
});

test("a cancelled job says on whose account", () => {
  const cancelled = (code: string, message: string) => ({
    ...task("cancelled", 0),
    error: { code, message },
  });
  const sentenceFor = (code: string, message: string) =>
    whyEndedJob(job("cancelled", { cancelled: 2 }), cancelled(code, message)).sentence;
  expect(sentenceFor("dependency_failed", "Job 5 failed")).toBe(
    "Job 7 was cancelled as dependency_failed: Job 5 failed.",
  );
  expect(sentenceFor("cancelled", "cancelled by request")).toBe("Job 7 was cancelled by request.");
  expect(sentenceFor("cancelled", "not needed")).toBe("Job 7 was cancelled: not needed.");
});

test("a job that was cancelled midway says how far it came, and what had failed", () => {
  const cancelled = {
    ...task("cancelled", 0),
    error: { code: "all_failing", message: "All failed." },
  };
  const ended = job("cancelled", { failed: 20, cancelled: 9_980 }, [group(20, "full")]);
  expect(whyEndedJob(ended, cancelled)).toEqual({
    code: "cancelled",
    sentence:
      "Job 7 was cancelled as all_failing: All failed. 20 failed, 9,980 cancelled. error: full (20 times, such as 7/3).",
    hint: "cc why 7/3",
  });
});

test("a task that was cancelled before it began has no attempt", () => {
  expect(whyEndedTask(task("cancelled", 0, "It took too long"))).toEqual({
    code: "timeout",
    sentence: "Task 7/3 was cancelled as timeout: It took too long.",
    hint: "cc retry 7/3",
  });
});

test("a failed task names worker, attempt and error, and how to try it", () => {
  expect(whyEndedTask(task("failed", 2, "It ran longer than 5s."))).toEqual({
    code: "timeout",
    sentence: "Task 7/3 failed on w1 in attempt 2: timeout: It ran longer than 5s.",
    hint: "cc try 7/3",
  });
});

test("a completed task says where it ran", () => {
  expect(whyEndedTask(task("completed", 1))).toEqual({
    code: "completed",
    sentence: "Task 7/3 completed on w1.",
    hint: null,
  });
});

const attempt = (number: number, outcome: "lost" | "failed", message: string | null = null) => ({
  attempt: number,
  outcome,
  code: outcome === "failed" ? "exit_status" : null,
  message,
  stack: null,
  worker: `w${number}`,
  run_seconds: null,
  ended_at: `2026-01-0${number}T00:00:00.000Z`,
});

test("a poisonous task names who died with it, and when", () => {
  const error = { code: "poison", message: "Its workers were lost 2 times while it ran." };
  const history = [attempt(1, "lost"), attempt(2, "lost")];
  const poisoned = { ...task("failed", 2), error, history, why: null };
  expect(whyTaskInFull(poisoned).sentence).toBe(
    "Task 7/3 failed on w1 in attempt 2: poison: Its workers were lost 2 times while it ran." +
      " Lost on w1 (2026-01-01T00:00:00.000Z), w2 (2026-01-02T00:00:00.000Z).",
  );
});

test("a task that waits to be tried again tells its last error", () => {
  const why = { code: "backoff", sentence: "Task 7/3 failed 1 time.", hint: null };
  const history = [attempt(1, "failed", "status 1"), attempt(2, "lost")];
  const waiting = { ...task("failed", 2), state: "delayed", error: null, history, why } as const;
  expect(whyTaskInFull(waiting).sentence).toBe(
    "Task 7/3 failed 1 time. Last on w1: exit_status: status 1.",
  );
});

test("a task that was lost and waits again says so", () => {
  const why = { code: "no_workers", sentence: "No workers are connected.", hint: "cc worker" };
  const waiting = { ...task("failed", 1), state: "queued", error: null, why } as const;
  expect(whyTaskInFull({ ...waiting, history: [attempt(1, "lost")] }).sentence).toBe(
    "No workers are connected. Attempt 1 was lost with worker w1 (2026-01-01T00:00:00.000Z).",
  );
});
