/**
 * One submitter of the soak: plans a job, submits it by an idempotency key, does to it what the plan
 * says, waits for its end and has it checked; then the next. The foreman may be gone at any moment, so
 * every command is repeated until the foreman has answered it.
 */
import { type Cluster, eventually } from "../../test/faults/support/cluster.ts";
import type { RunResult } from "../../test/support/binary.ts";
import type { Chance } from "./chance.ts";
import { checkJob } from "./check-job.ts";
import { type PlannedJob, planJob } from "./job-kinds.ts";

export interface Tally {
  jobCount: number;
  taskCount: number;
  /** Repeated because the foreman was away. */
  repeatCount: number;
  readonly jobsByKind: Map<string, number>;
  readonly problems: string[];
}

export interface SubmitterParts {
  readonly name: string;
  readonly cluster: Cluster;
  readonly chance: Chance;
  readonly tally: Tally;
  /** Kills and other losses so far. */
  killCount(): number;
  /** No further job is begun. */
  isOver(): boolean;
  /** Not even this one is brought to its end. */
  mustStop(): boolean;
}

/** Exit code: the foreman was not reached, or broke off. */
const UNREACHED = 3;
const COMMAND_TIMEOUT_MS = 5 * 60_000;
const PATIENCE_MS = 10 * 60_000;

export async function runSubmitter(parts: SubmitterParts): Promise<void> {
  for (let number = 1; !parts.isOver(); number++) {
    const planned = planJob(parts.chance);
    const problems = await runJob(parts, planned, `${parts.name}-${number}`);
    const { tally } = parts;
    tally.problems.push(...problems);
    tally.jobCount++;
    tally.taskCount += planned.taskCount;
    tally.jobsByKind.set(planned.kind, (tally.jobsByKind.get(planned.kind) ?? 0) + 1);
  }
}

async function runJob(
  parts: SubmitterParts,
  planned: PlannedJob,
  key: string,
): Promise<readonly string[]> {
  const [first = "", ...rest] = planned.words;
  const own = ["-d", "-q", "--idempotency-key", key];
  // Ours stand before the command's own words.
  const words = first.endsWith(".ts") ? [first, ...own, ...rest] : [...own, first, ...rest];
  const jobId = (await say(parts, ["submit", ...words])).stdout.trim();
  // Until it is checked; retention forgets it afterwards.
  await say(parts, ["set", jobId, "--keep", "-q"]);
  if (planned.meanwhile === "cancel") await say(parts, ["cancel", jobId, "-q"]);
  await say(parts, ["wait", jobId]);
  if (planned.meanwhile === "retry") {
    await say(parts, ["retry", jobId, "-d", "-q"]);
    await say(parts, ["wait", jobId]);
  }
  const seen = {
    job: (await lines(parts, ["jobs", jobId, "--json"]))[0] ?? {},
    tasks: await lines(parts, ["tasks", jobId, "--json"]),
    rows: await lines(parts, ["results", jobId, "--format", "jsonl"]),
  };
  const problems = checkJob(planned, seen, parts.killCount());
  await say(parts, ["set", jobId, "--no-keep", "-q"]);
  return problems.map((problem) => `job ${jobId} (${planned.kind}): ${problem}`);
}

async function lines(
  parts: SubmitterParts,
  words: readonly string[],
): Promise<Record<string, unknown>[]> {
  const { stdout } = await say(parts, words);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Repeats the command until the foreman has answered it. */
async function say(parts: SubmitterParts, words: readonly string[]): Promise<RunResult> {
  const { cluster, tally } = parts;
  let answer: RunResult | null = null;
  await eventually(
    `cc ${words.join(" ")} is answered`,
    async () => {
      if (parts.mustStop()) throw new Error("the soak is over");
      answer = await cluster.cc(words, { timeoutMs: COMMAND_TIMEOUT_MS });
      if (parts.mustStop()) throw new Error("the soak is over");
      if (answer.exitCode !== UNREACHED) return true;
      tally.repeatCount++;
      return false;
    },
    PATIENCE_MS,
  );
  // `eventually` returns only once there is one.
  const { exitCode, stderr } = answer as unknown as RunResult;
  if (exitCode === 0 || exitCode === 1) return answer as unknown as RunResult;
  throw new Error(`cc ${words.join(" ")} ended with ${exitCode}:\n${stderr}`);
}
