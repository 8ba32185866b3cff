/** The foreman of the monitor's tests answers as a real one would, and counts what it is asked. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, openConnection } from "../../../src/runtime/client/connection.ts";
import { systemClock } from "../../../src/runtime/platform/clock.ts";
import type { ListWindow } from "../../../src/runtime/protocol/messages/client.ts";
import type { OverviewView } from "../../../src/runtime/protocol/monitor-views.ts";
import { applyPatch, type ViewPatch } from "../../../src/runtime/protocol/view-patch.ts";
import { dial } from "../../../src/runtime/transport/client.ts";
import { readKeyFile } from "../../../src/runtime/transport/key-files.ts";
import { type FakeForeman, startFakeForeman } from "./fake-foreman.ts";
import { jobRow } from "./fixtures.ts";

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(): Promise<{ foreman: FakeForeman; connect(): Promise<Connection> }> {
  const folder = mkdtempSync(join(tmpdir(), "cc-fake-foreman-"));
  const foreman = await startFakeForeman();
  const key = readKeyFile(foreman.writeKey(folder));
  closing.push(() => rmSync(folder, { recursive: true }), foreman.close);
  return {
    foreman,
    connect: () =>
      openConnection(foreman.url, (handler) =>
        dial({ url: foreman.url, key, role: "client", handler, clock: systemClock }),
      ),
  };
}

const wholeList: ListWindow = { sort: "", reverse: false, filter: "", from: 0, rows: 50 };
const OVERVIEW = {
  kind: "overview",
  window_seconds: 120,
  back_seconds: 0,
  jobs: { ...wholeList, filter: "state:active", sort: "name", rows: 2 },
  workers: { ...wholeList, rows: 3, anchor: "w09", around: true },
  events: 2,
} as const;

describe("the foreman of the monitor's tests", () => {
  test("cuts, filters and sorts its lists", async () => {
    const { foreman, connect } = await start();
    const connection = await connect();
    const { body } = await connection.look(OVERVIEW);
    const { jobs, workers, events } = body as OverviewView;
    expect([jobs.total, jobs.matching, jobs.order]).toEqual([4, 3, ["20", "17"]]);
    expect([workers.anchor_at, workers.from, workers.order]).toEqual([8, 7, ["w08", "w09", "w10"]]);
    expect(events).toHaveLength(2);
    await connection.request({ type: "cancel_job", job_id: 17 });
    expect(foreman.countOf("subscribe")).toBe(1);
    expect(foreman.changes.map(({ type }) => type)).toEqual(["cancel_job"]);
  });

  test("tells what changed when it is told to, as patches, and not while it is held", async () => {
    const { foreman, connect } = await start();
    const connection = await connect();
    const news: unknown[] = [];
    let arrived = Promise.withResolvers<void>();
    const { promise: first } = arrived;
    await connection.watchChanges(OVERVIEW, {
      onNews(message) {
        news.push(message.type === "delta" ? message.patch : message.body);
        arrived.resolve();
        arrived = Promise.withResolvers();
      },
      onEnd() {},
    });
    await first;
    foreman.hold();
    foreman.world.jobs = [...foreman.world.jobs, jobRow({ job_id: 21, name: "a-new-one" })];
    foreman.push();
    await Promise.resolve();
    expect(news).toHaveLength(1);
    const { promise: second } = arrived;
    foreman.release();
    await second;
    const after = applyPatch(news[0] as object, news[1] as ViewPatch) as OverviewView;
    expect(after.jobs.order).toEqual(["21", "20"]);
  });

  test("goes away, comes back at the same address, and forgets a key", async () => {
    const { foreman, connect } = await start();
    const connection = await connect();
    await foreman.goAway();
    expect((await connection.ended).code).toBe("connection_lost");
    await foreman.comeBack();
    await connect();
    foreman.forgetKey();
    expect(await connect().catch(({ code }) => code)).toBe("foreman_mismatch");
  });
});
