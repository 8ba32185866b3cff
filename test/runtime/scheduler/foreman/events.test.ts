/** What the event log is told: exceptions in batches, everything about jobs and workers, and no storms. */
import { expect, test } from "bun:test";
import { EVENT_KINDS } from "../../../../src/runtime/protocol/event-kinds.ts";
import {
  countCodes,
  eventFacts,
  nameTasks,
} from "../../../../src/runtime/scheduler/foreman/event-facts.ts";
import { TASK_EVENTS_PER_JOB_MAX } from "../../../../src/runtime/scheduler/foreman/outcomes/task-events.ts";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  connect,
  eventKinds,
  type Foreman,
  fail,
  indexesIn,
  passTime,
  start,
  submit,
  type TestWorker,
} from "./builders.ts";

/** All that was recorded since. */
function recorder(foreman: Foreman): { kind: string; body: Record<string, unknown> }[] {
  const seen: { kind: string; body: Record<string, unknown> }[] = [];
  const { send } = foreman;
  foreman.send = (event) => {
    const output = send(event);
    for (const { event: each } of changesOf(output, "eventRecorded")) {
      seen.push({ kind: each.kind, body: JSON.parse(each.body) });
    }
    return output;
  };
  return seen;
}

function assigned(foreman: Foreman, worker: TestWorker) {
  const [assign] = assignmentsIn(foreman.last, worker);
  if (!assign) throw new Error("nothing is assigned");
  return assign;
}

test("an ordinary task leaves no event", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w", { slots: 1 });
  submit(foreman, 1);
  const seen = recorder(foreman);
  complete(foreman, worker, assigned(foreman, worker));
  expect(seen.map(({ kind }) => kind)).toEqual(["job_ended"]);
});

test("a job that fails a hundred thousand times leaves a thousand lines and a count", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w", { slots: 1 });
  const reports = TASK_EVENTS_PER_JOB_MAX + 500;
  submit(foreman, reports, { max_fails: { kind: "none" } });
  const seen = recorder(foreman);
  let waiting = assignmentsIn(foreman.last, worker);
  for (let done = 0; done < reports; ) {
    const [assign, ...others] = waiting;
    if (!assign) throw new Error("nothing is assigned");
    waiting = others;
    for (const index of indexesIn(assign)) {
      const output = fail(foreman, worker, assign, { only: [index], runUs: 100 });
      waiting.push(...assignmentsIn(output, worker));
      done++;
    }
  }
  const failed = seen.filter(({ kind }) => kind === "tasks_failed");
  expect(failed.length).toBe(TASK_EVENTS_PER_JOB_MAX);
  expect(seen.filter(({ kind }) => kind === "events_left_out").length).toBe(1);
  expect(seen.at(-1)).toMatchObject({ kind: "job_ended", body: { events_left_out: 500 } });
});

test("the end of a worker tells what became of the tasks it had", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w", { slots: 4 });
  submit(foreman, 4, { max_crashes: 2 });
  start(foreman, worker, assigned(foreman, worker));
  const seen = recorder(foreman);
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  expect(seen.map(({ kind }) => kind)).toEqual(["worker_connection_lost"]);
  foreman.wait(5_000);
  const lost = seen.find(({ kind }) => kind === "attempts_lost");
  expect(lost?.body).toMatchObject({ crashes: expect.any(Number), boot: worker.bootId });
  expect(seen.at(-1)?.kind).toBe("worker_lost");
  const again = connect(foreman, { ...worker, connectionSeq: 2 });
  expect(eventKinds(again)).toContain("worker_reconnected");
  expect(eventKinds(again)).toContain("crash_points_returned");
});

test("a foreman that stood still says so, one that merely had nothing to do does not", () => {
  const idle = aForeman();
  expect(eventKinds(idle.wait(3_600_000))).toEqual([]);
  const foreman = aForeman();
  aWorker(foreman);
  const kinds = eventKinds(foreman.wait(60_000));
  expect(kinds).toEqual(["foreman_stood_still"]);
});

test("jobs tell of their limits, their changes and why they were cancelled", () => {
  const foreman = aForeman();
  const seen = recorder(foreman);
  const first = submit(foreman, 1);
  submit(foreman, 1, { after: [first] });
  foreman.send({ type: "jobPatched", token: 1, jobId: first, patch: { priority: 7 } });
  expect(seen.at(-1)).toMatchObject({ kind: "job_changed", body: { options: ["priority"] } });
  const request = { token: 2, indexes: null, code: "cancelled", reason: "no" } as const;
  foreman.send({ type: "cancelRequested", jobId: first, ...request });
  const cancelled = seen.filter(({ kind }) => kind === "job_cancelled").map(({ body }) => body);
  expect(cancelled).toMatchObject([
    { code: "cancelled", count: 1 },
    { code: "dependency_failed", count: 1 },
  ]);
});

test("a batch names its tasks in at most sixteen pairs, and says how many it leaves out", () => {
  expect(nameTasks([7, 3, 4, 5])).toEqual({
    count: 4,
    tasks: [
      [3, 5],
      [7, 7],
    ],
  });
  const scattered = Array.from({ length: 40 }, (_, at) => at * 2);
  const named = nameTasks(scattered);
  expect(named.tasks.length).toBe(16);
  expect(named).toMatchObject({ count: 40, tasks_left_out: 24 });
});

test("codes beyond eight are gathered, and words of others are kept short", () => {
  const codes = Array.from({ length: 30 }, (_, at) => `code${at}`);
  const counted = countCodes([...codes, "code0"]);
  expect(counted).toMatchObject({ code0: 2, code7: 1, other: 22 });
  const { body } = eventFacts(1, "worker_left", { body: { reason: "x".repeat(100_000) } });
  expect(body.length).toBeLessThan(1_100);
});

test("no field of a kind hides one that every line has", () => {
  const common = new Set(["schema", "seq", "time", "kind", "task_id", "worker"]);
  for (const [kind, { fields }] of Object.entries(EVENT_KINDS)) {
    for (const field of Object.keys(fields))
      expect([kind, common.has(field)]).toEqual([kind, false]);
    // A removed job's events belong to no job.
    if (kind === "job_removed" || kind === "stale_attempt") continue;
    expect(Object.keys(fields)).not.toContain("job_id");
  }
});

test("a worker whose load goes up and down is told of once a minute", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const seen = recorder(foreman);
  const say = (accepting: boolean): void => {
    const reason = accepting ? null : "memory 91 % > 85 %";
    const { bootId, offer } = worker;
    foreman.send({ type: "offerChanged", bootId, offer, accepting, reason });
  };
  for (let turn = 0; turn < 10; turn++) for (const accepting of [false, true]) say(accepting);
  expect(seen).toEqual([
    { kind: "worker_unwilling", body: { reason: "memory 91 % > 85 %" } },
    { kind: "worker_willing", body: {} },
  ]);
  passTime(foreman, 60_000, [worker]);
  say(false);
  expect(seen.map(({ kind }) => kind).slice(2)).toEqual(["worker_unwilling"]);
});
