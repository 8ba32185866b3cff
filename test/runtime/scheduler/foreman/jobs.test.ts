/** Submissions, inputs in batches, dependencies and start times. */
import { expect, test } from "bun:test";
import { asJobId, type JobId } from "../../../../src/runtime/protocol/ids.ts";
import { JOB_TASKS_MAX } from "../../../../src/runtime/protocol/limits.ts";
import { step } from "../../../../src/runtime/scheduler/foreman/machine.ts";
import { taskCounts } from "../../../../src/runtime/scheduler/foreman/selectors.ts";
import { aSpec } from "../../../support/specs.ts";
import {
  aForeman,
  answerOf,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  effectsOf,
  effectTypes,
  type Foreman,
  fail,
  indexesIn,
  someValues,
  submit,
} from "./builders.ts";

const resubmit = (foreman: Foreman, submissionId: string, spec = {}): void => {
  foreman.send({
    type: "jobSubmitted",
    token: 9,
    owner: "me",
    submissionId,
    resumable: true,
    spec: aSpec(spec),
    count: 3,
    values: someValues(3),
    inputCrc32: 3,
    close: false,
  });
};

const sendTasks = (foreman: Foreman, jobId: JobId, firstIndex: number, count: number): void => {
  foreman.send({
    type: "tasksSubmitted",
    token: 2,
    jobId,
    firstIndex,
    count,
    values: someValues(count),
    inputCrc32: 1_000 + firstIndex + count,
  });
};

const endedState = (foreman: Foreman, jobId: JobId): string | undefined =>
  foreman.state.ended.get(jobId)?.state;

test("a submission sent again is the same job and adds nothing", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3, {}, { submissionId: "twice", close: false });
  resubmit(foreman, "twice");
  expect(answerOf(foreman.last)).toEqual({
    type: "jobAccepted",
    jobId,
    nextIndex: 3,
    inputCrc32: 3,
    existing: true,
  });
  expect(foreman.last.changes).toEqual([]);
  expect(foreman.state.jobs.size).toBe(1);
});

test("a submission sent again from another folder is still the same one", () => {
  const foreman = aForeman();
  submit(foreman, 3, {}, { submissionId: "twice", close: false });
  const elsewhere = { host: "x", user: "y", folder: "/tmp", command_line: "cc submit other" };
  resubmit(foreman, "twice", { submitted_from: elsewhere });
  expect(answerOf(foreman.last)).toMatchObject({ type: "jobAccepted", existing: true });
});

test("another spec under a known submission id is a conflict", () => {
  const foreman = aForeman();
  submit(foreman, 3, {}, { submissionId: "twice" });
  resubmit(foreman, "twice", { retries: 5 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "idempotency_conflict" });
});

test("a submission stays the same one after its priority was changed", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3, {}, { submissionId: "twice" });
  foreman.send({ type: "jobPatched", token: 3, jobId, patch: { priority: 10 } });
  resubmit(foreman, "twice");
  expect(answerOf(foreman.last)).toMatchObject({ type: "jobAccepted", existing: true });
  resubmit(foreman, "twice", { queue: "other" });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "idempotency_conflict" });
});

test("inputs that are here already are skipped, and only the rest is added", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3, {}, { close: false });
  sendTasks(foreman, jobId, 0, 3);
  expect(answerOf(foreman.last)).toEqual({ type: "tasksAccepted", jobId, nextIndex: 3 });
  expect(foreman.last.changes).toEqual([]);
  sendTasks(foreman, jobId, 1, 5);
  expect(answerOf(foreman.last)).toEqual({ type: "tasksAccepted", jobId, nextIndex: 6 });
  const [appended] = changesOf(foreman.last, "inputsAppended");
  expect(appended).toMatchObject({ firstIndex: 3, count: 3 });
  expect(appended?.values.data.byteLength).toBe(6);
});

test("a gap in the inputs is refused", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3, {}, { close: false });
  sendTasks(foreman, jobId, 5, 1);
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "input_gap" });
  expect(foreman.last.changes).toEqual([]);
});

test("inputs after the end of inputs are refused, a resend is not", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3);
  sendTasks(foreman, jobId, 0, 3);
  expect(answerOf(foreman.last)).toMatchObject({ type: "tasksAccepted" });
  sendTasks(foreman, jobId, 3, 1);
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "inputs_closed" });
});

test("one task too many is refused", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0, {}, { close: false });
  const job = foreman.state.jobs.get(jobId);
  if (!job) throw new Error("no job");
  // Only the number matters here; a table of that size would take a second to fill.
  job.tasks.count = JOB_TASKS_MAX;
  const output = step(foreman.state, {
    type: "tasksSubmitted",
    atMs: foreman.nowMs,
    token: 2,
    jobId,
    firstIndex: JOB_TASKS_MAX,
    count: 1,
    values: someValues(1),
    inputCrc32: 0,
  });
  expect(answerOf(output)).toMatchObject({ type: "refused", code: "too_many_tasks" });
  expect(output.changes).toEqual([]);
});

test("closing names the number of inputs, twice without harm", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 3, {}, { close: false });
  foreman.send({ type: "inputsClosed", token: 4, jobId, count: 4 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "input_count_mismatch" });
  foreman.send({ type: "inputsClosed", token: 4, jobId, count: 3 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "jobStatus", affected: 0 });
  foreman.send({ type: "inputsClosed", token: 4, jobId, count: 3 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "jobStatus" });
  expect(foreman.last.changes).toEqual([]);
});

