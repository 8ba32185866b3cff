/**
 * The last look, when everything is over: what was acknowledged is there, what is recorded has really
 * happened, and nothing is held that nobody will ever ask for.
 */
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

/** Where no worker died and no line was away for long, none is ever declared lost. */
function checkLosses({ options, record }: World): void {
  if (options.temper === "rough") return;
  const [boot] = record.lostBoots;
  demand(boot === undefined, `${boot} is declared lost in a calm world`);
}
