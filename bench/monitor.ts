/**
 * What the monitor costs and how fast it answers, under load: `bun bench/monitor.ts [--rate 50000] [--workers 1000]
 * [--seconds 5] [--minutes N]` (needs `dist/cc`). A foreman of the compiled binary, a thousand workers that settle
 * tasks as fast as they are told to, a hundred jobs and one of a million tasks; `cc top` in terminals of
 * two sizes. With `--minutes` it only watches memory, for so long. What viewers cost the foreman is in viewers.ts.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isLive } from "../test/e2e/top/support/walk.ts";
import { openTerminal, type TestTerminal } from "../test/support/terminal/terminal.ts";
import {
  keyEchoes,
  mib,
  ms,
  percent,
  printFigure,
  quantile,
  sampleUse,
  spread,
  timeUntil,
} from "./monitor/figures.ts";
import {
  type Crowd,
  type Installation,
  openCrowd,
  openInstallation,
  processUse,
} from "./monitor/installation.ts";

const BINARY = resolve(process.env["CC_BINARY"] ?? join(import.meta.dirname, "..", "dist", "cc"));
const JOBS = 100;
const BIG_JOB_TASKS = 1_000_000;
const SMALL_JOB_TASKS = 40_000;
const SLOTS = 2;
const FAIL_EVERY = 1_000;
const RUNS = 3;
const KEY_PRESSES = 100;
const LOOKS = 10;
const SIZES = [
  [120, 40],
  [200, 50],
] as const;

interface Options {
  readonly workers: number;
  readonly rate: number;
  readonly seconds: number;
  readonly minutes: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      workers: { type: "string", default: "1000" },
      rate: { type: "string", default: "50000" },
      seconds: { type: "string", default: "5" },
      minutes: { type: "string", default: "0" },
    },
  });
  return {
    workers: Number(values.workers),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    minutes: Number(values.minutes),
  };
}

async function main(options: Options): Promise<void> {
  measureHelp();
  const installation = await openInstallation(BINARY);
  try {
    await measureIdle(installation, options);
    const jobs = await submitJobs(installation);
    const crowd = await openCrowd(installation, {
      workers: options.workers,
      slots: SLOTS,
      failEvery: FAIL_EVERY,
    });
    try {
      crowd.setRate(options.rate);
      await Bun.sleep(2_000);
      if (options.minutes > 0) await watchMemory(installation, crowd, options);
      else for (const size of SIZES) await measureSize(installation, crowd, size, jobs, options);
    } finally {
      await crowd.close();
    }
  } finally {
    await installation.close();
  }
}

function measureHelp(): void {
  const durations = Array.from({ length: 10 }, () => {
    const startedAtMs = performance.now();
    Bun.spawnSync([BINARY, "--help"], { stdout: "ignore", stderr: "ignore" });
    return performance.now() - startedAtMs;
  });
  printFigure("cc --help", spread(durations, ms));
}

async function measureIdle(installation: Installation, { seconds }: Options): Promise<void> {
  const terminal = openTop(installation, [120, 40]);
  await terminal.waitFor(isLive);
  await Bun.sleep(1_500);
  const { cpuPercent, bytesPerSecond } = await sampleUse(terminal, seconds * 1000);
  await terminal.close();
  await printFirstFrames("idle, 120x40", installation, [120, 40]);
  printFigure("idle, 120x40: CPU of one core", percent(cpuPercent));
  printFigure("idle, 120x40: written", `${bytesPerSecond.toFixed(0)} bytes/s`);
}

/** One large and many small ones. @returns the large one's number. */
async function submitJobs(installation: Installation): Promise<number> {
  const big = await installation.submit("a-million", BIG_JOB_TASKS);
  for (let at = 1; at < JOBS; at++) await installation.submit(`small-${at}`, SMALL_JOB_TASKS);
  return big;
}

