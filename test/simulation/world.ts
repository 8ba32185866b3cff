/**
 * A whole installation in one thread and virtual time: foreman, workers, clients, their network and the
 * store, made from one seed. First anything may happen, within what the seed has drawn; then the faults
 * stop, and all that was begun must end. Whatever breaks a promise on the way is thrown.
 */
import { anOffer } from "../support/specs.ts";
import { createAcknowledgements } from "./acknowledgements.ts";
import { createDice } from "./chance.ts";
import { checkEnd, checkLeases } from "./checker.ts";
import { type ClientHost, createClientHost } from "./client-host.ts";
import { createNemesis, type Nemesis } from "./faults.ts";
import { createForemanHost, type ForemanHost } from "./foreman-host.ts";
import { drawJobs } from "./jobs.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createLine } from "./network.ts";
import { drawOptions, type WorldOptions } from "./options.ts";
import { createRecord, type DurableRecord } from "./record.ts";
import { createStoreHost, type StoreHost } from "./store-host.ts";
import { createStory, type Story } from "./story.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { createWatch, demand, Violation, type Watch } from "./violation.ts";
import { createWorkerHost, type WorkerHost } from "./worker-host.ts";

export interface World {
  readonly options: WorldOptions;
  readonly timeline: Timeline;
  readonly story: Story;
  readonly record: DurableRecord;
  readonly ledger: Ledger;
  readonly store: StoreHost;
  readonly foreman: ForemanHost;
  readonly workers: readonly WorkerHost[];
  readonly clients: readonly ClientHost[];
  readonly nemesis: Nemesis;
  readonly watch: Watch;
}

/** Rows are held against each other so often; each look reads the whole store. */
const EXAMINE_EVERY_MS = 60_000;
const LEASES_EVERY_MS = 2_000;
const EVENTS_MAX = 200_000;

export async function createWorld(
  seed: number,
  { keepsStory }: { readonly keepsStory: boolean },
): Promise<World> {
  const options = drawOptions(seed);
  const dice = (stream: string) => createDice(seed, stream);
  const timeline = createTimeline();
  const story = createStory(keepsStory, () => timeline.nowMs);
  const foremanWall = { offsetMs: 0 };
  const record = createRecord({
    ledger: () => ledger,
    timeLineOffsetMs: () => foreman.timeLineOffsetMs,
  });
  const ledger = createLedger({
    options,
    nowMs: () => timeline.nowMs,
    limitsOf(jobId) {
      const job = record.job(jobId);
      if (job === null) return null;
      const { retriesMax: retries, maxCrashesMin: maxCrashes, isPatched } = job;
      return { retries, maxCrashes, isPatched };
    },
  });
  const watch = createWatch();
  const store = await createStoreHost({
    faults: options.store,
    dice: dice("store"),
    record,
    story,
    watch,
  });
  const tap = createAcknowledgements(record, watch);
  const foreman = createForemanHost({
    timeline,
    options,
    wall: foremanWall,
    store,
    story,
    tap,
    onDeath: () => nemesis.onForemanDeath(),
  });
  const workers = Array.from({ length: options.workerCount }, (_, number) => {
    const own = dice(`worker ${number}`);
    const name = `w${number + 1}`;
    const worker: WorkerHost = createWorkerHost({
      name,
      // The first one can run whatever the jobs ask for.
      offer: anOffer(
        number === 0
          ? { slots: own.whole(2, 4), resources: { gpu: 2 } }
          : { slots: own.whole(1, 3) },
      ),
      timeline,
      options,
      dice: own,
      line: createLine(own),
      wall: { offsetMs: 0 },
      foreman,
      ledger,
      story,
      onSaid: tap.onWorkerSaid,
      onDeath: () => nemesis.onWorkerDeath(worker),
    });
    return worker;
  });
  const clients = Array.from({ length: options.clientCount }, (_, number) => {
    const own = dice(`client ${number}`);
    return createClientHost({
      name: `client${number + 1}`,
      plans: drawJobs(options, number),
      workerNames: workers.map(({ name }) => name),
      timeline,
      options,
      dice: own,
      line: createLine(own),
      wall: { offsetMs: 0 },
      foreman,
      record,
      ledger,
      story,
    });
  });
  const nemesis = createNemesis({
    timeline,
    options,
    dice: dice("faults"),
    story,
    foreman,
    foremanWall,
    store,
    workers,
    clients,
  });
  return {
    options,
    timeline,
    story,
    record,
    ledger,
    store,
    foreman,
    workers,
    clients,
    nemesis,
    watch,
  };
}

