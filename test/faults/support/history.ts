/**
 * What was promised and what has happened, written down by those who saw it, and the checker that compares
 * the two. Tasks append a line to one file when they start and when they finish; submissions that were
 * acknowledged are noted here. `check()` then asks the foreman and the store and throws with every
 * contradiction it finds; it must never repair or repeat anything.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, eventually } from "./cluster.ts";

/** A job whose submission was acknowledged. */
export interface Submission {
  readonly jobId: number;
  readonly taskCount: number;
  /** `completed`: every task must be; `settled`: completed, failed and cancelled ones are fine. */
  readonly expect: "completed" | "settled";
  /** What task `index` returns when it completes; left out: not looked at. */
  readonly expectedOf?: (index: number) => unknown;
}

/** A line that a task wrote. */
export interface Effect {
  readonly kind: "start" | "finish";
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
  readonly workerId: string;
  /** Of the process that ran the task. */
  readonly pid: number;
}

export interface SubmitOptions {
  readonly taskCount: number;
  /** How long a task takes. */
  readonly taskMs?: number;
  /** Tasks wait until this gate is open. */
  readonly gate?: Gate;
  /** Further options of `cc submit`. */
  readonly args?: readonly string[];
}

/** Holds tasks back until it is opened, once and for all. */
export interface Gate {
  readonly path: string;
  open(): void;
}

export interface CheckOptions {
  /** How often a task may have started; 1: nothing ran again. */
  readonly startsMax: number;
  /** Jobs that may exist although nobody heard their acknowledgement. */
  readonly unheardJobsMax?: number;
}

/** What was checked, for reports. */
export interface Verdict {
  readonly jobCount: number;
  readonly taskCount: number;
  readonly startCount: number;
  /** Tasks that started more than once. */
  readonly rerunCount: number;
}

export interface History {
  readonly submissions: readonly Submission[];
  /** The words of a `cc submit` whose tasks write into this history and return their input's square. */
  submitWords(options: SubmitOptions): readonly string[];
  /** Submits detached and notes the acknowledgement. */
  submit(options: SubmitOptions): Promise<Submission>;
  /** Notes an acknowledgement that somebody else heard. */
  acknowledged(submission: Submission): void;
  gate(name: string): Gate;
  effects(): readonly Effect[];
  /** Waits for so many started attempts in all. */
  untilStarted(startCount: number): Promise<void>;
  untilFinished(finishCount: number): Promise<void>;
  /** Waits for the end of every acknowledged job, then compares. The foreman must be running. */
  check(options: CheckOptions): Promise<Verdict>;
}

const JOB_FILE = `
import { appendFileSync, existsSync } from "node:fs";
const { EFFECTS, GATE, TASK_MS, CC_WORKER_ID } = process.env;
export default async (n, ctx) => {
  const say = (word) => appendFileSync(EFFECTS, \`\${word} \${ctx.job.id} \${ctx.task.index} \${ctx.attempt} \${CC_WORKER_ID} \${process.pid}\\n\`);
  say("start");
  while (GATE && !existsSync(GATE)) await new Promise((resolve) => setTimeout(resolve, 10));
  if (TASK_MS) await new Promise((resolve) => setTimeout(resolve, Number(TASK_MS)));
  say("finish");
  return n * n;
};
`;

/** Of the tasks that `submitWords` describes. */
export const squareOf = (index: number): number => index * index;

let gateCount = 0;

