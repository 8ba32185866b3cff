/** One seed from its first draw to its verdict. */
import { describeOptions } from "./options.ts";
import { printStory } from "./story.ts";
import { Violation } from "./violation.ts";
import { createWorld, play, type World } from "./world.ts";

export interface Verdict {
  readonly seed: number;
  /** Null: every promise was kept. */
  readonly failure: Error | null;
  readonly eventCount: number;
  readonly virtualMs: number;
  readonly executionCount: number;
  readonly world: World;
}

export async function runSeed(seed: number, keepsStory = false): Promise<Verdict> {
  const world = await createWorld(seed, { keepsStory });
  let failure: Error | null = null;
  try {
    play(world);
  } catch (thrown) {
    failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    world.story.tell(() => `✗ ${failure?.message}`);
  } finally {
    world.store.close();
  }
  const { timeline, ledger } = world;
  const { eventCount, nowMs: virtualMs } = timeline;
  return { seed, failure, eventCount, virtualMs, executionCount: ledger.count, world };
}

/** Plays a failed seed again to tell its story. */
export async function explainSeed(seed: number, lastCount = 60): Promise<string> {
  const { failure, world } = await runSeed(seed, true);
  const subject = failure instanceof Violation ? failure.subject : null;
  const inner = failure instanceof Violation || failure === null ? "" : `\n${failure.stack}`;
  return [
    `seed ${seed}: ${failure?.message ?? "every promise was kept"}${inner}`,
    describeOptions(world.options),
    printStory(world.story, { subject, lastCount }),
    `replay: bun scripts/simulate.ts --seed ${seed}`,
  ].join("\n");
}
