/**
 * The last look, when everything is over: what was acknowledged is there, what is recorded has really
 * happened, and nothing is held that nobody will ever ask for.
 */
import { asBootId } from "../../src/runtime/protocol/ids.ts";
import { taskName } from "./ledger.ts";
import type { Way } from "./network.ts";
import { demand } from "./violation.ts";
import type { World } from "./world.ts";

export function checkEnd(world: World): void {
  const { store, record, foreman, clients } = world;
  store.examine();
  for (const { jobId, tasks, facts } of record.jobs.values()) {
    demand(facts.finishedAtMs !== null, `job ${jobId} has not ended`);
    tasks.forEach(({ settled, assignment }, index) => {
      demand(settled !== null, "it is not settled in the end", taskName(jobId, index));
      demand(assignment === null, "it is settled and still assigned", taskName(jobId, index));
    });
  }
  checkLosses(world);
  for (const session of foreman.foreman?.state.sessions.values() ?? []) {
    demand(
      session.heldTasks === 0,
      `session ${session.bootId} holds ${session.heldTasks} tasks, and there is none`,
    );
  }
  demand(
    clients.every(({ isDone }) => isDone),
    "a client is not done",
  );
}

/** Frames on their way, and commits that had to be tried again. */
const LATE_MS = 3_000;

/** A worker that is dead, frozen or out of reach is given up within its lease and two seconds. */
export function checkLeases({ timeline, options, foreman, workers }: World): void {
  const { state } = foreman.foreman ?? {};
  const { nowMs } = timeline;
  const patienceMs = options.leaseMs + 2_000 + LATE_MS;
  if (state === undefined || nowMs - foreman.awakeSinceMs < patienceMs) return;
  for (const { name, boot, line } of workers) {
    const silentSinceMs = boot === null ? null : silenceOf(boot.silentSinceMs, line.toForeman);
    if (silentSinceMs === null || nowMs - silentSinceMs < patienceMs) continue;
    const session = state.sessions.get(asBootId(boot?.bootId ?? ""));
    demand(
      session === undefined,
      `${name} is silent for ${nowMs - silentSinceMs} ms, and the foreman still counts on it`,
    );
  }
}

/** Since when nothing of it arrives; null: something may. */
function silenceOf(silentSinceMs: number | null, way: Way): number | null {
  if (way.isBlocked) return way.blockedAtMs;
  // Its last heartbeats may have arrived when the line was whole again.
  return silentSinceMs === null ? null : Math.max(silentSinceMs, way.healedAtMs);
}

/** Where no worker died and no line was away for long, none is ever declared lost. */
function checkLosses({ options, record }: World): void {
  if (options.temper === "rough") return;
  const [boot] = record.lostBoots;
  demand(boot === undefined, `${boot} is declared lost in a calm world`);
}