export function createHistory(cluster: Cluster): History {
  const effectsFile = cluster.file("effects.log", "");
  const jobFile = cluster.file("history-job.ts", JOB_FILE);
  const submissions: Submission[] = [];

  const submitWords = ({ taskCount, taskMs = 0, gate, args = [] }: SubmitOptions) => [
    "submit",
    ...["--array", `0-${taskCount - 1}`, "--env", `EFFECTS=${effectsFile}`],
    ...(gate === undefined ? [] : ["--env", `GATE=${gate.path}`]),
    ...(taskMs === 0 ? [] : ["--env", `TASK_MS=${taskMs}`]),
    ...args,
    jobFile,
  ];
  const effects = (): readonly Effect[] => readEffects(effectsFile);
  const countOf = (kind: Effect["kind"]): number =>
    effects().filter((effect) => effect.kind === kind).length;

  return {
    submissions,
    submitWords,
    async submit(options) {
      const submitted = await cluster.cc([...submitWords(options), "-d"]);
      if (submitted.exitCode !== 0) throw new Error(`cc submit failed:\n${submitted.stderr}`);
      const submission: Submission = {
        jobId: Number(submitted.stdout.trim()),
        taskCount: options.taskCount,
        expect: "completed",
        expectedOf: squareOf,
      };
      submissions.push(submission);
      return submission;
    },
    acknowledged: (submission) => void submissions.push(submission),
    gate(name) {
      const path = join(cluster.world.folder, `${name}-${gateCount++}.open`);
      return { path, open: () => writeFileSync(path, "") };
    },
    effects,
    untilStarted: (wanted) =>
      eventually(`${wanted} attempts have started`, () => countOf("start") >= wanted),
    untilFinished: (wanted) =>
      eventually(`${wanted} attempts have finished`, () => countOf("finish") >= wanted),
    check: (options) => checkHistory(cluster, submissions, effects, options),
  };
}

function readEffects(file: string): readonly Effect[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [kind, jobId, index, attempt, workerId = "", pid] = line.split(" ");
      if (kind !== "start" && kind !== "finish") throw new Error(`no effect: "${line}"`);
      return {
        kind,
        jobId: Number(jobId),
        index: Number(index),
        attempt: Number(attempt),
        workerId,
        pid: Number(pid),
      };
    });
}

async function checkHistory(
  cluster: Cluster,
  submissions: readonly Submission[],
  effects: () => readonly Effect[],
  { startsMax, unheardJobsMax = 0 }: CheckOptions,
): Promise<Verdict> {
  const wrong: string[] = [];
  for (const { jobId } of submissions) await cluster.cc(["wait", `${jobId}`], LONG_WAIT);
  const jobs = await cluster.json(["jobs", "--limit", "0"]);
  wrong.push(...missingJobs(submissions, jobs, unheardJobsMax));
  const told = effects();
  for (const submission of submissions) {
    const job = jobs.find(({ job_id }) => job_id === submission.jobId);
    const ofJob = told.filter(({ jobId }) => jobId === submission.jobId);
    if (job) wrong.push(...(await checkJob(cluster, submission, job, ofJob)));
  }
  const starts = startsByTask(told);
  for (const [task, attempts] of starts) wrong.push(...checkStarts(task, attempts, startsMax));
  const doctor = await cluster.cc(["doctor", "--store", cluster.storeFolder]);
  if (doctor.exitCode !== 0) wrong.push(`cc doctor --store is not content:\n${doctor.stdout}`);
  if (wrong.length > 0) throw new Error(`the history is contradicted:\n  ${wrong.join("\n  ")}`);
  return {
    jobCount: jobs.length,
    taskCount: submissions.reduce((total, { taskCount }) => total + taskCount, 0),
    startCount: told.filter(({ kind }) => kind === "start").length,
    rerunCount: [...starts.values()].filter(({ length }) => length > 1).length,
  };
}

const LONG_WAIT = { timeoutMs: 10 * 60_000 };
/** A broken job names a few of its tasks, not all. */
const EXAMPLES_MAX = 5;

function missingJobs(
  submissions: readonly Submission[],
  jobs: readonly Record<string, unknown>[],
  unheardJobsMax: number,
): readonly string[] {
  const known = new Set(jobs.map(({ job_id }) => job_id));
  const lost = submissions.filter(({ jobId }) => !known.has(jobId));
  const acknowledgedCount = new Set(submissions.map(({ jobId }) => jobId)).size;
  const ghostCount = jobs.length - (acknowledgedCount - lost.length);
  return [
    ...lost.map(({ jobId }) => `job ${jobId} was acknowledged and does not exist`),
    ...(ghostCount > unheardJobsMax ? [`${ghostCount} jobs exist that nobody submitted`] : []),
  ];
}

interface TaskRow {
  readonly index: number;
  readonly state: string;
  readonly attempts: number;
}

