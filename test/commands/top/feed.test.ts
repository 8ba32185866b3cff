/** The monitor's feed over a whole foreman in memory: what it shows, does, and says when it may not. */
import { afterEach, describe, expect, test } from "bun:test";
import { createFeed } from "../../../src/commands/top/feed.ts";
import { openConnection } from "../../../src/runtime/client/connection.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import { FEATURES } from "../../../src/runtime/protocol/messages.ts";
import type { Scope } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import type { ActionRequest, FeedUpdate, Focus, MonitorFeed } from "../../../src/tui/feed.ts";
import { createRig, type Rig } from "../../runtime/foreman/rig.ts";
import { connectWorker, failTask, submit } from "../../runtime/foreman/views/monitor/looking.ts";

const rigs: Rig[] = [];
const feeds: MonitorFeed[] = [];
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close();
  for (const rig of rigs.splice(0)) await rig.close();
});

const WINDOW = { sort: "", reverse: false, filter: "", from: 0, rows: 20 };
const OVERVIEW: Focus = {
  kind: "overview",
  windowSeconds: 120,
  backSeconds: 0,
  jobs: WINDOW,
  workers: WINDOW,
  events: 5,
};

async function newRig(): Promise<Rig> {
  const rig = await createRig();
  rigs.push(rig);
  return rig;
}