async function measureSize(
  installation: Installation,
  crowd: Crowd,
  size: readonly [columns: number, rows: number],
  bigJob: number,
  { seconds }: Options,
): Promise<void> {
  const name = size.join("x");
  await printFirstFrames(name, installation, size);
  const terminal = openTop(installation, size);
  await terminal.waitFor(isLive);
  await Bun.sleep(1_000);
  const settledBefore = crowd.settled();
  const foremanBefore = processUse(installation.foremanPid);
  const use = await sampleUse(terminal, seconds * 1000);
  const foremanUse = processUse(installation.foremanPid);
  printFigure(`${name}: CPU of one core, live overview`, percent(use.cpuPercent));
  printFigure(`${name}: memory`, mib(use.residentMib));
  printFigure(`${name}: written`, `${(use.bytesPerSecond / 1000).toFixed(1)} kB/s`);
  printFigure(
    `${name}: meanwhile settled, foreman's CPU`,
    `${((crowd.settled() - settledBefore) / seconds / 1000).toFixed(1)} k tasks/s, ${percent((foremanUse.cpuMs - foremanBefore.cpuMs) / seconds / 10)}`,
  );
  const echoes = await keyEchoes(terminal, KEY_PRESSES);
  printFigure(
    `${name}: key to screen, p50 / p99`,
    `${ms(quantile(echoes, 0.5))} / ${ms(quantile(echoes, 0.99))}`,
  );
  await terminal.close();
  const openings = [];
  for (let run = 0; run < RUNS; run++)
    openings.push(await measureBigJob(installation, size, bigJob));
  printFigure(`${name}: opening the job of a million tasks`, spread(openings, ms));
  const delays = await measureTruth(installation, size, bigJob);
  printFigure(`${name}: its counts are behind the foreman's by`, spread(delays, ms));
}

async function printFirstFrames(
  name: string,
  installation: Installation,
  size: readonly [number, number],
): Promise<void> {
  const durations = [];
  for (let run = 0; run < RUNS; run++) durations.push(await measureFirstFrame(installation, size));
  printFigure(`${name}: first picture with data`, spread(durations, ms));
}

async function measureFirstFrame(
  installation: Installation,
  size: readonly [number, number],
): Promise<number> {
  const startedAtMs = performance.now();
  const terminal = openTop(installation, size);
  await terminal.waitFor(isLive);
  const durationMs = performance.now() - startedAtMs;
  await terminal.close();
  return durationMs;
}

/** From Enter until its grid is drawn. */
async function measureBigJob(
  installation: Installation,
  size: readonly [number, number],
  bigJob: number,
): Promise<number> {
  const terminal = openTop(installation, size);
  await terminal.waitFor(isLive);
  terminal.type(`/job:${bigJob}\r`);
  await terminal.waitFor(/> +\d+ +a-million/);
  const durationMs = await timeUntil(
    terminal,
    () => terminal.keys("Enter"),
    /a-million[\s\S]*GRID/,
  );
  await terminal.close();
  return durationMs;
}

/** From the foreman's answer to another client until the screen shows as many completed tasks. */
async function measureTruth(
  installation: Installation,
  size: readonly [number, number],
  bigJob: number,
): Promise<readonly number[]> {
  const terminal = openTop(installation, size, String(bigJob));
  await terminal.waitFor(/GRID/);
  const delays: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const completed = await installation.completed(bigJob);
    const startedAtMs = performance.now();
    await terminal.waitFor((screen) => shownCompleted(screen) >= completed);
    delays.push(performance.now() - startedAtMs);
  }
  await terminal.close();
  return delays;
}

const shownCompleted = (screen: string): number =>
  Number(/ C ([\d,]+)/.exec(screen)?.[1]?.replaceAll(",", "") ?? 0);

async function watchMemory(
  installation: Installation,
  crowd: Crowd,
  { minutes, rate }: Options,
): Promise<void> {
  const terminal = openTop(installation, [120, 40]);
  await terminal.waitFor(isLive);
  for (let minute = 0; minute <= minutes; minute++) {
    const { cpuPercent, residentMib } = await sampleUse(terminal, 60_000);
    const { residentMib: foremanMib } = processUse(installation.foremanPid);
    printFigure(
      `minute ${minute}`,
      `monitor ${mib(residentMib)} ${percent(cpuPercent)}, foreman ${mib(foremanMib)}, ${crowd.settled()} settled`,
    );
    if (crowd.held() < rate) await installation.submit("more", 4 * BIG_JOB_TASKS);
  }
  await terminal.close();
}

function openTop(
  { url, env }: Installation,
  [columns, rows]: readonly [number, number],
  ...place: readonly string[]
): TestTerminal {
  const command = [BINARY, "top", ...place, "--foreman", url];
  return openTerminal({ command, columns, rows, env });
}

await main(readOptions());