async function checkJob(
  cluster: Cluster,
  submission: Submission,
  job: Record<string, unknown>,
  effects: readonly Effect[],
): Promise<readonly string[]> {
  const { jobId } = submission;
  const tasks = (await cluster.json(["tasks", `${jobId}`, "--limit", "0"])) as unknown as TaskRow[];
  const results = await cluster.cc(["results", `${jobId}`, "--format", "jsonl"], LONG_WAIT);
  const rows = results.stdout.split("\n").filter((line) => line !== "");
  const found = [
    ...checkCounters(submission, job, tasks),
    ...checkResults(submission, rows, tasks),
    ...checkFinishes(tasks, effects),
  ];
  return found.slice(0, EXAMPLES_MAX).map((text) => `job ${jobId}: ${text}`);
}

function checkCounters(
  { taskCount, expect }: Submission,
  job: Record<string, unknown>,
  tasks: readonly TaskRow[],
): readonly string[] {
  const counters = job["tasks"] as Record<string, number>;
  const wrong: string[] = [];
  if (counters["total"] !== taskCount) wrong.push(`${counters["total"]} tasks, not ${taskCount}`);
  if (tasks.length !== taskCount) wrong.push(`${tasks.length} tasks are listed, not ${taskCount}`);
  for (const [state, counted] of Object.entries(counters)) {
    if (state === "total") continue;
    const listed = tasks.filter((task) => task.state === state).length;
    if (listed !== counted) wrong.push(`counts ${counted} ${state} and lists ${listed}`);
    const isEnd = state === "completed" || (expect === "settled" && /^(failed|canc)/.test(state));
    if (!isEnd && counted > 0) wrong.push(`${counted} tasks are ${state}`);
  }
  return wrong;
}

/** Each completed task has one row with its own value, and nobody else has any. */
function checkResults(
  { expectedOf }: Submission,
  rows: readonly string[],
  tasks: readonly TaskRow[],
): readonly string[] {
  const wrong: string[] = [];
  const seen = new Map<number, Record<string, unknown>>();
  for (const line of rows) {
    const row = JSON.parse(line) as Record<string, unknown>;
    const index = row["index"] as number;
    if (seen.has(index)) wrong.push(`task ${index} has two results`);
    seen.set(index, row);
  }
  for (const { index, state, attempts } of tasks) {
    const row = seen.get(index);
    if (row === undefined) {
      wrong.push(`task ${index} is ${state} and has no row among the results`);
    } else if (row["status"] !== state) {
      wrong.push(`task ${index} is ${state} and its result says ${row["status"]}`);
    } else if (state === "completed" && row["attempts"] !== attempts) {
      wrong.push(
        `task ${index}: attempt ${row["attempts"]} has the result, ${attempts} is the last`,
      );
    } else if (state === "completed" && expectedOf && row["value"] !== expectedOf(index)) {
      wrong.push(`task ${index} returned ${JSON.stringify(row["value"])}`);
    }
  }
  return wrong;
}

/** What has a result has run to its end, in the very attempt that the record names. */
function checkFinishes(tasks: readonly TaskRow[], effects: readonly Effect[]): readonly string[] {
  // Other jobs than this history's own write nothing.
  if (effects.length === 0) return [];
  const finished = new Set(
    effects.filter(({ kind }) => kind === "finish").map((each) => `${each.index} ${each.attempt}`),
  );
  return tasks
    .filter(
      ({ state, index, attempts }) =>
        state === "completed" && !finished.has(`${index} ${attempts}`),
    )
    .map(
      ({ index, attempts }) =>
        `task ${index} completed in attempt ${attempts}, which never finished`,
    );
}

function startsByTask(effects: readonly Effect[]): ReadonlyMap<string, readonly number[]> {
  const starts = new Map<string, number[]>();
  for (const { kind, jobId, index, attempt } of effects) {
    if (kind !== "start") continue;
    const task = `${jobId}/${index}`;
    const attempts = starts.get(task);
    if (attempts) attempts.push(attempt);
    else starts.set(task, [attempt]);
  }
  return starts;
}

function checkStarts(
  task: string,
  attempts: readonly number[],
  startsMax: number,
): readonly string[] {
  const list = attempts.join(", ");
  if (attempts.length > startsMax)
    return [`task ${task} started ${attempts.length} times: ${list}`];
  if (new Set(attempts).size < attempts.length)
    return [`task ${task} ran an attempt twice: ${list}`];
  return [];
}