function openFeed(
  rig: Rig,
  options: { scopes?: readonly Scope[]; features?: readonly string[]; refusal?: CcError } = {},
) {
  const updates: FeedUpdate[] = [];
  const waiting: (() => void)[] = [];
  const feed = createFeed(
    {
      async connect() {
        if (options.refusal) throw options.refusal;
        return openConnection("memory", async (handler) => dial(rig, options, handler));
      },
      url: () => "ws://here",
      adminKeyFile: "/keys/local-admin.key",
      clock: systemClock,
      chance: () => 0,
    },
    (update) => {
      updates.push(update);
      for (const wake of waiting.splice(0)) wake();
    },
  );
  feeds.push(feed);
  return {
    feed,
    /** The first update that is so, heard already or still to come. */
    async until(isIt: (update: FeedUpdate) => boolean): Promise<FeedUpdate> {
      for (;;) {
        const found = updates.find(isIt);
        if (found) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

function dial(
  rig: Rig,
  { scopes = ["admin"], features = FEATURES }: Parameters<typeof openFeed>[1] & object,
  handler: Parameters<Parameters<typeof openConnection>[1]>[0],
) {
  return createChannelPair({
    client: {
      role: "client",
      keyId: "k",
      owner: "ann",
      scopes,
      address: "memory",
      programVersion: "0",
    },
    welcome: {
      foremanId: "f",
      epoch: 1,
      owner: "ann",
      programVersion: "0.1.0",
      heartbeatMs: 3_000,
      leaseMs: 15_000,
      features,
    },
    onForemanSide: rig.foreman.open,
    onClientSide: () => handler,
  }).client;
}

const isLive = (update: FeedUpdate): boolean =>
  update.kind === "link" && update.link.kind === "live";
const isView = (update: FeedUpdate): boolean => update.kind === "view";
const refusalOf = (update: FeedUpdate) =>
  update.kind === "link" && update.link.kind === "refused" ? update.link.error : null;

test("what is looked at comes with the focus that asked for it, and what is not there is said", async () => {
  const rig = await newRig();
  await submit(rig.connect(), [1]);
  const { feed, until } = openFeed(rig);
  feed.look(OVERVIEW);
  const shown = await until(isView);
  expect(shown).toMatchObject({ focus: OVERVIEW, view: { kind: "overview" } });
  expect(shown.kind === "view" && shown.focus).toBe(OVERVIEW);
  const missing: Focus = { kind: "task", jobId: 1, index: 9, textCharacters: 10 };
  feed.look(missing);
  const failed = await until(({ kind }) => kind === "failed");
  expect(failed).toMatchObject({
    focus: missing,
    error: { code: "no_such_task", hint: "cc tasks 1" },
  });
});

describe("what is done is told with its numbers", () => {
  test("of jobs and of workers", async () => {
    const rig = await newRig();
    await submit(rig.connect(), [1, 2, 3]);
    const { feed, until } = openFeed(rig);
    await until(isLive);
    const said = async (request: ActionRequest) => (await feed.act(request)).sentence;
    expect(await said({ kind: "set_priority", jobId: 1, priority: 20 })).toBe(
      "job 1 has priority 20",
    );
    expect(await said({ kind: "pause_job", jobId: 1, paused: true })).toBe("job 1 is paused");
    expect(await said({ kind: "pause_job", jobId: 1, paused: false })).toBe(
      "job 1 goes on; 3 tasks waiting",
    );
    expect(await said({ kind: "cancel_tasks", jobId: 1, indexes: [0] })).toBe(
      "job 1: 1 task cancelled",
    );
    expect(await said({ kind: "retry_tasks", jobId: 1, indexes: [0] })).toBe(
      "job 1: 1 task queued again",
    );
    expect(await said({ kind: "cancel_job", jobId: 1 })).toBe("job 1: 3 tasks cancelled");
    expect(await said({ kind: "cancel_job", jobId: 1 })).toContain("has already ended");
    expect(await said({ kind: "retry_failed", jobId: 1 })).toBe("job 1: 3 tasks queued again");
    connectWorker(rig, "w1");
    await rig.pass(500);
    expect(await said({ kind: "pause_worker", workerId: "w1", paused: true })).toContain("no more");
    expect(await said({ kind: "pause_worker", workerId: "w1", paused: false })).toContain("again");
  });

  test("and what cannot be done is an error with its code and hint", async () => {
    const rig = await newRig();
    const { feed, until } = openFeed(rig);
    await until(isLive);
    await expect(feed.act({ kind: "cancel_job", jobId: 7 })).rejects.toMatchObject({
      code: "no_such_job",
      hint: "cc jobs",
      retryable: false,
    });
    feed.close();
    await expect(feed.act({ kind: "cancel_job", jobId: 7 })).rejects.toMatchObject({
      code: "not_connected",
      retryable: true,
    });
  });
});

test("the newest failed task is the one that failed last, whatever its number and its error", async () => {
  const rig = await newRig();
  await submit(rig.connect(), [1, 2, 3, 4]);
  const { feed, until } = openFeed(rig);
  await until(isLive);
  expect(await feed.newestFailedTask(1)).toBeNull();
  const worker = connectWorker(rig, "w1");
  let seq = 0;
  for (const code of ["error", "timeout"]) {
    const assigned = await worker.next("assign_task");
    const index = assigned.first_index ?? 0;
    await failTask(worker, assigned, ++seq, { index, code });
    await rig.pass(1_000);
    expect(await feed.newestFailedTask(1)).toEqual({ index });
  }
});

describe("who may not look is told so once, with the key that may", () => {
  test("a key for work alone", async () => {
    const { feed, until } = openFeed(await newRig(), { scopes: ["work"] });
    feed.look(OVERVIEW);
    const error = refusalOf(await until((update) => refusalOf(update) !== null));
    expect(error).toMatchObject({ code: "forbidden", retryable: false });
    expect(error?.message).toContain("may not look");
    expect(error?.message).toContain("it has work, needed is view");
    expect(error?.hint).toContain("/keys/local-admin.key");
  });

  test("a worker's key", async () => {
    const refusal = new CcError({ code: "wrong_role", message: "It is a worker key." });
    const { until } = openFeed(await newRig(), { refusal });
    const error = refusalOf(await until((update) => refusalOf(update) !== null));
    expect(error?.message).toBe("This key may not look. It is a worker key.");
    expect(error?.hint).toContain("/keys/local-admin.key");
  });

  test("a foreman of before there was a monitor", async () => {
    const { until } = openFeed(await newRig(), { features: [] });
    const error = refusalOf(await until((update) => refusalOf(update) !== null));
    expect(error?.code).toBe("version_mismatch");
    expect(error?.message).toContain("crowdcompute 0.1.0");
    expect(error?.hint).toContain("Upgrade the foreman");
  });
});