test("an empty job completes as soon as it is closed", () => {
  const foreman = aForeman();
  const jobId = submit(foreman, 0);
  expect(endedState(foreman, jobId)).toBe("completed");
  expect(effectTypes(foreman.last)).toEqual(["reply", "notifyJobChanged", "notifyJobEnded"]);
});

test("requests about an unknown job are refused", () => {
  const foreman = aForeman();
  const jobId = asJobId(99);
  sendTasks(foreman, jobId, 0, 1);
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "no_such_job" });
  foreman.send({ type: "inputsClosed", token: 1, jobId, count: 0 });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "no_such_job" });
});

test("a job starts when the one it waits for has completed", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const first = submit(foreman, 1);
  const [assign] = assignmentsIn(foreman.last);
  const second = submit(foreman, 1, { after: [first] });
  expect(assignmentsIn(foreman.last)).toEqual([]);
  const waiting = foreman.state.jobs.get(second);
  expect(waiting && taskCounts(foreman.state, waiting)).toMatchObject({ blocked: 1, queued: 0 });
  if (!assign) throw new Error("nothing was assigned");
  const output = complete(foreman, worker, assign);
  expect(assignmentsIn(output).map(({ jobId }) => jobId)).toEqual([second]);
});

test("a dependency that fails cancels its dependants, and theirs", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const first = submit(foreman, 1);
  const [assign] = assignmentsIn(foreman.last);
  const second = submit(foreman, 2, { after: [first] });
  const third = submit(foreman, 0, { after: [second] });
  if (!assign) throw new Error("nothing was assigned");
  const output = fail(foreman, worker, assign);
  expect([first, second, third].map((jobId) => endedState(foreman, jobId))).toEqual([
    "failed",
    "cancelled",
    "cancelled",
  ]);
  expect(changesOf(output, "restCancelled")).toMatchObject([{ jobId: second, count: 2 }]);
  expect(effectsOf(output, "notifyJobEnded").map(({ jobId }) => jobId)).toEqual([
    first,
    second,
    third,
  ]);
  const late = submit(foreman, 1, { after: [first] });
  expect(endedState(foreman, late)).toBe("cancelled");
});

test("an unknown dependency is refused at once", () => {
  const foreman = aForeman();
  foreman.send({
    type: "jobSubmitted",
    token: 1,
    owner: "me",
    submissionId: "x",
    resumable: false,
    spec: aSpec({ after: [42] }),
    count: 0,
    values: someValues(0),
    inputCrc32: 0,
    close: true,
  });
  expect(answerOf(foreman.last)).toMatchObject({ type: "refused", code: "no_such_job" });
  expect(foreman.last.changes).toEqual([]);
});

test("a chain of jobs runs link by link", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const chain: JobId[] = [];
  let assigns = assignmentsIn(foreman.last);
  for (let i = 0; i < 5; i++) {
    chain.push(submit(foreman, 1, { after: chain.slice(-1) }));
    assigns = [...assigns, ...assignmentsIn(foreman.last)];
  }
  const ran: number[] = [];
  for (let assign = assigns.shift(); assign; assign = assigns.shift()) {
    ran.push(assign.jobId);
    assigns.push(...assignmentsIn(complete(foreman, worker, assign)));
  }
  expect(ran).toEqual(chain);
});

test("a delayed job starts on time, also an empty one", () => {
  const foreman = aForeman();
  aWorker(foreman);
  const jobId = submit(foreman, 1, { delay_seconds: 2 });
  const empty = submit(foreman, 0, { delay_seconds: 2 });
  expect(assignmentsIn(foreman.last)).toEqual([]);
  foreman.wait(1_999);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  foreman.wait(1);
  expect(assignmentsIn(foreman.last).map(indexesIn)).toEqual([[0]]);
  expect(foreman.state.jobs.has(jobId)).toBe(true);
  expect(endedState(foreman, empty)).toBe("completed");
});

test("an open job whose submitter is gone for a minute is cancelled, a named one after a day", () => {
  const foreman = aForeman();
  const anonymous = submit(foreman, 1, {}, { close: false });
  const named = submit(foreman, 1, {}, { close: false, resumable: true });
  const returned = submit(foreman, 1, {}, { close: false });
  for (const jobId of [anonymous, named, returned]) {
    foreman.send({ type: "submitterDetached", jobId });
  }
  foreman.wait(59_000);
  foreman.send({ type: "submitterAttached", jobId: returned });
  foreman.wait(1_000);
  expect(endedState(foreman, anonymous)).toBe("cancelled");
  expect(changesOf(foreman.last, "restCancelled").map(({ jobId }) => jobId)).toEqual([anonymous]);
  expect(foreman.state.jobs.has(returned)).toBe(true);
  foreman.wait(86_400_000);
  expect(endedState(foreman, named)).toBe("cancelled");
  expect(foreman.state.jobs.has(returned)).toBe(true);
});

test("only followed jobs start where only those may, and what they wait for", () => {
  const foreman = aForeman({ onlyFollowed: true });
  aWorker(foreman);
  const first = submit(foreman, 1);
  const second = submit(foreman, 1, { after: [first] });
  const other = submit(foreman, 1);
  expect(assignmentsIn(foreman.last)).toEqual([]);
  foreman.send({ type: "followingChanged", jobId: second, followed: true });
  expect(assignmentsIn(foreman.last).map(({ jobId }) => jobId)).toEqual([first]);
  foreman.send({ type: "followingChanged", jobId: other, followed: true });
  expect(assignmentsIn(foreman.last).map(({ jobId }) => jobId)).toEqual([other]);
});
