/** Why ready tasks of a job are at no worker: whom the foreman asked, and what each of them lacks. */
import type { WhyView } from "../../../protocol/views.ts";
import { countOf } from "../jobs/live-job.ts";
import { runnableCount } from "../placement/credit.ts";
import { couldRun, firstMismatch, hasTimeLeft } from "../placement/demand.ts";
import { TASK_RUNNING } from "../queues/task-table.ts";
import { isServing } from "../sessions/serving.ts";
import type { ForemanState, LiveJob, Session, Worker } from "../state.ts";
import { formatDuration, plural } from "./wording.ts";

/** The job is neither paused nor blocked and has queued tasks. */
export function whyNotPlaced(state: ForemanState, job: LiveJob): WhyView {
  const { jobId } = job;
  if (runnableCount(job) <= 0) {
    const running = countOf(job, TASK_RUNNING);
    const sentence = `Job ${jobId} runs ${plural(running, "task")} at a time (--max-running).`;
    return { code: "max_running", sentence, hint: `cc set ${jobId} --max-running ${running * 2}` };
  }
  const connected = [...state.sessions.values()].filter((session) => session.isConnected);
  if (connected.length === 0) return whyNobody(state);
  const able = connected.filter((session) => couldRun(session, job.demand));
  if (able.length === 0) return whyNobodyOffers(job, connected);
  const serving = able.filter(isServing);
  if (serving.length === 0) return whyNobodyServes(able);
  if (!serving.some((session) => hasTimeLeft(session, job.demand, state.nowMs))) {
    const wanted = formatDuration(job.demand.timeRequestMs);
    const sentence = `No worker has ${wanted} left before its --time-limit (${plural(serving.length, "worker")} could run it otherwise).`;
    return { code: "no_time_left", sentence, hint: "cc worker" };
  }
  return whyBusy(state, job, serving);
}

function whyNobody(state: ForemanState): WhyView {
  const away = state.sessions.size;
  const drained = away === 0 ? lastDrained(state) : null;
  const more = away === 0 ? "" : ` (${away} may come back)`;
  const sentence =
    drained === null
      ? `No workers are connected${more}.`
      : `No workers are connected; the last one, ${drained}, was drained.`;
  return { code: "no_workers", sentence, hint: "cc worker" };
}

/** The worker that was here last, if it was taken out. */
function lastDrained(state: ForemanState): string | null {
  let last: Worker | null = null;
  for (const worker of state.workers.values()) {
    if (last === null || worker.lastSeenAtMs >= last.lastSeenAtMs) last = worker;
  }
  return last?.wasDrained ? last.workerId : null;
}

function whyNobodyOffers(job: LiveJob, connected: readonly Session[]): WhyView {
  // The worker that comes closest lacks something in particular; all lack this much.
  const missing = connected
    .map((session) => firstMismatch(session.offer, job.demand))
    .find((lack) => lack !== null);
  const sentence = `No worker offers ${missing} (${connected.length} connected).`;
  return { code: "no_matching_worker", sentence, hint: hintFor(job, missing ?? "") };
}

function hintFor({ demand }: LiveJob, missing: string): string {
  if (missing.startsWith("queue ")) return `cc worker --queues ${demand.queue}`;
  if (missing.startsWith("role ")) return `cc worker --role ${demand.role}`;
  if (missing.startsWith("label ")) return `cc worker --label ${missing.slice("label ".length)}`;
  if (missing.endsWith(" slots")) return `cc worker --slots ${demand.cpus}`;
  return missing.includes("=") ? `cc worker --resource ${missing}` : "cc workers";
}

function whyNobodyServes(able: readonly Session[]): WhyView {
  const [first] = able;
  const paused = able.filter(({ worker }) => worker.isPaused);
  const [pausedOne] = paused;
  if (pausedOne) {
    const { workerId } = pausedOne.worker;
    const sentence =
      able.length === 1
        ? `The only worker that could run it, ${workerId}, is paused.`
        : `All ${able.length} workers that could run it are paused or unwilling, such as ${workerId}.`;
    return { code: "workers_paused", sentence, hint: `cc resume ${workerId}` };
  }
  if (able.every(({ draining }) => draining !== null)) return whyAllDrain(able);
  const workerId = first?.worker.workerId ?? "";
  const reason = first?.worker.setAsideReason ?? first?.reason ?? "it takes no new tasks";
  const sentence = `No worker that could run it takes new tasks now: ${workerId}: ${reason}.`;
  return { code: "workers_unwilling", sentence, hint: `cc why ${workerId}` };
}

function whyAllDrain(able: readonly Session[]): WhyView {
  const undoable = able.find(({ draining }) => draining === "requested");
  const named = (undoable ?? able[0])?.worker.workerId ?? "";
  const sentence =
    able.length === 1
      ? `The only worker that could run it, ${named}, is draining.`
      : `All ${able.length} workers that could run it are draining, such as ${named}.`;
  const hint = undoable === undefined ? "cc worker" : `cc worker, or cc drain ${named} --undo`;
  return { code: "workers_draining", sentence, hint };
}

function whyBusy(state: ForemanState, job: LiveJob, serving: readonly Session[]): WhyView {
  const slots = serving.reduce((sum, session) => sum + session.offer.slots, 0);
  const running = new Map<number, number>();
  for (const session of serving) {
    for (const { job: other, count } of session.holdings.values()) {
      running.set(other.jobId, (running.get(other.jobId) ?? 0) + count);
    }
  }
  const [most] = [...running].sort((a, b) => b[1] - a[1]);
  const other = most === undefined ? null : state.jobs.get(most[0] as LiveJob["jobId"]);
  if (!other) {
    return { code: "about_to_start", sentence: `Job ${job.jobId} is about to start.`, hint: null };
  }
  if (job.demand.isReserving && other !== job) {
    const sentence = `What job ${job.jobId} reserves is in use, mostly by job ${other.jobId}.`;
    return { code: "amounts_in_use", sentence, hint: "cc workers" };
  }
  const isUrgent = other.spec.priority > job.spec.priority;
  const rank = isUrgent ? ` of higher priority (${other.spec.priority})` : "";
  const owner = other === job ? "its own tasks" : `job ${other.jobId}${rank}`;
  const all = slots === 1 ? "The only slot" : `All ${slots} slots`;
  const sentence = `${all} that could run it ${slots === 1 ? "is" : "are"} busy, mostly with ${owner}.`;
  const hint = isUrgent ? `cc set ${job.jobId} --priority ${other.spec.priority}` : null;
  return { code: "slots_busy", sentence, hint };
}
