/** Waiting tasks asked back for idle workers, and workers set aside. */
import { expect, test } from "bun:test";
import {
  aForeman,
  assignmentsIn,
  aWorker,
  changesOf,
  complete,
  type EffectOf,
  effectsOf,
  effectTypes,
  type Foreman,
  fail,
  giveBack,
  indexesIn,
  passTime,
  start,
  statesOf,
  submit,
  type TestWorker,
  workerEvents,
} from "./builders.ts";

type Assign = EffectOf<"assignTasks">;
const only = (assigns: readonly Assign[]): Assign => {
  if (assigns.length !== 1 || !assigns[0]) throw new Error(`${assigns.length} assignments`);
  return assigns[0];
};

/** A worker that holds all of a job, and has been running one of its tasks for `runMs`. */
function loaded(
  foreman: Foreman,
  count: number,
  runMs: number,
): { worker: TestWorker; held: Assign[] } {
  const worker = aWorker(foreman, "w1", { slots: 1 });
  submit(foreman, count);
  const first = only(assignmentsIn(foreman.last));
  const held = assignmentsIn(complete(foreman, worker, first, { runUs: 1_000 }));
  const [next] = held;
  if (!next) throw new Error("nothing is held");
  start(foreman, worker, next, indexesIn(next).slice(0, 1));
  foreman.nowMs += runMs;
  return { worker, held };
}

test("an idle worker takes over what waits at a loaded one, and nothing goes back", () => {
  const foreman = aForeman();
  const { worker, held } = loaded(foreman, 5, 900);
  expect(statesOf(foreman, held[0]?.jobId as never)[0]).toBe(0);
  const idle = aWorker(foreman, "w2", { slots: 1 });
  const [revoke] = effectsOf(foreman.last, "revokeTasks");
  expect(revoke?.bootId).toBe(worker.bootId);
  const asked = [...(revoke?.indexes ?? [])];
  expect(asked.length).toBeGreaterThan(0);
  // Asked once; the idle worker waits for the answer.
  expect(effectTypes(foreman.wait(250))).toEqual([]);
  const output = giveBack(foreman, worker, revoke as Assign & typeof revoke, asked, {
    revocation: revoke?.revocation ?? 0,
  });
  const assigns = assignmentsIn(output);
  expect(assigns[0]?.bootId).toBe(idle.bootId);
  expect(assigns[0]?.attempts).toBe(1);
  expect(assigns.every(({ bootId }) => bootId === idle.bootId)).toBe(true);
});

test("what would save next to nothing stays where it is", () => {
  const foreman = aForeman();
  loaded(foreman, 5, 15);
  aWorker(foreman, "w2", { slots: 1 });
  expect(effectsOf(foreman.last, "revokeTasks")).toEqual([]);
});

test("what the worker would not give back is not asked for again", () => {
  const foreman = aForeman();
  const { worker } = loaded(foreman, 4, 900);
  const idle = aWorker(foreman, "w2", { slots: 1 });
  const asked: number[][] = [];
  for (let i = 0; i < 6; i++) {
    const [revoke] = effectsOf(foreman.last, "revokeTasks");
    if (revoke) {
      asked.push([...revoke.indexes]);
      giveBack(foreman, worker, revoke as Assign & typeof revoke, [], {
        revocation: revoke.revocation,
      });
    }
    const outputs = passTime(foreman, 1_000, [worker, idle]);
    const again = outputs.find((output) => effectsOf(output, "revokeTasks").length > 0);
    if (again) foreman.last = again;
    else foreman.last = { changes: [], effects: [] };
  }
  const flat = asked.flat();
  expect(new Set(flat).size).toBe(flat.length);
  expect(asked.length).toBeGreaterThan(0);
});

test("the waiting tasks of an unwilling worker go to whoever is idle", () => {
  const foreman = aForeman();
  const { worker } = loaded(foreman, 5, 15);
  aWorker(foreman, "w2", { slots: 1 });
  const offer = { type: "offerChanged", bootId: worker.bootId, offer: worker.offer } as const;
  foreman.send({ ...offer, accepting: false, reason: "cpu 97 % > 90 %" });
  passTime(foreman, 1_000, [worker]);
  const revoked = foreman.state.sessions.get(worker.bootId)?.assignments.values().next().value;
  expect(revoked?.revocation).toBeGreaterThan(0);
});

