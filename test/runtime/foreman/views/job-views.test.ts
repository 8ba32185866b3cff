/** A job's view at the moment at which the job ends. */
import { expect, test } from "bun:test";
import { createJobViews } from "../../../../src/runtime/foreman/views/job-views.ts";
import { createForemanState } from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { options } from "../../scheduler/foreman/builders.ts";
import { jobFacts } from "../../store/builders.ts";

test("a job whose end is not committed yet has counters that make its tasks", () => {
  const state = createForemanState(options());
  const read = jobFacts(1, { inputCount: 2, completed: 1, finishedAtMs: null, state: "running" });
  const ended = { ...read, completed: 2, finishedAtMs: 5_000, state: "completed" as const };
  state.ended.set(read.jobId, ended);
  const views = createJobViews({
    state,
    failures: { refresh: async () => {}, groupsOf: () => null },
    nowMs: () => 6_000,
  });
  const { state: shown, tasks } = views.summary(read);
  expect([shown, tasks.total, tasks.completed, tasks.running]).toEqual(["running", 2, 1, 1]);
});
