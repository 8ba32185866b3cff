/** Breaks something every few seconds: kills, freezes and stops the foreman and workers, and starts them again. */
import type { Cluster, Member } from "../../test/faults/support/cluster.ts";
import type { Chance } from "./chance.ts";

export interface Chaos {
  /** By what was done. */
  readonly counts: ReadonlyMap<string, number>;
  /** All of it, each of which may cost a task an attempt. */
  killCount(): number;
  /** Breaks on until it is over; everything runs when it returns. */
  run(): Promise<void>;
}

export interface ChaosParts {
  readonly cluster: Cluster;
  readonly chance: Chance;
  readonly workerCount: number;
  isOver(): boolean;
}

const PAUSE_MS_MIN = 1_500;
const PAUSE_MS_MAX = 8_000;
const FREEZE_MS_MAX = 4_000;
const LOOK_MS = 100;

export async function createChaos(parts: ChaosParts): Promise<Chaos> {
  const { cluster, chance } = parts;
  const counts = new Map<string, number>();
  const workers: Member[] = [];
  const start = (number: number): Promise<Member> => cluster.worker(`soak-${number}`, { slots: 2 });
  for (let number = 0; number < parts.workerCount; number++) workers.push(await start(number));

  async function pause(durationMs: number): Promise<void> {
    const endMs = performance.now() + durationMs;
    while (!parts.isOver() && performance.now() < endMs) await Bun.sleep(LOOK_MS);
  }

  async function replaceWorker(end: (worker: Member) => Promise<unknown>): Promise<void> {
    const number = chance.between(0, parts.workerCount - 1);
    const worker = workers[number];
    if (worker !== undefined) await end(worker);
    workers[number] = await start(number);
  }

  const deeds: readonly [string, () => Promise<unknown>][] = [
    [
      "foreman killed",
      async () => {
        await cluster.foreman.kill9();
        await pause(chance.between(0, 1_500));
        await cluster.restartForeman();
      },
    ],
    [
      "foreman stopped",
      async () => {
        await cluster.foreman.stop();
        await cluster.restartForeman();
      },
    ],
    ["worker killed", () => replaceWorker((worker) => worker.kill9())],
    ["worker stopped", () => replaceWorker((worker) => worker.stop())],
    [
      "worker frozen",
      async () => {
        const worker = workers[chance.between(0, parts.workerCount - 1)];
        await worker?.freeze();
        await pause(chance.between(500, FREEZE_MS_MAX));
        worker?.thaw();
      },
    ],
  ];
  const first = deeds[0] as (typeof deeds)[number];

  return {
    counts,
    killCount: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    async run() {
      for (;;) {
        await pause(chance.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
        if (parts.isOver()) return;
        // Half of the time it is the foreman: everything depends on it.
        const [name, deed] = chance.next() < 0.4 ? first : chance.pick([first, ...deeds]);
        counts.set(name, (counts.get(name) ?? 0) + 1);
        await deed();
      }
    },
  };
}
