import { describe, expect, test } from "bun:test";
import { createLink } from "../../../src/runtime/client/link.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { CcError, toCcError } from "../../../src/runtime/protocol/error.ts";
import { createScriptedForeman } from "./scripted-foreman.ts";

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "resolved",
    (thrown: unknown) => `${toCcError(thrown).code} ${toCcError(thrown).exitCode}`,
  );

describe("a connection", () => {
  test("gives each request its own answer, in whatever order they come", async () => {
    const asked: number[] = [];
    const foreman = createScriptedForeman((message, channel) => {
      if (message.type !== "update_worker") return;
      asked.push(message.request);
      if (asked.length < 2) return;
      for (const request of asked.toReversed()) {
        channel.send({ type: "done", request, note: `answer ${request}` });
      }
    });
    const connection = await foreman.connect();
    const ask = () =>
      connection.request({ type: "update_worker", worker_id: "w", paused: true, now: false });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(first.note).toBe(`answer ${asked[0]}`);
    expect(second.note).toBe(`answer ${asked[1]}`);
  });

  test("an error answers its request: what is wrong with the line ends with 2, the rest with 3", async () => {
    const codes = ["no_such_job", "forbidden"];
    const foreman = createScriptedForeman((message, channel) => {
      if (!("request" in message) || message.request === undefined) return;
      const code = codes.shift() ?? "";
      channel.send({
        type: "error",
        request: message.request,
        code,
        message: "No.",
        retryable: false,
      });
    });
    const connection = await foreman.connect();
    const ask = () => connection.request({ type: "get_job", job_id: 1 });
    expect(await codeOf(ask())).toBe("no_such_job 2");
    expect(await codeOf(ask())).toBe("forbidden 3");
  });

  test("everything under way fails when it ends, and nothing waits on a dead one", async () => {
    const foreman = createScriptedForeman(() => {});
    const connection = await foreman.connect();
    const waiting = codeOf(connection.request({ type: "get_job", job_id: 1 }));
    while (foreman.heard.length === 0) await new Promise((resolve) => setImmediate(resolve));
    foreman.cut();
    expect(await waiting).toBe("connection_lost 3");
    expect((await connection.ended).code).toBe("connection_lost");
    expect(await codeOf(connection.request({ type: "get_job", job_id: 1 }))).toBe(
      "connection_lost 3",
    );
  });

  test("what the foreman says before it closes is the reason", async () => {
    const foreman = createScriptedForeman((_message, channel) => {
      channel.send({ type: "error", code: "quota", message: "Too much.", retryable: false });
      channel.close(1008, "quota");
    });
    const connection = await foreman.connect();
    expect(await codeOf(connection.request({ type: "get_job", job_id: 1 }))).toBe("quota 3");
  });

  test("a watched view comes now and after each change, until it is stopped", async () => {
    const foreman = createScriptedForeman((message, channel) => {
      if (message.type !== "subscribe") return;
      const { request } = message;
      channel.send({ type: "snapshot", request, seq: 0, body: { n: 0 } });
      channel.send({ type: "delta", request, seq: 1, body: { n: 1 } });
    });
    const connection = await foreman.connect();
    const bodies: unknown[] = [];
    const second = Promise.withResolvers<void>();
    const watch = await connection.watch({ kind: "workers" }, (body) => {
      bodies.push(body);
      if (bodies.length === 2) second.resolve();
    });
    await second.promise;
    expect(bodies).toEqual([{ n: 0 }, { n: 1 }]);
    watch.stop();
    while (foreman.heard.at(-1)?.type !== "unsubscribe") {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test("a bundle is put together from its chunks", async () => {
    const foreman = createScriptedForeman((message, channel) => {
      if (message.type !== "blob_need") return;
      const { request, sha256 } = message;
      for (const [number, text] of ["first ", "second"].entries()) {
        channel.send({ type: "blob_chunk", request, sha256, number, data: Buffer.from(text) });
      }
      channel.send({ type: "blob_done", request, sha256 });
    });
    const connection = await foreman.connect();
    const code = await connection.readBundle("a".repeat(64));
    expect(Buffer.from(code).toString()).toBe("first second");
  });
});

describe("a link", () => {
  const doneForAll = () =>
    createScriptedForeman((message, channel) => {
      if (message.type === "follow_jobs") channel.send({ type: "done", request: message.request });
      if (message.type === "get_job" && foremanAnswers) {
        channel.send({ type: "job_status", request: message.request, job: {}, affected: 0 });
      }
    });
  let foremanAnswers = true;
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  test("repeats what was under way on the next connection, and follows its jobs there first", async () => {
    const clock = createManualClock();
    const foreman = doneForAll();
    const changes: boolean[] = [];
    const link = createLink({
      connection: await foreman.connect(),
      redial: foreman.connect,
      clock,
      chance: () => 0.5,
      onChange: (isUp) => changes.push(isUp),
    });
    await link.followJobs([17, 18]);
    foremanAnswers = false;
    const asking = link.run((connection) => connection.request({ type: "get_job", job_id: 17 }));
    while (foreman.heard.at(-1)?.type !== "get_job") await nextTurn();
    foremanAnswers = true;
    foreman.heard.length = 0;
    foreman.cut();
    while (clock.pendingTimerCount === 0) await nextTurn();
    clock.advance(1_000);
    expect((await asking).type).toBe("job_status");
    expect(foreman.heard.map(({ type }) => type)).toEqual(["follow_jobs", "get_job"]);
    expect(foreman.connectionCount).toBe(2);
    expect(changes).toEqual([false, true]);
    link.close();
  });

  test("gives up after five minutes, saying that jobs go on", async () => {
    const clock = createManualClock();
    const foreman = doneForAll();
    let redials = 0;
    const link = createLink({
      connection: await foreman.connect(),
      async redial() {
        redials++;
        throw new CcError({ code: "foreman_unreachable", message: "Nobody.", retryable: true });
      },
      clock,
      chance: () => 0.5,
    });
    const asking = codeOf(
      link.run((connection) => connection.request({ type: "get_job", job_id: 1 })),
    );
    foreman.cut();
    let isOver = false;
    void asking.then(() => {
      isOver = true;
    });
    while (!isOver) {
      clock.advance(1_000);
      await nextTurn();
    }
    expect(await asking).toBe("foreman_lost 3");
    expect(redials).toBeGreaterThan(60);
    expect(await codeOf(link.run((connection) => connection.look({ kind: "workers" })))).toBe(
      "foreman_lost 3",
    );
  });

  test("a refusal that no retry can change ends it at once", async () => {
    const clock = createManualClock();
    const foreman = doneForAll();
    const link = createLink({
      connection: await foreman.connect(),
      async redial() {
        throw new CcError({ code: "wrong_key", message: "Not you.", exitCode: 3 });
      },
      clock,
      chance: () => 0.5,
    });
    const asking = codeOf(link.run((connection) => connection.look({ kind: "workers" })));
    foreman.cut();
    while (clock.pendingTimerCount === 0) await nextTurn();
    clock.advance(1_000);
    expect(await asking).toBe("wrong_key 3");
  });
});
