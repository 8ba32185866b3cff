/**
 * A process full of simulated workers: `bun crowd-process.ts URL KEY_FILE WORKERS SLOTS FAIL_EVERY`. A number on
 * a line of stdin is how many tasks a second they settle together from then on; each second it prints
 * what they have settled so far and hold now, as JSON. It ends with its stdin.
 */
import { createInterface } from "node:readline";
import { readKeyFile } from "../../src/runtime/transport/key-files.ts";
import { openSimulatedWorker, type SimulatedWorker } from "./simulated-worker.ts";

const [url = "", keyFile = "", workers = "1", slots = "1", failEvery = "0"] = process.argv.slice(2);
const TICK_MS = 20;
const DIALS_AT_A_TIME = 50;
/** A worker reports its short tasks together, about 50 ms of them; the workers take turns. */
const PIECE_TASKS = 50;

const crowd: SimulatedWorker[] = [];
let perSecond = 0;
let settled = 0;
/** Tasks that may be settled now; never more than a tick's, so that a stall is not made up for. */
let allowance = 0;
let next = 0;
let tickedAtMs = performance.now();

function tick(): void {
  const nowMs = performance.now();
  const due = (perSecond * (nowMs - tickedAtMs)) / 1000;
  tickedAtMs = nowMs;
  allowance = Math.min(allowance + due, perSecond / 10 + 1);
  for (let asked = 0; asked < crowd.length && allowance >= 1; asked++) {
    const worker = crowd[next++ % crowd.length];
    const count = worker?.settle(Math.min(PIECE_TASKS, Math.floor(allowance))) ?? 0;
    allowance -= count;
    settled += count;
  }
}

const key = readKeyFile(keyFile);
for (let at = 0; at < Number(workers); at += DIALS_AT_A_TIME) {
  const count = Math.min(DIALS_AT_A_TIME, Number(workers) - at);
  const opened = Array.from({ length: count }, (_, offset) =>
    openSimulatedWorker({
      url,
      key,
      workerId: `sim-${String(at + offset + 1).padStart(4, "0")}`,
      slots: Number(slots),
      failEvery: Number(failEvery),
    }),
  );
  crowd.push(...(await Promise.all(opened)));
}
console.log(JSON.stringify({ ready: true }));

const ticking = setInterval(tick, TICK_MS);
const telling = setInterval(() => {
  const held = crowd.reduce((sum, worker) => sum + worker.held, 0);
  console.log(JSON.stringify({ settled, held }));
}, 1000);
for await (const line of createInterface({ input: process.stdin })) perSecond = Number(line) || 0;
clearInterval(ticking);
clearInterval(telling);
for (const worker of crowd) worker.close();
