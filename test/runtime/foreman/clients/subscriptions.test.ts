/** What observers are told: patches that add up, one build for all who look at the same, no queue. */
import { describe, expect, test } from "bun:test";
import { pauseAfter } from "../../../../src/runtime/foreman/clients/subscriptions/tempo.ts";
import { createSubscriptions } from "../../../../src/runtime/foreman/clients/subscriptions.ts";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import { CcError } from "../../../../src/runtime/protocol/error.ts";
import type { Encoding } from "../../../../src/runtime/protocol/frames.ts";
import type { View } from "../../../../src/runtime/protocol/messages/client.ts";
import type { Message } from "../../../../src/runtime/protocol/messages.ts";
import { applyPatch, type ViewPatch } from "../../../../src/runtime/protocol/view-patch.ts";
import type { Channel } from "../../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../../src/runtime/transport/memory.ts";
import { createRandom } from "../../../support/fuzz/random.ts";
import { type Body, canonical, changed, randomBody } from "../../../support/random-bodies.ts";

const WORKERS: View = { kind: "workers" };
const WELCOME = {
  foremanId: "f",
  epoch: 1,
  owner: "ann",
  programVersion: "0",
  heartbeatMs: 3_000,
  leaseMs: 15_000,
};

/** Subscriptions of whatever `show` says, with peers in memory and a clock that the test moves. */
function createRig(show: (view: View, owner: string) => object) {
  const clock = createManualClock();
  const builds: string[] = [];
  const subscriptions = createSubscriptions(
    async (view, { owner }) => {
      builds.push(`${view.kind} ${owner}`);
      return { body: show(view, owner) };
    },
    clock.nowMs,
    clock,
  );

  return {
    subscriptions,
    builds,
    clock,
    /** Lets the next round come and end. */
    async round(afterMs = 250): Promise<void> {
      await turns(() => clock.pendingTimerCount === 1);
      clock.advance(afterMs);
      await turns(() => clock.pendingTimerCount === 1);
      await new Promise((resolve) => setImmediate(resolve));
    },
    connect: (owner = "ann", encoding: Encoding = "msgpack") => connect(owner, encoding),
  };
}

async function turns(isOver: () => boolean): Promise<void> {
  while (!isOver()) await new Promise((resolve) => setImmediate(resolve));
}

function connect(owner: string, encoding: Encoding) {
  const heard: Message[] = [];
  const { client, foreman } = createChannelPair({
    client: { role: "client", keyId: "k", owner, scopes: [], address: "", programVersion: "0" },
    welcome: WELCOME,
    encoding,
    onForemanSide: () => ({ onMessage() {}, onClose() {} }),
    onClientSide: () => ({ onMessage: (message) => void heard.push(message), onClose() {} }),
  });
  return { client, foreman, heard };
}

const subscribe = (request: number, view: View, patches: boolean) =>
  ({ type: "subscribe", request, view, follow: true, patches }) as const;

/** The view as whoever applies each message in turn has it. */
function held(heard: readonly Message[]): { readonly body: object; readonly seq: number } {
  let body: object = {};
  let seq = -1;
  for (const message of heard) {
    if (message.type !== "snapshot" && message.type !== "delta") throw new Error(message.type);
    expect(message.seq).toBe(seq + 1);
    seq = message.seq;
    const patch = message.type === "delta" ? message.patch : undefined;
    body = patch === undefined ? (message.body as object) : applyPatch(body, patch as ViewPatch);
  }
  return { body, seq };
}

const bytesOf = (value: unknown): number => JSON.stringify(value).length;

describe.each<Encoding>(["msgpack", "json"])("over %s", (encoding) => {
  test("whoever applies patches sees what whoever gets whole bodies sees, and what is", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = createRandom(seed);
      let body: Body = randomBody(random, 3);
      const rig = createRig(() => body);
      const [patched, whole] = [rig.connect("ann", encoding), rig.connect("ben", encoding)];
      await rig.subscriptions.open(patched.foreman, subscribe(1, WORKERS, true));
      await rig.subscriptions.open(whole.foreman, subscribe(7, WORKERS, false));
      for (let step = 0; step < 15; step++) {
        if (random.chance(0.8)) body = changed(random, body, 3);
        if (random.chance(0.3)) patched.client.pause();
        else patched.client.resume();
        rig.subscriptions.touch();
        await rig.round();
      }
      patched.client.resume();
      await rig.round();
      await rig.round();
      expect(canonical(held(patched.heard).body)).toBe(canonical(body));
      expect(canonical(held(whole.heard).body)).toBe(canonical(body));
      rig.subscriptions.stop();
    }
  });
});

test("twenty who look at the same have it built once, and who sees something else has his own", async () => {
  let figure = 0;
  const rig = createRig((view, owner) => ({
    kind: view.kind,
    figure,
    owner: view.kind === "last_job" ? owner : "",
  }));
  const viewers = Array.from({ length: 20 }, (_, at) => rig.connect(`owner-${at % 2}`));
  for (const { foreman } of viewers) {
    await rig.subscriptions.open(foreman, subscribe(1, WORKERS, true));
    await rig.subscriptions.open(foreman, subscribe(2, { kind: "last_job" }, true));
    await rig.subscriptions.open(foreman, subscribe(3, { kind: "jobs", limit: 1 }, true));
  }
  rig.builds.length = 0;
  figure++;
  rig.subscriptions.touch();
  await rig.round();
  expect([...rig.builds].sort()).toEqual([
    "jobs owner-0",
    "last_job owner-0",
    "last_job owner-1",
    "workers owner-0",
  ]);
  for (const { heard } of viewers) {
    expect(heard.filter(({ type }) => type === "delta")).toHaveLength(3);
  }
  rig.subscriptions.stop();
});

