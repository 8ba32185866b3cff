/**
 * `npm run soak -- --minutes 30 [--seed N] [--submitters N] [--workers N]`: mixed load on real processes
 * while the foreman and workers are killed, stopped and frozen at random; each job is checked when it
 * ends, the store at the end. Prints figures as Markdown and ends with 1 if anything was wrong. Every
 * process it starts ends by its pid, also after Ctrl-C.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, openCluster } from "../test/faults/support/cluster.ts";
import { createChance } from "./soak/chance.ts";
import { type Chaos, createChaos } from "./soak/chaos.ts";
import { jobFiles } from "./soak/job-kinds.ts";
import { type Sample, sizeMiB, startSampler } from "./soak/samples.ts";
import { runSubmitter, type Tally } from "./soak/submitter.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    submitters: { type: "string", default: "4" },
    workers: { type: "string", default: "3" },
  },
});
/** Small, so that retention works all the time. */
const RETAINED_JOBS = 20;
/** Beyond the age at which a job may go by number, with some for the space. */
const SETTLING_MS = 12_000;
const TIMING = { heartbeatMs: 1_000, leaseMs: 6_000, graceMs: 2_000 };

const minutes = positive("minutes", values.minutes);
const seed = positive("seed", values.seed);
let isInterrupted = false;

process.exit(await soak());

async function soak(): Promise<number> {
  const args = ["--retain-jobs", String(RETAINED_JOBS)];
  const cluster = await openCluster({ args, timing: TIMING });
  // Ends what runs now; whoever waited for it sees that it is over and starts nothing more.
  const onInterrupt = (): void => {
    isInterrupted = true;
    cluster.close().catch(() => {});
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    return await run(cluster);
  } catch (thrown) {
    // The processes were taken away under whoever waited for them.
    if (isInterrupted) return 130;
    throw thrown;
  } finally {
    await cluster.close();
  }
}

async function run(cluster: Cluster): Promise<number> {
  for (const [name, content] of Object.entries(jobFiles)) cluster.file(name, content);
  const endAtMs = performance.now() + minutes * 60_000;
  /** One party has failed: the others are not to go on. */
  let isAborted = false;
  const mustStop = (): boolean => isInterrupted || isAborted;
  const isOver = (): boolean => mustStop() || performance.now() >= endAtMs;
  const tally: Tally = {
    jobCount: 0,
    taskCount: 0,
    repeatCount: 0,
    jobsByKind: new Map(),
    problems: [],
  };
  const chance = createChance(seed);
  const workerCount = positive("workers", values.workers);
  const chaos = await createChaos({ cluster, chance: createChance(seed + 1), workerCount, isOver });
  const sampler = startSampler(cluster);
  const submitters = Array.from({ length: positive("submitters", values.submitters) }, (_, at) =>
    runSubmitter({
      name: `soak-${seed}-${at}`,
      cluster,
      chance: createChance(chance.between(0, 2 ** 31)),
      tally,
      killCount: chaos.killCount,
      isOver,
      mustStop,
    }),
  );
  const parties = [chaos.run(), ...submitters];
  try {
    await Promise.all(parties);
    await Bun.sleep(SETTLING_MS);
  } catch (thrown) {
    isAborted = true;
    // What the others wait for ends with its processes.
    await cluster.close().catch(() => {});
    await Promise.allSettled(parties);
    throw thrown;
  } finally {
    sampler.stop();
  }
  tally.problems.push(...(await checkStore(cluster)));
  console.log(reportOf({ tally, chaos, samples: sampler.samples, cluster }));
  return tally.problems.length === 0 ? 0 : 1;
}

/** What the whole store must be once nothing runs any more. */
async function checkStore(cluster: Cluster): Promise<string[]> {
  const problems: string[] = [];
  const jobs = await cluster.json(["jobs", "--limit", "0"]);
  const unfinished = jobs.filter((job) => job["finished_at"] === null);
  if (unfinished.length > 0) problems.push(`${unfinished.length} jobs have not ended`);
  if (jobs.length > RETAINED_JOBS) {
    problems.push(`${jobs.length} jobs are kept, ${RETAINED_JOBS} may be`);
  }
  const doctor = await cluster.cc(["doctor", "--store", cluster.storeFolder]);
  if (doctor.exitCode !== 0) problems.push(`cc doctor --store is not content:\n${doctor.stdout}`);
  return problems;
}

interface Outcome {
  readonly tally: Tally;
  readonly chaos: Chaos;
  readonly samples: readonly Sample[];
  readonly cluster: Cluster;
}

function reportOf({ tally, chaos, samples, cluster }: Outcome): string {
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .sort()
      .map(([name, count]) => `${count} ${name}`)
      .join(", ");
  const databaseMiB = sizeMiB(join(cluster.storeFolder, "foreman.db"));
  return [
    `## Soak: ${minutes} min, seed ${seed}`,
    "",
    "| figure | |",
    "|---|---|",
    `| jobs, each checked at its end | ${tally.jobCount} (${list(tally.jobsByKind)}) |`,
    `| tasks | ${tally.taskCount.toLocaleString("en-US")} |`,
    `| broken meanwhile | ${list(chaos.counts) || "nothing"} |`,
    `| commands repeated because the foreman was away | ${tally.repeatCount} |`,
    `| foreman's memory, MiB | ${spread(samples.map(({ memoryMiB }) => memoryMiB))} |`,
    `| database, MiB | ${spread(samples.map((sample) => sample.databaseMiB))}, at the end ${databaseMiB.toFixed(1)} |`,
    `| write-ahead log, MiB | ${spread(samples.map(({ journalMiB }) => journalMiB))} |`,
    `| contradictions | ${tally.problems.length} |`,
    "",
    ...tally.problems.map((problem) => `- ${problem}`),
  ].join("\n");
}

/** Of the first and the last third, so that growth shows, and the largest of all. */
function spread(figures: readonly number[]): string {
  const third = Math.max(1, Math.floor(figures.length / 3));
  const mean = (part: readonly number[]): string =>
    (part.reduce((sum, each) => sum + each, 0) / Math.max(1, part.length)).toFixed(1);
  const max = Math.max(0, ...figures).toFixed(1);
  return `mean ${mean(figures.slice(0, third))} in the first third, ${mean(figures.slice(-third))} in the last, at most ${max}`;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`soak: --${name} is "${text}"; expected a number above 0`);
  process.exit(64);
}
