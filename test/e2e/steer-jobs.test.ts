/** `cc cancel`, `pause`, `resume`, `set` and `rm`: what they say, what they change, how they end. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GATED, openStage, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "2"]);
}, SETUP_MS);
afterAll(() => stage.close());

/** Everything but results goes to stderr. */
async function said(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await stage.cc(args);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 0 });
  return stderr;
}

async function refused(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await stage.cc(args);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  return stderr;
}

const waiting = (...args: string[]): Promise<string> =>
  stage.submit(["--delay", "1h", ...args, "--", "echo", ":::", "a", "b", "c"]);

async function stateOf(job: string): Promise<unknown> {
  return (await stage.json(["jobs", job]))[0]?.["state"];
}

describe("cc cancel", () => {
  test("a whole job, once; again is a note and still 0", async () => {
    const job = await waiting();
    expect(await said("cancel", job)).toBe(`job ${job}: 3 tasks cancelled\n`);
    expect(await stateOf(job)).toBe("cancelled");
    expect(await said("cancel", job)).toBe(`job ${job} has already ended (cancelled)\n`);
  });

  test("single tasks of several jobs; the others go on", async () => {
    const [first, second] = [await waiting(), await waiting()];
    expect(await said("cancel", `${first}/0`, `${first}/2`, `${second}/1`)).toBe(
      `job ${first}: 2 tasks cancelled\njob ${second}: 1 task cancelled\n`,
    );
    expect((await stage.cc(["tasks", first, "--state", "blocked", "-q"])).stdout).toBe(
      `${first}/1\n`,
    );
    expect(await said("cancel", `${first}/0`)).toBe(
      `job ${first}: nothing to cancel, those tasks have ended\n`,
    );
    await said("cancel", first, second);
  });

  test("a running command ends, and its slot is free again", async () => {
    const gate = stage.gate("cancelled");
    const job = await stage.submit(["--", ...GATED, ":::", gate.path]);
    await gate.started();
    expect(await said("cancel", job, "--reason", "wrong input")).toBe(
      `job ${job}: 1 task cancelled\n`,
    );
    expect((await stage.cc(["wait", job])).exitCode).toBe(1);
    expect((await stage.cc(["why", `${job}/0`])).stdout).toContain("was cancelled: wrong input.");
    expect((await stage.cc(["submit", "-c", "2", "--", "echo", "free"])).stdout).toBe("free\n");
  });

  test("--json is the job with what was done, -q its number", async () => {
    const job = await waiting();
    const [answer] = await stage.json(["cancel", job]);
    expect(answer).toMatchObject({
      schema: "crowdcompute/v1",
      job_id: Number(job),
      state: "cancelled",
      affected: 3,
    });
    const quiet = await stage.cc(["cancel", "-q", job]);
    expect([quiet.stdout, quiet.stderr]).toEqual([`${job}\n`, ""]);
  });

  test("refuses what is no job or task", async () => {
    expect(await refused("cancel", "99")).toBe("cc: There is no job 99.\nhint: cc jobs\n");
    expect(await refused("cancel", "render")).toStartWith('cc: "render" names no job or task;');
    expect(await refused("cancel")).toBe(
      "cc: cc cancel needs JOB[/INDEX].\nhint: cc cancel JOB[/INDEX]… [options]\n",
    );
    const job = await waiting();
    expect(await refused("cancel", `${job}/3`)).toBe(
      `cc: Job ${job} has 3 tasks (0 to 2), so there is no ${job}/3.\nhint: cc tasks ${job}\n`,
    );
    await said("cancel", job);
  });
});

describe("cc pause and cc resume", () => {
  test("a job: what runs finishes, nothing else starts until it goes on", async () => {
    const [first, second] = [stage.gate("first"), stage.gate("second")];
    const job = await stage.submit(["-j", "1", "--", ...GATED, ":::", first.path, second.path]);
    await first.started();
    expect(await said("pause", job)).toBe(
      `job ${job} is paused; its running tasks finish (cc resume ${job})\n`,
    );
    const results = stage.start(["results", job, "-f"]);
    await first.open();
    await results.untilStdout(/first\n/);
    expect(await stateOf(job)).toBe("paused");
    expect(await said("resume", job)).toBe(`job ${job} goes on\n`);
    await second.started();
    await second.open();
    expect((await results.ended).stdout).toBe("first\nsecond\n");
  });

  test("a worker: it takes no more tasks, and with --now gives back what runs, uncounted", async () => {
    const gate = stage.gate("given-back");
    const job = await stage.submit(["--", ...GATED, ":::", gate.path]);
    await gate.started();
    expect(await said("pause", "w1", "--now")).toBe(
      "worker w1 takes no more tasks (cc resume w1)\n",
    );
    expect(await stage.json(["workers", "w1"])).toMatchObject([{ state: "paused" }]);
    const other = await stage.worker("w2", ["--slots", "1"]);
    await gate.started();
    await gate.open();
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
    const [task] = await stage.json(["tasks", `${job}/0`]);
    expect(task).toMatchObject({
      state: "completed",
      attempts: 2,
      worker: "w2",
      history: [
        { attempt: 1, outcome: "aborted", worker: "w1", code: null },
        { attempt: 2, outcome: "completed", worker: "w2" },
      ],
    });
    other.kill("SIGTERM");
    await other.ended;
    expect(await said("resume", "w1")).toBe("worker w1 takes tasks again\n");
  });

  test("is said as JSON and by number or name", async () => {
    const job = await waiting();
    expect(await stage.json(["pause", job])).toMatchObject([
      { job_id: Number(job), state: "paused" },
    ]);
    expect((await stage.cc(["resume", "-q", job])).stdout).toBe(`${job}\n`);
    expect(await stage.json(["pause", "w1"])).toEqual([
      { schema: "crowdcompute/v1", worker_id: "w1", paused: true },
    ]);
    expect((await stage.cc(["resume", "-q", "w1"])).stdout).toBe("w1\n");
    await said("cancel", job);
  });

  test("refuses tasks, strangers, and --now for a job", async () => {
    const job = await waiting();
    expect(await refused("pause", `${job}/0`)).toBe(
      `cc: "${job}/0" names a task; jobs and workers can be paused, tasks cannot.\n`,
    );
    expect(await refused("pause", "nobody")).toBe(
      'cc: There is no worker "nobody".\nhint: cc workers\n',
    );
    expect(await refused("pause", job, "--now")).toBe(
      `cc: --now gives back what a worker runs; "${job}" is a job, whose running tasks finish.\nhint: cc pause ${job}, or cc cancel ${job}\n`,
    );
    await said("cancel", job);
  });
});

