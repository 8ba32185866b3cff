/** Sentences that name the values and what to type. */
import { expect, test } from "bun:test";
import { asJobId, asWorkerId } from "../../../../src/runtime/protocol/ids.ts";
import {
  whyJob,
  whyTask,
  whyWorker,
} from "../../../../src/runtime/scheduler/foreman/explain/explain.ts";
import { aForeman, assignmentsIn, aWorker, complete, fail, start, submit } from "./builders.ts";

const only = <Value>(values: readonly Value[]): Value => {
  if (values.length !== 1) throw new Error(`${values.length} of one`);
  return values[0] as Value;
};

test("nobody is connected", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 1);
  expect(whyJob(foreman.state, jobId)).toEqual({
    code: "no_workers",
    sentence: "No workers are connected.",
    hint: "cc worker",
  });
});

test("nobody offers what the job needs", () => {
  const foreman = aForeman();
  for (const name of ["w1", "w2", "w3", "w4"]) aWorker(foreman, name);
  const gpu = submit(foreman, 1, { resources: { gpu: 1 } });
  expect(whyJob(foreman.state, gpu)).toEqual({
    code: "no_matching_worker",
    sentence: "No worker offers gpu=1 (4 connected).",
    hint: "cc worker --resource gpu=1",
  });
  const role = submit(foreman, 1, { role: "solver" });
  expect(whyTask(foreman.state, role, 0).sentence).toBe(
    "No worker offers role solver (4 connected).",
  );
  const wide = submit(foreman, 1, { cpus: 16 });
  expect(whyJob(foreman.state, wide).hint).toBe("cc worker --slots 16");
});

test("another job must complete first", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const first = submit(foreman, 4);
  const assign = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assign, { only: [0] });
  const second = submit(foreman, 1, { after: [first] });
  expect(whyJob(foreman.state, second)).toEqual({
    code: "blocked_by_job",
    sentence: `Job ${first} must complete first (running, 25 % done).`,
    hint: `cc why ${first}`,
  });
  expect(whyTask(foreman.state, second, 0).code).toBe("blocked_by_job");
});

test("paused, delayed, limited, held back", () => {
  const foreman = aForeman({ onlyFollowed: true });
  aWorker(foreman, "w1", { slots: 4 });
  const paused = submit(foreman, 1);
  foreman.send({ type: "jobPatched", token: 1, jobId: paused, patch: { paused: true } });
  expect(whyJob(foreman.state, paused).hint).toBe(`cc resume ${paused}`);
  const delayed = submit(foreman, 1, { delay_seconds: 90 });
  expect(whyJob(foreman.state, delayed).sentence).toBe(`Job ${delayed} starts in 90 s (--delay).`);
  const limited = submit(foreman, 10, { max_running: 2 });
  expect(whyJob(foreman.state, limited).code).toBe("not_followed");
  foreman.send({ type: "followingChanged", jobId: limited, followed: true });
  expect(whyJob(foreman.state, limited)).toMatchObject({
    code: "max_running",
    sentence: `Job ${limited} runs 2 tasks at a time (--max-running).`,
  });
});

test("a back-off names the time that is left and the attempts", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 1, { retries: 3, backoff_seconds: 100 });
  fail(foreman, worker, only(assignmentsIn(foreman.last)));
  expect(whyTask(foreman.state, jobId, 0).code).toBe("backoff");
  expect(whyTask(foreman.state, jobId, 0).sentence).toMatch(
    /^Task \d+\/0 failed 1 time and is tried again in \d+ m?s \(2 of 4 tries\)\.$/,
  );
  expect(whyJob(foreman.state, jobId).code).toBe("backoff");
});

test("tasks that wait at workers are not said to run all at once", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 1 });
  const jobId = submit(foreman, 1_000);
  for (let round = 0; round < 4; round++) {
    const [assign] = assignmentsIn(foreman.last);
    if (assign) complete(foreman, worker, assign, { runUs: 100 });
  }
  expect(whyJob(foreman.state, jobId)).toMatchObject({
    code: "running",
    sentence: expect.stringMatching(/^Job \d+ runs: \d+ tasks are at workers with 1 slot\.$/),
  });
});

test("all slots are busy, and with whom", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const first = submit(foreman, 2, { priority: 10 });
  start(foreman, worker, only(assignmentsIn(foreman.last)));
  const second = submit(foreman, 1);
  expect(whyJob(foreman.state, second)).toEqual({
    code: "slots_busy",
    sentence: `All 2 slots that could run it are busy, mostly with job ${first} of higher priority (10).`,
    hint: `cc set ${second} --priority 10`,
  });
  expect(whyJob(foreman.state, first)).toMatchObject({ code: "running" });
  foreman.nowMs += 2_000;
  foreman.wait(0);
  expect(whyTask(foreman.state, first, 0).sentence).toBe(
    `Task ${first}/0 has been running on worker w1 for 2 s (attempt 1).`,
  );
});

