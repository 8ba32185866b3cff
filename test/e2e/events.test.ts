/** `cc events` on the real program: the stories it tells, where it resumes, and what it follows through. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Cluster, eventually, type Member, openCluster } from "../faults/support/cluster.ts";
import { BINARY } from "../support/binary.ts";

interface Event {
  readonly seq: number;
  readonly kind: string;
  readonly job_id: number | null;
  readonly task_id: string | null;
  readonly worker: string | null;
  readonly [field: string]: unknown;
}

let cluster: Cluster;
beforeEach(async () => {
  cluster = await openCluster();
}, 180_000);
afterEach(() => cluster.close());

const linesOf = (text: string): Event[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);

async function events(...args: string[]): Promise<Event[]> {
  const { stdout, stderr, exitCode } = await cluster.cc(["events", ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return linesOf(stdout);
}

const kindsOf = (list: readonly Event[]): string[] => list.map(({ kind }) => kind);
const seqsOf = (list: readonly Event[]): number[] => list.map(({ seq }) => seq);

/** Three tasks, of which the second fails twice. */
const FAILING = ["submit", "--retries", "1", "--backoff", "1ms", "--max-fails", "none", "--"];
const COMMAND = ["sh", "-c", "test {} != b", ":::", "a", "b", "c"];

async function untilFollowed(follower: Member, wanted: (seen: Event[]) => boolean): Promise<void> {
  // A line that is only half there is none yet.
  const seen = (): Event[] => linesOf(follower.stdout().replace(/[^\n]*$/, ""));
  await eventually("the follower has printed it", () => wanted(seen()));
}

test("tells the stories of a job, of each of its tasks and of a worker", async () => {
  await cluster.worker("alpha");
  await cluster.worker("beta", { args: ["--queues", "elsewhere"] });
  expect((await cluster.cc([...FAILING, ...COMMAND])).exitCode).toBe(1);
  await cluster.cc(["cancel", "1"]);
  const job = await events("1");
  expect(kindsOf(job)).toEqual(["job_submitted", "attempts_failed", "tasks_failed", "job_ended"]);
  expect(job[0]).toMatchObject({ schema: "crowdcompute/v1", job_id: 1, task_count: 3 });
  expect(job[1]).toMatchObject({ task_id: "1/1", worker: "alpha", codes: { exit_status: 1 } });
  expect(job[3]).toMatchObject({ state: "failed", completed: 2, failed: 1, task_id: null });
  expect(kindsOf(await events("last/0"))).toEqual(["job_submitted", "job_ended"]);
  expect(await events("1/1")).toEqual(job);
  expect(kindsOf(await events("alpha"))).toEqual([
    "worker_connected",
    "attempts_failed",
    "tasks_failed",
  ]);
  expect(kindsOf(await events("beta"))).toEqual(["worker_connected"]);
  const chosen = await events("--kind", "job_ended,worker_connected");
  expect(kindsOf(chosen)).toEqual(["worker_connected", "worker_connected", "job_ended"]);
  await cluster.cc(["rm", "1"]);
  expect((await events()).at(-1)).toMatchObject({ kind: "job_removed", job_id: 1 });
  expect((await cluster.cc(["events", "1"])).exitCode).toBe(2);
});

test("goes on after the number given, without a gap and without doubles", async () => {
  await cluster.worker("alpha");
  await cluster.cc([...FAILING, ...COMMAND]);
  const all = await events();
  expect(seqsOf(all)).toEqual(all.map((_, at) => at + 1));
  for (const { seq } of all) expect(await events("--since", `${seq}`)).toEqual(all.slice(seq));
  const { stdout } = await cluster.cc(["events", "-q", "--since", "2"]);
  expect(stdout).toBe(
    seqsOf(all.slice(2))
      .map((seq) => `${seq}\n`)
      .join(""),
  );
});

test("follows over a foreman that is killed and started again", async () => {
  await cluster.worker("alpha");
  const follower = cluster.start(["events", "-f"]);
  const ofAlpha = cluster.start(["events", "alpha", "-f"]);
  // Who asks while no foreman listens is told that nothing follows.
  for (const each of [follower, ofAlpha]) {
    await untilFollowed(each, (seen) => kindsOf(seen).includes("worker_connected"));
  }
  await cluster.foreman.kill9();
  await cluster.restartForeman();
  await cluster.cc([...FAILING, ...COMMAND]);
  await untilFollowed(follower, (seen) => kindsOf(seen).includes("job_ended"));
  await untilFollowed(ofAlpha, (seen) => kindsOf(seen).includes("tasks_failed"));
  const all = await events();
  expect(kindsOf(all)).toContain("worker_reconnected");
  expect(seqsOf(linesOf(follower.stdout()))).toEqual(seqsOf(all));
  expect(linesOf(ofAlpha.stdout())).toEqual(await events("alpha"));
});

test("reads the store where no foreman runs, and says that nothing follows", async () => {
  await cluster.worker("alpha");
  await cluster.cc([...FAILING, ...COMMAND]);
  const url = cluster.url;
  await cluster.foreman.stop();
  const { world } = cluster;
  const offline = await world.cc(["events", "-f"]);
  expect(offline.exitCode).toBe(0);
  expect(offline.stderr).toContain("no foreman is running");
  const kinds = kindsOf(linesOf(offline.stdout));
  expect(kinds[0]).toBe("foreman_started");
  expect(kinds.at(-1)).toBe("foreman_stopped");
  expect(kindsOf(linesOf((await world.cc(["events", "1"])).stdout))).toContain("tasks_failed");
  expect((await world.cc(["events", "--foreman", url])).exitCode).toBe(3);
});

test("refuses words that name nothing, and kinds that there are none of", async () => {
  await cluster.cc(["submit", "-d", "--", "true"]);
  const wrong = [["9"], ["nobody"], ["1/1"], ["--since", "-1"], ["1/2/3"], ["--kind", ""]];
  for (const args of wrong) {
    const { exitCode } = await cluster.cc(["events", ...args]);
    expect([args, exitCode]).toEqual([args, 2]);
  }
  const misspelt = await cluster.cc(["events", "--kind", "worker_los"]);
  expect(misspelt.exitCode).toBe(2);
  expect(misspelt.stderr).toContain("worker_lost");
});

test("says that there is nothing, and that a number is of another store", async () => {
  const none = await cluster.cc(["events", "--kind", "worker_lost"]);
  expect([none.exitCode, none.stdout, none.stderr]).toEqual([0, "", "no such events\n"]);
  const ahead = await cluster.cc(["events", "--since", "999"]);
  expect([ahead.exitCode, ahead.stdout]).toEqual([0, ""]);
  expect(ahead.stderr).toMatch(/^the newest event is \d+: is 999 from another store, or .*\n$/);
});

test("a closed pipe ends it quietly", async () => {
  await cluster.worker("alpha");
  const script = '{ "$0" events; echo "exit $?" >&2; } | head -n 1';
  const piped = await cluster.start(["-c", script, BINARY], { program: "/bin/sh" }).ended;
  expect(linesOf(piped.stdout).length).toBe(1);
  expect(piped.stderr).toBe("exit 0\n");
});