/** Plays the world to its end. @throws Violation, or what an invariant throws. */
export function play(world: World): void {
  const { options, timeline, foreman, workers, clients, nemesis } = world;
  foreman.start();
  for (const worker of workers) worker.start();
  for (const client of clients) client.start();
  nemesis.begin();
  runUntil(world, options.safetyMs, () => false);
  nemesis.stop();
  const boundMs = livenessBoundMs(world);
  const isDone = (): boolean => clients.every((client) => client.isDone) && isAllEnded(world);
  if (!runUntil(world, timeline.nowMs + boundMs, isDone)) throw stuck(world, boundMs);
  checkEnd(world);
}

function runUntil(world: World, untilMs: number, isDone: () => boolean): boolean {
  const { timeline, store, watch, foreman } = world;
  let examinedAtMs = timeline.nowMs;
  let lookedAtMs = timeline.nowMs;
  while (!isDone()) {
    if (!timeline.runNext(untilMs)) return false;
    watch.check();
    checkMachines(world);
    if (timeline.nowMs - examinedAtMs > EXAMINE_EVERY_MS) {
      examinedAtMs = timeline.nowMs;
      store.examine();
    }
    if (timeline.nowMs - lookedAtMs > LEASES_EVERY_MS) {
      lookedAtMs = timeline.nowMs;
      if (!foreman.process?.isSuspended && !store.isFull) checkLeases(world);
    }
    demand(timeline.eventCount < EVENTS_MAX, "it does not come to rest: too many events");
  }
  return true;
}

/** Only the machine that has just done something can have broken. */
function checkMachines({ timeline, foreman, workers, clients }: World): void {
  const { lastProcess } = timeline;
  if (lastProcess === null) return;
  if (lastProcess === foreman.process || foreman.process === null) foreman.check();
  for (const worker of workers) if (worker.process === lastProcess) worker.check();
  for (const client of clients) if (client.process === lastProcess) client.check();
}

/** In the store, and in the machine, which may have heard of a retry that is not committed yet. */
const isAllEnded = ({ record, foreman }: World): boolean =>
  [...record.jobs.values()].every(({ facts }) => facts.finishedAtMs !== null) &&
  (foreman.foreman?.state.jobs.size ?? 0) === 0;

/** All work one after the other, each task as often as it may be tried, and time to find each other. */
function livenessBoundMs({ options, clients }: World): number {
  let workMs = 0;
  for (const [number] of clients.entries()) {
    for (const { inputs, spec } of drawJobs(options, number)) {
      const tries = 2 + spec.retries + spec.max_crashes;
      for (const { runMs } of inputs) workMs += tries * (runMs + 1_000);
      workMs += tries * spec.backoff_seconds * 16_000 + spec.delay_seconds * 1_000;
    }
  }
  return 300_000 + 2 * workMs;
}

function stuck({ record, clients }: World, boundMs: number): Violation {
  const jobs = [...record.jobs.values()].filter(({ facts }) => facts.finishedAtMs === null);
  const open = jobs.flatMap(({ jobId, tasks }) =>
    tasks.flatMap(({ settled }, index) => (settled === null ? [`${jobId}/${index}`] : [])),
  );
  const waiting = clients.flatMap((client) => client.open);
  return new Violation(
    `${Math.round(boundMs / 1000)} s after the last fault there are ${jobs.length} unfinished jobs with ${open.length} open tasks (${open.slice(0, 5).join(", ")}), and clients wait for ${waiting.join(", ") || "nothing"}`,
    open[0] === undefined ? null : new RegExp(`\\b${open[0]}\\b`),
  );
}