test("a storage failure sets a worker aside for thirty seconds, then it gets one task at a time", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1");
  const other = aWorker(foreman, "w2");
  submit(foreman, 1_000);
  const mine = assignmentsIn(foreman.last, worker)[0];
  if (!mine) throw new Error("nothing is assigned");
  const output = fail(foreman, worker, mine, {
    only: [indexesIn(mine)[0] as number],
    code: "worker_storage",
  });
  expect(workerEvents(output)).toEqual(["worker_set_aside"]);
  expect(changesOf(output, "workerChanged")[0]?.worker.setAsideUntilMs).toBe(
    foreman.nowMs + 30_000,
  );
  expect(effectsOf(output, "revokeTasks")[0]?.bootId).toBe(worker.bootId);
  const second = indexesIn(mine)[1] as number;
  expect(assignmentsIn(complete(foreman, worker, mine, { only: [second] }), worker)).toEqual([]);
  const outputs = passTime(foreman, 30_000, [worker, other]);
  const probes = outputs.flatMap((each) => assignmentsIn(each, worker));
  expect(probes.map(({ count }) => count)).toEqual([1]);
  const trusted = complete(foreman, worker, probes[0] as Assign, { runUs: 10 });
  expect(workerEvents(trusted)).toEqual(["worker_trusted_again"]);
  expect(assignmentsIn(trusted, worker).length).toBeGreaterThan(0);
});

test("the last worker that could run a job is never set aside", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { resources: { gpu: 1 } });
  aWorker(foreman, "w2");
  submit(foreman, 5, { resources: { gpu: 0.5 } });
  const output = fail(foreman, worker, only(assignmentsIn(foreman.last)), {
    only: [0],
    code: "worker_storage",
  });
  expect(workerEvents(output)).toEqual([]);
  expect(assignmentsIn(output, worker).length).toBe(1);
});

test("a worker where one job fails is not blamed; where two fail in a row it is", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman, "w1", { slots: 3 });
  aWorker(foreman, "w2", { slots: 3 });
  const failHere = (times: number): string[] => {
    const kinds: string[] = [];
    submit(foreman, 6);
    const assign = assignmentsIn(foreman.last, worker)[0];
    if (!assign) throw new Error("nothing is assigned");
    for (const index of indexesIn(assign).slice(0, times)) {
      kinds.push(...workerEvents(fail(foreman, worker, assign, { only: [index] })));
    }
    return kinds;
  };
  expect(failHere(3)).toEqual([]);
  // What the first job got in its place fails no more; the second job's three failures decide.
  expect(failHere(3)).toContain("worker_set_aside");
});

test("a worker that fails what succeeds elsewhere is set aside", () => {
  const foreman = aForeman();
  const bad = aWorker(foreman, "bad", { slots: 1 });
  const good = aWorker(foreman, "good", { slots: 1 });
  submit(foreman, 100);
  let failing = assignmentsIn(foreman.last, bad);
  const [fine] = assignmentsIn(foreman.last, good);
  if (!fine) throw new Error("nothing is assigned");
  complete(foreman, good, fine, { runUs: 50_000 });
  const kinds: string[] = [];
  for (let failed = 0; failed < 12; failed++) {
    const [assign, ...rest] = failing;
    if (!assign) break;
    const [index, ...others] = indexesIn(assign);
    const output = fail(foreman, bad, assign, { only: [index as number], runUs: 50_000 });
    kinds.push(...workerEvents(output));
    const left = { ...assign, indexes: Uint32Array.from(others), count: others.length };
    failing = [...(others.length > 0 ? [left] : []), ...rest, ...assignmentsIn(output, bad)];
  }
  expect(kinds).toEqual(["worker_set_aside"]);
});

test("a worker that hands tasks back by itself rests, and the tasks wait a moment", () => {
  const foreman = aForeman();
  const worker = aWorker(foreman);
  const jobId = submit(foreman, 2);
  const assign = only(assignmentsIn(foreman.last));
  const output = giveBack(foreman, worker, assign, [0, 1], { reason: "no such bundle" });
  expect(effectTypes(output)).toEqual(["acknowledgeReports", "notifyJobChanged"]);
  expect(statesOf(foreman, jobId)[2]).toBe(2);
  foreman.wait(1_000);
  const again = only(assignmentsIn(foreman.last));
  expect(again.attempts).toBe(1);
  start(foreman, worker, again);
  const aborted = giveBack(foreman, worker, again, [0], { reason: "aborted" });
  expect(changesOf(aborted, "attemptsEnded")).toMatchObject([
    { rows: [{ index: 0, attempt: 1, outcome: "cancelled" }] },
  ]);
  expect(only(assignmentsIn(aborted)).attempts).toBe(2);
});
