/**
 * What people who look on cost the foreman: `bun bench/viewers.ts [--viewers 20] [--workers 12] [--rate 20000]
 * [--seconds 2] [--rounds 4]` (needs `dist/cc`, or CC_BINARY). A foreman of the compiled binary, simulated
 * workers that settle a million no-op tasks at a steady rate, and viewers that follow the overview as
 * `cc top` does. Spans with and without viewers take turns, so that what else the machine does falls on both.
 * What the foreman's processor does more for viewers is what it could not do for tasks when it is at its limit.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connectTo } from "../src/runtime/client/resolve.ts";
import { watchView } from "../src/runtime/client/watch-view.ts";
import { systemClock } from "../src/runtime/platform/clock.ts";
import { chance } from "../src/runtime/platform/random.ts";
import type { ListWindow, View } from "../src/runtime/protocol/messages/client.ts";
import { readKeyFile } from "../src/runtime/transport/key-files.ts";
import { percent, printFigure, spread } from "./monitor/figures.ts";
import {
  type Crowd,
  type Installation,
  openCrowd,
  openInstallation,
  processUse,
} from "./monitor/installation.ts";

const BINARY = resolve(process.env["CC_BINARY"] ?? join(import.meta.dirname, "..", "dist", "cc"));
const TASKS = 1_000_000;
const JOBS = 4;
const SLOTS = 2;
/** What is under way when viewers come or go falls on neither span. */
const SETTLE_MS = 500;

const WINDOW: ListWindow = { sort: "", reverse: false, filter: "", from: 0, rows: 40 };
const OVERVIEW: View = {
  kind: "overview",
  window_seconds: 120,
  back_seconds: 0,
  jobs: WINDOW,
  workers: WINDOW,
  events: 12,
};

interface Options {
  readonly viewers: number;
  readonly workers: number;
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
}

interface Span {
  readonly tasksPerSecond: number;
  /** Of one core. */
  readonly cpuPercent: number;
}

function readOptions(): Options {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: { viewers: text, workers: text, rate: text, seconds: text, rounds: text },
  });
  return {
    viewers: Number(values.viewers ?? 20),
    workers: Number(values.workers ?? 12),
    rate: Number(values.rate ?? 20_000),
    seconds: Number(values.seconds ?? 2),
    rounds: Number(values.rounds ?? 4),
  };
}

async function main(options: Options): Promise<void> {
  const installation = await openInstallation(BINARY);
  try {
    for (let job = 1; job <= JOBS; job++) await submit(installation, job);
    const { workers } = options;
    const crowd = await openCrowd(installation, { workers, slots: SLOTS, failEvery: 1_000 });
    try {
      crowd.setRate(options.rate);
      await Bun.sleep(2_000);
      await compare(installation, crowd, options);
    } finally {
      await crowd.close();
    }
  } finally {
    await installation.close();
  }
}

async function submit(installation: Installation, job: number): Promise<void> {
  const array = `1-${TASKS / JOBS}`;
  await installation.run([
    "submit",
    "-d",
    "--name",
    `no-op-${job}`,
    "--array",
    array,
    "--",
    "true",
  ]);
}

async function compare(
  installation: Installation,
  crowd: Crowd,
  { viewers, seconds, rounds }: Options,
): Promise<void> {
  const without: Span[] = [];
  const watched: Span[] = [];
  let updates = 0;
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    without.push(await measure(installation, crowd, seconds));
    const audience = openAudience(installation, viewers);
    await Bun.sleep(SETTLE_MS);
    audience.count = { updates: 0, bytes: 0 };
    watched.push(await measure(installation, crowd, seconds));
    updates += audience.count.updates;
    bytes += audience.count.bytes;
    audience.close();
    await Bun.sleep(SETTLE_MS);
  }
  print(`no viewers`, without);
  print(`${viewers} viewers`, watched);
  const differences = watched.map(
    ({ cpuPercent }, at) => cpuPercent - (without[at]?.cpuPercent ?? 0),
  );
  printFigure("the foreman's processor does more by", spread(differences, percent));
  const perSecond = rounds * seconds * viewers;
  printFigure(
    "a viewer gets",
    `${(updates / perSecond).toFixed(1)} updates/s, ${(bytes / perSecond / 1000).toFixed(1)} kB/s`,
  );
}

function print(name: string, spans: readonly Span[]): void {
  const rates = spans.map(({ tasksPerSecond }) => tasksPerSecond);
  printFigure(
    `${name}: settled`,
    spread(rates, (rate) => `${(rate / 1000).toFixed(1)} k/s`),
  );
  printFigure(
    `${name}: the foreman's processor`,
    spread(
      spans.map(({ cpuPercent }) => cpuPercent),
      percent,
    ),
  );
}

async function measure({ foremanPid }: Installation, crowd: Crowd, seconds: number): Promise<Span> {
  const before = processUse(foremanPid);
  const settledBefore = crowd.settled();
  const startedAtMs = performance.now();
  await Bun.sleep(seconds * 1000);
  const elapsedMs = performance.now() - startedAtMs;
  return {
    tasksPerSecond: ((crowd.settled() - settledBefore) * 1000) / elapsedMs,
    cpuPercent: (100 * (processUse(foremanPid).cpuMs - before.cpuMs)) / elapsedMs,
  };
}

function openAudience({ url, env }: Installation, viewers: number) {
  const key = readKeyFile(join(env["HOME"] ?? "", ".config/crowdcompute/keys/local-admin.key"));
  const audience = { count: { updates: 0, bytes: 0 }, close: () => {} };
  const watches = Array.from({ length: viewers }, () => {
    const watch = watchView({
      connect: () => connectTo(url, key, { clock: systemClock }),
      clock: systemClock,
      chance,
      onLink() {},
      onNews(_view, news) {
        audience.count.updates++;
        audience.count.bytes += news.bytes;
      },
      onFailed(_view, error) {
        throw error;
      },
    });
    watch.look(OVERVIEW);
    return watch;
  });
  audience.close = () => {
    for (const watch of watches) watch.close();
  };
  return audience;
}

await main(readOptions());
