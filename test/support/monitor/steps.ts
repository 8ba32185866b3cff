/** Random changes of a made-up installation: what a busy day does to a monitor, in small steps. */
import type { JobRowView, WorkerRowView } from "../../../src/runtime/protocol/monitor-views.ts";
import type { JobState, WorkerState } from "../../../src/runtime/protocol/views.ts";
import type { Random } from "../fuzz/random.ts";
import { eventLine, jobRow, series, taskCounts, taskRow, wave, workerRow } from "./fixtures.ts";
import { hostileTexts } from "./hostile-texts.ts";
import type { MonitorWorld } from "./world.ts";

const STEP_MS = 700;
const JOBS_MAX = 30;
const WORKERS_MAX = 40;
const JOB_STATES: readonly JobState[] = ["running", "paused", "completed", "failed", "cancelled"];
const WORKER_STATES: readonly WorkerState[] = ["up", "up", "draining", "paused", "lost", "gone"];
const NAMES = hostileTexts(60, 7).filter((text) => text !== "");

/** One change of everything that changes by itself, and one of what somebody did. */
export function stepWorld(world: MonitorWorld, random: Random): void {
  world.atMs += STEP_MS;
  const at = new Date(world.atMs).toISOString();
  world.jobs = world.jobs.map((job) => (random.chance(0.5) ? progressed(job, random) : job));
  world.workers = world.workers.map((worker) =>
    random.chance(0.5) ? breathed(worker, random) : worker,
  );
  world.overview = {
    throughput: { ...series(wave(60, random.below(3000), random.below(900))), until: at },
    rate: { now: random.below(9000), average: random.below(5000), peak: 9000 },
    queue: {
      depth: random.below(1_000_000),
      delayed: random.below(50),
      blocked: random.below(9),
      running: random.below(400),
      trend: random.below(800) - 400,
      recent: wave(24, random.below(100_000), 5000),
    },
    eta_seconds: random.chance(0.2) ? null : random.below(100_000),
    slots: { busy: random.below(385), total: 384 },
  };
  random.pick(HAPPENINGS)(world, random);
}

type Happening = (world: MonitorWorld, random: Random) => void;

const HAPPENINGS: readonly Happening[] = [submitted, forgotten, joined, left, told, tasksMoved];

function submitted(world: MonitorWorld, random: Random): void {
  if (world.jobs.length >= JOBS_MAX) return;
  const job = jobRow({ job_id: world.nextJobId, name: random.pick(NAMES) });
  world.nextJobId += 1;
  world.jobs = [...world.jobs, job];
}

function forgotten(world: MonitorWorld, random: Random): void {
  const gone = random.pick(world.jobs);
  // The job whose screen is looked at stays.
  if (gone === undefined || gone.job_id === 17) return;
  world.jobs = world.jobs.filter((job) => job !== gone);
}

function joined(world: MonitorWorld, random: Random): void {
  if (world.workers.length >= WORKERS_MAX) return;
  const id = `${random.chance(0.3) ? random.pick(NAMES) : "w"}${random.below(100_000)}`;
  world.workers = [...world.workers, workerRow({ worker_id: id, host: random.pick(NAMES) })];
}

function left(world: MonitorWorld, random: Random): void {
  const gone = random.pick(world.workers);
  if (gone === undefined || gone.worker_id === "w03") return;
  world.workers = world.workers.filter((worker) => worker !== gone);
}

function told(world: MonitorWorld, random: Random): void {
  const seq = (world.events[0]?.seq ?? 0) + 1;
  const sentence = random.chance(0.5) ? `job ${random.below(99)} ended` : random.pick(NAMES);
  const weight = random.pick(["plain", "notice", "bad"] as const);
  const time = new Date(world.atMs).toISOString();
  world.events = [eventLine({ seq, time, sentence, weight }), ...world.events].slice(0, 200);
}

function tasksMoved(world: MonitorWorld, random: Random): void {
  const from = 78_100 + random.below(1000);
  const tasks = Array.from({ length: random.below(200) }, (_, at) =>
    taskRow({
      index: from + at,
      worker: random.pick(world.workers)?.worker_id ?? "w01",
      running_seconds: random.below(1000) / 10,
      state: random.pick(["running", "running", "queued", "failed"] as const),
    }),
  );
  world.tasks.set(17, tasks);
}

function progressed(job: JobRowView, random: Random): JobRowView {
  const state = random.chance(0.1) ? random.pick(JOB_STATES) : job.state;
  const done = random.below(job.tasks.total + 1);
  return {
    ...job,
    state,
    tasks: taskCounts({
      queued: job.tasks.total - done,
      completed: done,
      failed: random.below(30),
      running: state === "running" ? random.below(400) : 0,
    }),
    tasks_per_second: state === "running" ? random.below(4000) : null,
    eta_seconds: state === "running" ? random.below(90_000) : null,
    priority: random.below(20),
    elapsed_seconds: job.elapsed_seconds + STEP_MS / 1000,
  };
}

function breathed(worker: WorkerRowView, random: Random): WorkerRowView {
  return {
    ...worker,
    state: random.chance(0.1) ? random.pick(WORKER_STATES) : worker.state,
    busy_slots: random.below(worker.slots + 1),
    cpu_percent: random.chance(0.05) ? null : random.below(101),
    memory_percent: random.below(101),
    heartbeat_age_seconds: random.below(100) / 10,
    tasks_per_second: random.below(400),
    failed: random.below(12),
  };
}
