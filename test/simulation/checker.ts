/**
 * The last look, when everything is over: what was acknowledged is there, what is recorded has really
 * happened, and nothing is held that nobody will ever ask for.
 */
import { asBootId } from "../../src/runtime/protocol/ids.ts";
import { taskName } from "./ledger.ts";
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

/** What is found out late: frames that were under way when a connection broke. */
const LATE_MS = 25_000;

/** A worker that is gone for good is given up within its lease and two seconds. */
export function checkLeases({ timeline, options, foreman, workers }: World): void {
  const { state } = foreman.foreman ?? {};
  const patienceMs = options.leaseMs + 2_000 + LATE_MS;
  if (state === undefined || timeline.nowMs - foreman.awakeSinceMs < patienceMs) return;
  for (const { name, lastBoot } of workers) {
    if (lastBoot === null || timeline.nowMs - lastBoot.diedAtMs < patienceMs) continue;
    demand(
      !state.sessions.has(asBootId(lastBoot.bootId)),
      `${name} died ${timeline.nowMs - lastBoot.diedAtMs} ms ago, and the foreman still counts on it`,
    );
  }
}

/** Where no worker died and no line was away for long, none is ever declared lost. */
function checkLosses({ options, record }: World): void {
  if (options.temper === "rough") return;
  const [boot] = record.lostBoots;
  demand(boot === undefined, `${boot} is declared lost in a calm world`);
}