describe("cc set", () => {
  test("changes options while the job waits, and names them", async () => {
    const job = await waiting();
    const changes = [
      "--priority",
      "high",
      "-j",
      "4",
      "--timeout",
      "90s",
      "--name",
      "new",
      "--note",
      "why",
    ];
    expect(await said("set", job, ...changes, "--keep")).toBe(
      `job ${job} changed: priority, max-running, timeout, name, note, keep\n`,
    );
    const [view] = await stage.json(["jobs", job]);
    expect(view).toMatchObject({
      name: "new",
      note: "why",
      priority: 10,
      keep: true,
      spec: { max_running: 4, timeout_seconds: 90, priority: 10 },
    });
    const [changed] = await stage.json([
      ...["set", job, "-j", "none", "--timeout", "none", "--no-keep"],
    ]);
    expect(changed).toMatchObject({ schema: "crowdcompute/v1", job_id: Number(job) });
    expect((await stage.json(["jobs", job]))[0]).toMatchObject({
      keep: false,
      spec: { max_running: null, timeout_seconds: null },
    });
    await said("cancel", job);
    expect(await said("set", job, "--priority", "low")).toBe(
      `job ${job} has ended (cancelled): only its name, note and keeping can change\n`,
    );
    expect(await said("set", job, "--name", "kept")).toBe(`job ${job} changed: name\n`);
  });

  test("-j takes hold of a running job", async () => {
    const [first, second] = [stage.gate("narrow-1"), stage.gate("narrow-2")];
    const job = await stage.submit(["-j", "1", "--", ...GATED, ":::", first.path, second.path]);
    await first.started();
    await said("set", job, "-j", "2");
    // The second begins while the first still runs.
    await second.started();
    await Promise.all([first.open(), second.open()]);
    expect((await stage.cc(["wait", job])).exitCode).toBe(0);
  });

  test("refuses nothing to change, bad values and unknown options", async () => {
    expect(await refused("set", "1")).toBe(
      "cc: cc set needs at least one option to change.\nhint: cc set 1 --priority high\n",
    );
    expect(await refused("set", "1", "--priority", "urgent")).toBe(
      'cc: --priority: "urgent" is no priority.\nhint: Write low, normal, high, critical or a number from -100 to 100.\n',
    );
    expect(await refused("set", "1", "-j", "0")).toContain("expected a value of at least 1");
    expect(await refused("set", "1", "--priorty", "high")).toBe(
      "cc: cc set has no option --priorty.\nhint: Did you mean --priority?\n",
    );
  });
});

describe("cc rm", () => {
  test("refuses an unfinished job, forgets an ended one, and knows it no more", async () => {
    const job = await waiting();
    expect(await refused("rm", job)).toBe(
      `cc: Job ${job} has not ended.\nhint: cc cancel ${job}\n`,
    );
    await said("cancel", job);
    expect(await said("rm", job)).toBe(`job ${job} is forgotten\n`);
    const gone = `cc: There is no job ${job} any more: it was forgotten, with all it left.\nhint: cc events --kind job_removed\n`;
    for (const verb of ["rm", "results", "why", "tasks", "wait", "events", "retry", "set"]) {
      const more = verb === "set" ? ["--keep"] : [];
      expect([verb, await refused(verb, job, ...more)]).toEqual([verb, gone]);
    }
  });

  test("several at once, as JSON", async () => {
    const [first, second] = [await waiting(), await waiting()];
    await said("cancel", first, second);
    const answers = await stage.json(["rm", first, second]);
    const schema = "crowdcompute/v1";
    expect(answers).toMatchObject([
      { schema, job_id: Number(first) },
      { schema, job_id: Number(second) },
    ]);
  });
});
