import { describe, expect, test } from "bun:test";
import type { JobState, TaskState, WorkerState } from "../../../src/runtime/protocol/views.ts";
import type { FocusBody } from "../../../src/tui/feed.ts";
import { screenOf } from "../../../src/tui/navigation/change.ts";
import { footerHints } from "../../../src/tui/navigation/key-hints.ts";
import type { ViewState } from "../../../src/tui/navigation/view-state.ts";
import {
  jobRow,
  jobRowId,
  overviewView,
  taskCounts,
  taskMonitorView,
  windowOf,
  workerRow,
  workerRowId,
} from "../../support/monitor/fixtures.ts";
import { createPerson, type Person } from "../../support/monitor/navigation.ts";

const labels = (state: ViewState, shown: FocusBody): Readonly<Record<string, string>> =>
  Object.fromEntries(footerHints(state, shown).map(({ keys, label }) => [keys, label]));

/** The footer with the cursor on this job, alone in its list. */
function ofJob(state: JobState, counts: Parameters<typeof taskCounts>[0]) {
  const job = jobRow({ state, tasks: taskCounts(counts) });
  const shown: FocusBody = {
    kind: "overview",
    body: overviewView({ jobs: windowOf([job], jobRowId) }),
  };
  const person = createPerson();
  person.world.jobs = [job];
  return labels(person.look().look().state(), shown);
}

function ofWorker(state: WorkerState) {
  const worker = workerRow({ worker_id: "w03", state });
  const shown: FocusBody = {
    kind: "overview",
    body: overviewView({ workers: windowOf([worker], workerRowId) }),
  };
  const person = createPerson();
  person.world.workers = [worker];
  return labels(person.press("2").look().look().state(), shown);
}

function ofTask(state: TaskState) {
  const place = { kind: "task", jobId: 17, index: 12 } as const;
  const task = taskMonitorView({ index: 12, task_id: "17/12", state });
  return labels(createPerson({ place }).state(), { kind: "task", body: task });
}

describe("the footer offers what can be done", () => {
  test("to a job, and says which way it would be", () => {
    expect(ofJob("running", { running: 1, failed: 2 })).toMatchObject({
      c: "cancel",
      r: "retry failed",
      p: "pause",
    });
    expect(ofJob("running", { running: 1 })).not.toHaveProperty("r");
    expect(ofJob("paused", { queued: 1 })).toMatchObject({ p: "resume" });
    const ended = ofJob("failed", { failed: 1, completed: 1 });
    expect(ended).toMatchObject({ r: "retry failed" });
    expect(ended).not.toHaveProperty("c");
    expect(ended).not.toHaveProperty("p");
  });

  test("to a worker", () => {
    expect(ofWorker("up")).toMatchObject({ d: "drain", p: "pause intake" });
    expect(ofWorker("draining")).toMatchObject({ d: "keep" });
    expect(ofWorker("paused")).toMatchObject({ p: "resume intake" });
    expect(ofWorker("lost")).not.toHaveProperty("d");
  });

  test("to a task", () => {
    expect(ofTask("running")).toHaveProperty("x");
    expect(ofTask("running")).not.toHaveProperty("R");
    expect(ofTask("failed")).toHaveProperty("R");
    expect(ofTask("failed")).not.toHaveProperty("x");
  });

  test("to marked rows anything, to no row nothing", () => {
    const person: Person = createPerson().press("m");
    const body = overviewView({ jobs: windowOf([jobRow({ state: "failed" })], jobRowId) });
    expect(labels(person.state(), { kind: "overview", body })).toHaveProperty("c");
    const empty = overviewView({ jobs: windowOf([], jobRowId) });
    const nobody = labels(createPerson().state(), { kind: "overview", body: empty });
    for (const key of ["Enter", "c", "r", "p", "l", "m"]) expect(nobody).not.toHaveProperty(key);
    expect(screenOf(person.state()).lists.jobs?.marked.size).toBe(1);
  });
});
