/** Whoever connects and proves nothing, and a foreman without descriptors left. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { AUTHENTICATION_DEADLINE_MS } from "../../src/runtime/protocol/limits.ts";
import { type Attacked, expectUnhurt, openAttacked } from "./hostile/attacked.ts";
import { openProven, openRaw, openTcp, upgradeRequest } from "./hostile/raw-peer.ts";
import { eventually, within } from "./support/cluster.ts";
import { createHistory } from "./support/history.ts";
import { count, report, SETUP_MS, TEST_MS } from "./support/long.ts";

const STRANGERS_A_KIND = count(125, 500);
const BATCH = 25;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Resolves when the other side has ended it. */
const goneOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
    // A half that is closed is only seen by whoever reads.
    socket.resume();
  });

describe("five hundred connections that prove nothing", () => {
  let attacked: Attacked;
  beforeAll(async () => {
    attacked = await openAttacked();
  }, SETUP_MS);
  afterAll(() => attacked.close());

  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(attacked.cluster.url);
    const socket = await openTcp(hostname, Number(port));
    sockets.push(socket);
    return socket;
  };

  const strangers: readonly (readonly [string, (index: number) => Promise<Socket>])[] = [
    ["say nothing at all", open],
    [
      "send their request a byte at a time",
      async () => {
        const socket = await open();
        const bytes = Buffer.from(upgradeRequest(new URL(attacked.cluster.url).host, "msgpack"));
        let at = 0;
        const dripping = setInterval(() => {
          if (socket.destroyed || at === bytes.byteLength - 4) clearInterval(dripping);
          else socket.write(bytes.subarray(at, ++at));
        }, 100);
        socket.once("close", () => clearInterval(dripping));
        return socket;
      },
    ],
    [
      "upgrade and never authenticate",
      async () => {
        const { socket } = await openRaw(attacked.cluster.url).catch(() => ({ socket: null }));
        // At the limit the oldest is cut, perhaps in the middle of its upgrade.
        if (socket === null) return await open();
        sockets.push(socket);
        return socket;
      },
    ],
    [
      "promise a body and never send it",
      async () => {
        const socket = await open();
        socket.write("POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n");
        return socket;
      },
    ],
  ];
  test(
    "are cut, whatever they send of it, and honest submissions go on",
    async () => {
      const names = strangers.map(([name]) => name).join(", ");
      await attacked.besideHonest(`${STRANGERS_A_KIND} each that ${names}`, async () => {
        const opened: Socket[] = [];
        for (let batch = 0; batch < STRANGERS_A_KIND / BATCH; batch++) {
          for (const [, openStranger] of strangers) {
            const some = Array.from({ length: BATCH }, (_, i) => openStranger(i));
            opened.push(...(await Promise.all(some)));
          }
        }
        const all = Promise.all(opened.map(goneOf));
        await within("all are cut", all, undefined, 4 * AUTHENTICATION_DEADLINE_MS);
      });
    },
    TEST_MS,
  );
});

describe("many connections", () => {
  let attacked: Attacked | null = null;
  afterEach(async () => {
    await attacked?.close();
    attacked = null;
  });

  /** Opens proven clients one after the other until one is refused, or there are so many. */
  async function fill(countMax: number): Promise<string | null> {
    const { cluster, keys } = attacked as Attacked;
    for (let opened = 0; opened < countMax; opened++) {
      try {
        const peer = await openProven(cluster.url, keys.client, "client");
        sockets.push(peer.socket);
      } catch (thrown) {
        return String(thrown);
      }
    }
    return null;
  }

  test(
    "a foreman at its limit of open files refuses politely, and what it has goes on",
    async () => {
      attacked = await openAttacked({ limits: ["--nofile=256:256"] });
      const { cluster } = attacked;
      const history = createHistory(cluster);
      const gate = history.gate("before");
      const args = ["--max-running", "1"];
      const { jobId } = await history.submit({ taskCount: 20, gate, args });
      await history.untilStarted(1);
      await attacked.besideHonest("256 descriptors", async () => {
        const refusal = await fill(400);
        expect(refusal).toContain("503 Service Unavailable");
        expect(sockets.length).toBeGreaterThan(100);
        const refused = await cluster.cc(["jobs"]);
        expect(refused.exitCode).toBe(3);
        expect(refused.stderr).toContain("as many connections as its limit of open files allows");
        gate.open();
        await history.untilFinished(20);
        for (const socket of sockets.splice(0)) socket.destroy();
        await eventually("there is room again", async () => {
          return (await cluster.cc(["wait", `${jobId}`])).exitCode === 0;
        });
      });
      await history.check({ startsMax: 1, unheardJobsMax: Number.POSITIVE_INFINITY });
    },
    TEST_MS,
  );

  test(
    "thousands of idle connections are served, and cost little",
    async () => {
      // The soft limit is what most systems start programs with; the hard one is what may be had.
      const clientCount = count(2_000, 8_000);
      attacked = await openAttacked({ limits: [`--nofile=1024:${clientCount + 1_000}`] });
      const { cluster, keys } = attacked;
      const bounds = { mebibytesMax: 64 + clientCount / 20 };
      await attacked.besideHonest(
        `${clientCount} idle connections`,
        async () => {
          while (sockets.length < clientCount) {
            const batch = Array.from({ length: 50 }, () =>
              openProven(cluster.url, keys.client, "client"),
            );
            sockets.push(...(await Promise.all(batch)).map(({ socket }) => socket));
          }
          const descriptors = readdirSync(`/proc/${cluster.foreman.pid}/fd`).length;
          expect(descriptors).toBeGreaterThan(clientCount);
          report(`${clientCount} idle connections: ${descriptors} descriptors`);
          expect((await cluster.cc(["jobs", "-q"])).exitCode).toBe(0);
        },
        bounds,
      );
      expectUnhurt(cluster);
    },
    TEST_MS,
  );
});
