/**
 * Two hundred workers that lose their foreman in the same moment and come back to it: it serves them all,
 * and answers submitters all along. The workers are the transport's own reconnecting channels, with a
 * heartbeat and nothing else behind them.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../src/runtime/platform/clock.ts";
import { chance } from "../../src/runtime/platform/random.ts";
import { dial } from "../../src/runtime/transport/client.ts";
import { readKeyFile } from "../../src/runtime/transport/key-files.ts";
import type { Key } from "../../src/runtime/transport/keys.ts";
import {
  createReconnectingChannel,
  type ReconnectingChannel,
} from "../../src/runtime/transport/reconnecting.ts";
import { anOffer } from "../support/specs.ts";
import { type Cluster, eventually, openCluster } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

const WORKERS = 200;
const SUBMITS = count(5, 50);

let cluster: Cluster;
const crowd: ReconnectingChannel[] = [];
beforeEach(async () => {
  cluster = await openCluster();
}, SETUP_MS);
afterEach(async () => {
  for (const channel of crowd.splice(0)) channel.stop();
  await cluster.close();
});

/** When each connection opened, by the test's clock. */
const openedAtMs: number[] = [];
const fatal: unknown[] = [];

function startFakeWorker(at: number, key: Key): ReconnectingChannel {
  const bootId = randomUUID();
  let connectionSeq = 0;
  return createReconnectingChannel({
    dial: (handler, signal) =>
      dial({ url: cluster.url, key, role: "worker", handler, signal, clock: systemClock }),
    onConnected(channel) {
      openedAtMs.push(performance.now());
      channel.send({
        type: "worker_ready",
        worker_id: `fake-${at}`,
        boot_id: bootId,
        connection_seq: ++connectionSeq,
        offer: anOffer({ queues: ["nobody-submits-here"], host: "crowd" }),
        inventory: [],
        acknowledged_seq: 0,
      });
      const seq = connectionSeq;
      let beat = 0;
      const heart = setInterval(() => {
        const vitals = { running: [], cpu: 1, memory: 1, free_slots: 2 };
        channel.send({ type: "heartbeat", connection_seq: seq, beat: ++beat, ...vitals });
      }, channel.welcome?.heartbeatMs ?? 1_000);
      return { onMessage: () => {}, onClose: () => clearInterval(heart) };
    },
    onFatal: (error) => void fatal.push(error),
    clock: systemClock,
    chance,
  });
}

async function connectedCount(): Promise<number> {
  const workers = await cluster.json(["workers"]);
  return workers.filter(({ worker_id, state }) => /^fake-/.test(`${worker_id}`) && state !== "lost")
    .length;
}

test(
  "all come back to a foreman that was killed, and submitters are answered meanwhile",
  async () => {
    const history = createHistory(cluster);
    await cluster.worker("real");
    const keys = join(cluster.world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys");
    const key = readKeyFile(join(keys, "local-worker.key"));
    for (let at = 0; at < WORKERS; at++) crowd.push(startFakeWorker(at, key));
    await eventually("all are connected", () => crowd.every(({ channel }) => channel !== null));
    await cluster.foreman.kill9();
    await eventually("all have noticed", () => crowd.every(({ channel }) => channel === null));
    openedAtMs.length = 0;
    await cluster.restartForeman();
    const servesAtMs = performance.now();
    const waitsMs: number[] = [];
    for (let submit = 0; submit < SUBMITS; submit++) {
      const atMs = performance.now();
      await history.submit({ taskCount: 1 });
      waitsMs.push(performance.now() - atMs);
    }
    await eventually("all are back", () => crowd.every(({ channel }) => channel !== null));
    expect(fatal).toEqual([]);
    expect(openedAtMs.length).toBe(WORKERS);
    await eventually(
      "the foreman knows them all",
      async () => (await connectedCount()) === WORKERS,
    );
    await history.check({ startsMax: 1 });
    const [first = 0, last = 0] = [Math.min(...openedAtMs), Math.max(...openedAtMs)];
    report(
      `${WORKERS} workers came back ${ms(first - servesAtMs)} to ${ms(last - servesAtMs)} after the start; ${SUBMITS} submits (whole command) took at most ${ms(Math.max(...waitsMs))}`,
    );
  },
  TEST_MS,
);

const ms = (durationMs: number): string => `${durationMs.toFixed(0)} ms`;