test("a view that did not change is not sent again, and one that changes by itself is, each second", async () => {
  let figure = 0;
  const rig = createRig(() => ({ figure }));
  const { foreman, heard } = rig.connect();
  await rig.subscriptions.open(foreman, subscribe(1, WORKERS, true));
  rig.subscriptions.touch();
  await rig.round();
  figure++;
  await rig.round();
  await rig.round();
  expect(heard).toHaveLength(1);
  await rig.round(1_000);
  expect(heard.slice(1)).toEqual([
    { type: "delta", request: 1, seq: 1, patch: { set: { figure: 1 } } },
  ]);
  rig.subscriptions.stop();
});

test("who does not read costs one unread message however long, and is current again afterwards", async () => {
  let text = "";
  let round = 0;
  const rig = createRig(() => ({ text, rows: { [`row ${round}`]: round } }));
  const slow = rig.connect();
  const quick = rig.connect();
  for (const { foreman } of [slow, quick]) {
    await rig.subscriptions.open(foreman, subscribe(1, WORKERS, true));
  }
  await rig.round();
  slow.client.pause();
  for (round = 1; round <= 200; round++) {
    text = String(round).repeat(5_000);
    rig.subscriptions.touch();
    await rig.round();
    expect(slow.foreman.queuedBytes()).toBeLessThan(50_000);
  }
  expect(quick.heard).toHaveLength(201);
  slow.client.resume();
  await rig.round();
  await rig.round();
  expect(held(slow.heard)).toEqual({ body: { text, rows: { "row 201": 201 } }, seq: 2 });
  expect(bytesOf(slow.heard)).toBeLessThan(60_000);
  rig.subscriptions.stop();
});

test("a view that cannot be built any more is said once, to each who looked, and not followed", async () => {
  let isGone = false;
  const rig = createRig(() => {
    if (isGone) throw new CcError({ code: "no_such_job", message: "There is no job 1 any more." });
    return {};
  });
  const viewers = [rig.connect(), rig.connect()];
  for (const { foreman } of viewers) {
    await rig.subscriptions.open(foreman, subscribe(4, WORKERS, true));
  }
  isGone = true;
  rig.builds.length = 0;
  rig.clock.advance(1_000);
  await turns(() => viewers.every(({ heard }) => heard.length === 2));
  await turns(() => rig.clock.pendingTimerCount === 0);
  for (const { heard } of viewers) {
    expect(heard.slice(1)).toMatchObject([{ type: "error", request: 4, code: "no_such_job" }]);
  }
  expect(rig.builds).toHaveLength(1);
});

test("after unsubscribe or on another connection nothing comes", async () => {
  let figure = 0;
  const rig = createRig(() => ({ figure }));
  const [stays, leaves] = [rig.connect(), rig.connect()];
  await rig.subscriptions.open(stays.foreman, subscribe(1, WORKERS, true));
  await rig.subscriptions.open(leaves.foreman, subscribe(1, WORKERS, true));
  rig.subscriptions.close(leaves.foreman, 1);
  figure++;
  rig.subscriptions.touch();
  await rig.round();
  expect(stays.heard).toHaveLength(2);
  expect(leaves.heard).toHaveLength(1);
  rig.subscriptions.drop(stays.foreman);
  rig.subscriptions.stop();
});

test("who says that it has seen enough before the first view is built is not told more", async () => {
  let figure = 0;
  const rig = createRig(() => ({ figure }));
  const [stays, leaves] = [rig.connect(), rig.connect()];
  await rig.subscriptions.open(stays.foreman, subscribe(1, WORKERS, true));
  const opening = rig.subscriptions.open(leaves.foreman, subscribe(1, WORKERS, true));
  rig.subscriptions.close(leaves.foreman, 1);
  await opening;
  figure++;
  rig.subscriptions.touch();
  await rig.round();
  expect(stays.heard).toHaveLength(2);
  expect(leaves.heard).toHaveLength(1);
  rig.subscriptions.stop();
});

test("a refused view is answered once, without a view before", async () => {
  const rig = createRig(() => ({}));
  const { foreman, heard } = rig.connect();
  const asked = Array.from({ length: 70 }, (_, request) =>
    rig.subscriptions.open(foreman, subscribe(request, WORKERS, true)),
  );
  const ends = await Promise.allSettled(asked);
  expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(6);
  expect(heard).toHaveLength(64);
  rig.subscriptions.stop();
});

test("one connection follows so many views and no more", async () => {
  const rig = createRig(() => ({}));
  const { foreman } = rig.connect();
  const open = (channel: Channel, request: number) =>
    rig.subscriptions.open(channel, subscribe(request, WORKERS, true));
  for (let request = 1; request <= 64; request++) await open(foreman, request);
  await expect(open(foreman, 65)).rejects.toThrow("at most 64 views");
  rig.subscriptions.stop();
});

test("rounds come four times a second, and more rarely the more one costs", () => {
  expect([0, 1, 2, 4, 10, 20, 500].map(pauseAfter)).toEqual([
    250, 250, 300, 600, 1_500, 2_000, 2_000,
  ]);
});

test("many who look at much take no more than a fifth of the time, and wait a few seconds", () => {
  expect([1_000, 1_250, 60_000].map(pauseAfter)).toEqual([4_000, 5_000, 5_000]);
});
