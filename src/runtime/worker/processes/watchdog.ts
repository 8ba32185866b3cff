/**
 * The small process that outlives its worker. It listens on a pipe that closes with the worker,
 * however that dies, and then kills every process of every attempt. While the worker lives it also
 * kills what ended attempts have left behind, so that scanning the process table never holds up the
 * worker. It must start fast, stay small and never end anything that is not an attempt's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCensus } from "./attempt-token.ts";
import { killAllAttempts, sweepLeftovers } from "./process-tree.ts";

/** One line of JSON; each says everything anew, so that none depends on the ones before. */
export interface WatchdogOrder {
  readonly prefix: string;
  /** Leaders of the running trees: for those that have cleared their environment. */
  readonly leaderPids: readonly number[];
  /** What to sweep now; null: nothing has ended since the last sweep. */
  readonly sweep: TokenCensus | null;
}

/** Between rounds of killing: a process may fork while it is looked for. */
const ROUND_PAUSE_MS = 20;
/** What still lives after so many rounds cannot be killed by us. */
const ROUNDS_MAX = 250;

/** Resolves when the worker has gone and nothing of its attempts is left. */
export async function runWatchdog(
  orders: ReadableStream<Uint8Array> = Bun.stdin.stream(),
): Promise<void> {
  let last: WatchdogOrder | null = null;
  for await (const order of readOrders(orders)) {
    last = order;
    const { sweep } = order;
    if (sweep !== null) await repeatUntilNone(() => sweepLeftovers(sweep));
  }
  if (last === null) return;
  const { prefix, leaderPids } = last;
  await repeatUntilNone(() => killAllAttempts(prefix, leaderPids));
}

/** Until two rounds in a row found none: in the middle of an exec a process shows no environment. */
async function repeatUntilNone(kill: () => number): Promise<void> {
  let emptyRounds = 0;
  for (let round = 0; round < ROUNDS_MAX && emptyRounds < 2; round++) {
    emptyRounds = kill() === 0 ? emptyRounds + 1 : 0;
    if (emptyRounds < 2) await sleep(ROUND_PAUSE_MS);
  }
}

/** Only whole lines count: the worker may have died in the middle of one. */
async function* readOrders(stream: ReadableStream<Uint8Array>): AsyncGenerator<WatchdogOrder> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of stream) {
    pending += decoder.decode(chunk, { stream: true });
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as WatchdogOrder;
  }
}