test("what a worker does, or why it idles", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const w1 = asWorkerId("w1");
  expect(whyWorker(foreman.state, w1).sentence).toBe("Worker w1 idles: nothing is queued.");
  submit(foreman, 1, { resources: { gpu: 1 } });
  expect(whyWorker(foreman.state, w1).sentence).toBe(
    "Worker w1 idles while job 1 waits: No worker offers gpu=1 (1 connected).",
  );
  submit(foreman, 1);
  expect(whyWorker(foreman.state, w1).code).toBe("working");
  const offer = { type: "offerChanged", bootId: worker.bootId, offer: worker.offer } as const;
  foreman.send({ ...offer, accepting: false, reason: "memory 91 % > 85 %" });
  expect(whyWorker(foreman.state, w1).sentence).toBe(
    "Worker w1 takes no new tasks: memory 91 % > 85 %.",
  );
  foreman.send({ type: "workerPaused", token: 1, workerId: w1, paused: true, now: false });
  expect(whyWorker(foreman.state, w1).hint).toBe("cc resume w1");
  foreman.send({ type: "sessionEnded", bootId: worker.bootId, reason: "stopped" });
  expect(whyWorker(foreman.state, w1).code).toBe("lost");
  expect(whyWorker(foreman.state, asWorkerId("nobody")).code).toBe("no_such_worker");
});

test("paused workers are named as the reason", () => {
  const foreman = aForeman();
  aWorker(foreman);
  foreman.send({
    type: "workerPaused",
    token: 1,
    workerId: asWorkerId("w1"),
    paused: true,
    now: false,
  });
  const jobId = submit(foreman, 1);
  expect(whyJob(foreman.state, jobId)).toEqual({
    code: "workers_paused",
    sentence: "The only worker that could run it, w1, is paused.",
    hint: "cc resume w1",
  });
});

test("what has ended or never was", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0);
  expect(whyJob(foreman.state, jobId).sentence).toBe(`Job ${jobId} has ended: completed.`);
  expect(whyJob(foreman.state, asJobId(99)).code).toBe("no_such_job");
  const open = submit(foreman, 0, {}, { close: false });
  expect(whyJob(foreman.state, open).sentence).toBe(
    `Job ${open} has no inputs yet; more may come.`,
  );
  expect(whyTask(foreman.state, open, 3).code).toBe("no_such_task");
});

test("a job that waits for its submitter, and for how long", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const open = submit(foreman, 1, {}, { close: false });
  const assignment = only(assignmentsIn(foreman.last));
  complete(foreman, worker, assignment);
  expect(whyJob(foreman.state, open).sentence).toBe(
    `All inputs of job ${open} so far are settled (1); more may come.`,
  );
  foreman.send({ type: "submitterDetached", jobId: open });
  expect(whyJob(foreman.state, open)).toEqual({
    code: "submitter_away",
    sentence: `All inputs of job ${open} so far are settled (1); its submitter is gone and is waited for, 60 s more.`,
    hint: `cc cancel ${open}`,
  });
});

test("a worker whose connection is gone, until it is given up, and after", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const jobId = submit(foreman, 1);
  start(foreman, worker, only(assignmentsIn(foreman.last)));
  foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
  foreman.wait(1_000);
  expect(whyTask(foreman.state, jobId, 0).sentence).toMatch(
    /at worker w1, whose connection is gone; it is queued again in 4 s unless/,
  );
  expect(whyJob(foreman.state, jobId)).toMatchObject({ code: "worker_away", hint: "cc why w1" });
  expect(whyWorker(foreman.state, asWorkerId("w1"))).toMatchObject({
    code: "away",
    sentence:
      "The connection of worker w1 is gone; it is given up in 4 s unless it comes back. What it holds, 1 task, is then run elsewhere.",
  });
  foreman.wait(4_000);
  foreman.wait(3_000);
  expect(whyWorker(foreman.state, asWorkerId("w1")).sentence).toBe(
    "Worker w1 was lost 3 s ago and has not come back.",
  );
  expect(whyTask(foreman.state, jobId, 0).code).toBe("no_workers");
});

test("a task that took workers down waits for an empty one", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 1);
  const lose = (worker: ReturnType<typeof aWorker>): void => {
    foreman.send({ type: "connectionLost", bootId: worker.bootId, connectionSeq: 1 });
    foreman.wait(5_000);
  };
  const first = aWorker(foreman, "w1", { slots: 1 });
  start(foreman, first, only(assignmentsIn(foreman.last)));
  lose(first);
  const second = aWorker(foreman, "w2", { slots: 1 });
  start(foreman, second, only(assignmentsIn(foreman.last)));
  aWorker(foreman, "w3", { slots: 1 });
  submit(foreman, 1);
  lose(second);
  expect(whyTask(foreman.state, jobId, 0)).toMatchObject({
    code: "runs_alone",
    sentence: `Task ${jobId}/0 took workers down before (2 of 3 crashes), runs alone from now on and waits for an empty worker.`,
  });
});
