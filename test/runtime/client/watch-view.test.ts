/** A view that is followed for ever: over cuts, gaps, refusals and silence, one question at a time. */
import { describe, expect, test } from "bun:test";
import type { LinkState } from "../../../src/runtime/client/lasting-connection.ts";
import { watchView } from "../../../src/runtime/client/watch-view.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import type { View } from "../../../src/runtime/protocol/messages/client.ts";
import type { Message, MessageOf } from "../../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../../src/runtime/transport/channel.ts";
import { createScriptedForeman } from "./scripted-foreman.ts";

const WORKERS: View = { kind: "workers" };
const FOREMAN: View = { kind: "foreman" };

type Subscribe = MessageOf<"subscribe">;

/** A foreman that answers each `subscribe` as the test says, and a watch over it. */
function createRig(
  answer: (asked: Subscribe, channel: Channel) => void,
  /** What the next dials fail with. */
  refusals: CcError[] = [],
) {
  const clock = createManualClock();
  const asked: { readonly message: Subscribe; readonly channel: Channel }[] = [];
  const foreman = createScriptedForeman((message, channel) => {
    if (message.type !== "subscribe") return;
    asked.push({ message, channel });
    answer(message, channel);
  });
  const story: string[] = [];
  const bodies: object[] = [];
  const tell = (line: string): void => void story.push(line);
  const watch = watchView({
    async connect() {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return foreman.connect();
    },
    clock,
    chance: () => 0.5,
    onLink: (state) => tell(nameOf(state)),
    onNews(view, { body, roundTripMs, bytes }) {
      bodies.push(body);
      const how = roundTripMs === null ? "" : " answered";
      tell(`${view.kind}${how} ${JSON.stringify(body)}${bytes > 0 ? "" : " of no bytes"}`);
    },
    onFailed: (view, error) => tell(`${view.kind} failed ${error.code}`),
  });
  return {
    clock,
    foreman,
    watch,
    asked,
    refusals,
    bodies,
    story,
    /** Waits until the story has so many lines, and takes them. */
    async lines(count: number): Promise<string[]> {
      while (story.length < count) await new Promise((resolve) => setImmediate(resolve));
      return story.splice(0);
    },
    /** Lets what is under way come to its end. */
    async rest(): Promise<void> {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function nameOf(state: LinkState): string {
  if (state.kind === "live") return "live";
  if (state.kind === "refused") return `refused ${state.error.code}`;
  return `${state.kind} ${state.attempt} ${state.error?.code ?? ""}`.trim();
}

const snapshot = (request: number, body: object): Message => ({
  type: "snapshot",
  request,
  seq: 0,
  body,
});
const unreachable = (): CcError =>
  new CcError({ code: "foreman_unreachable", message: "Nobody there.", retryable: true });

const showsFigures = (asked: Subscribe, channel: Channel): void =>
  channel.send(snapshot(asked.request, { figure: 1, rows: { a: 1, b: 2 } }));

describe("a view that is followed", () => {
  test("is whole at first, and patched from then on", async () => {
    const rig = createRig((asked, channel) => {
      showsFigures(asked, channel);
      const { request } = asked;
      channel.send({ type: "delta", request, seq: 1, patch: { set: { figure: 2 } } });
      const patch = { within: { rows: { drop: ["a"] } } };
      channel.send({ type: "delta", request, seq: 2, patch });
      channel.send({ type: "delta", request, seq: 3, body: { figure: 3 } });
    });
    rig.watch.look(WORKERS);
    expect(await rig.lines(6)).toEqual([
      "connecting 1",
      "live",
      'workers answered {"figure":1,"rows":{"a":1,"b":2}}',
      'workers {"figure":2,"rows":{"a":1,"b":2}}',
      'workers {"figure":2,"rows":{"b":2}}',
      'workers {"figure":3}',
    ]);
    expect(rig.bodies[0]).toEqual({ figure: 1, rows: { a: 1, b: 2 } });
    rig.watch.close();
  });

  test("is asked for anew when a delta is missing, and the rest of the old one is not shown", async () => {
    const rig = createRig(({ request }, channel) => {
      channel.send(snapshot(request, { asked: request }));
      if (request > 1) return;
      channel.send({ type: "delta", request, seq: 2, patch: { set: { figure: 2 } } });
      channel.send({ type: "delta", request, seq: 3, patch: { set: { figure: 3 } } });
    });
    rig.watch.look(WORKERS);
    const [, , first, second] = await rig.lines(4);
    expect([first, second]).toEqual([
      'workers answered {"asked":1}',
      'workers answered {"asked":2}',
    ]);
    await rig.rest();
    expect(rig.story).toEqual([]);
    expect(rig.foreman.heard.map(({ type }) => type)).toEqual([
      "subscribe",
      "unsubscribe",
      "subscribe",
    ]);
    rig.watch.close();
  });

  test("comes back after each cut, with the tries counted, on and on", async () => {
    const rig = createRig(showsFigures);
    rig.watch.look(WORKERS);
    await rig.lines(3);
    for (const tries of [1, 2, 40]) {
      rig.refusals.push(...Array.from({ length: tries }, unreachable));
      rig.foreman.cut();
      const lost = await rig.lines(1);
      expect(lost).toEqual(["lost 1 connection_lost"]);
      for (let attempt = 2; attempt <= tries + 1; attempt++) {
        rig.clock.advance(5_000);
        expect(await rig.lines(1)).toEqual([`lost ${attempt} foreman_unreachable`]);
      }
      rig.clock.advance(5_000);
      expect(await rig.lines(2)).toEqual([
        "live",
        'workers answered {"figure":1,"rows":{"a":1,"b":2}}',
      ]);
    }
    rig.watch.close();
  });

  test("is replaced on the same connection, one question at a time, and who turns pages quickly skips some", async () => {
    const held: (() => void)[] = [];
    const rig = createRig(({ request, view }, channel) => {
      held.push(() => channel.send(snapshot(request, { kind: view.kind })));
    });
    rig.watch.look(WORKERS);
    await rig.rest();
    for (let page = 0; page < 50; page++) rig.watch.look({ kind: "jobs", limit: page });
    rig.watch.look(FOREMAN);
    await rig.rest();
    expect(held).toHaveLength(1);
    held.shift()?.();
    await rig.rest();
    held.shift()?.();
    expect((await rig.lines(4)).slice(2)).toEqual([
      'workers answered {"kind":"workers"}',
      'foreman answered {"kind":"foreman"}',
    ]);
    const said = rig.foreman.heard.map((message) =>
      message.type === "subscribe" ? message.view.kind : `${message.type}`,
    );
    expect(said).toEqual(["workers", "unsubscribe", "foreman"]);
    expect(rig.foreman.connectionCount).toBe(1);
    rig.watch.close();
  });
});

describe("what cannot be looked at", () => {
  test("is said of the view, whether at once or later, and looking again asks again", async () => {
    const gone = { type: "error", code: "no_such_job", message: "It is gone.", retryable: false };
    const rig = createRig(({ request, view }, channel) => {
      if (view.kind === "workers") channel.send(snapshot(request, {}));
      channel.send({ ...gone, type: "error", request });
    });
    rig.watch.look(FOREMAN);
    expect((await rig.lines(3)).at(-1)).toBe("foreman failed no_such_job");
    rig.watch.look(WORKERS);
    expect(await rig.lines(2)).toEqual(["workers answered {}", "workers failed no_such_job"]);
    rig.watch.look(WORKERS);
    expect(await rig.lines(2)).toEqual(["workers answered {}", "workers failed no_such_job"]);
    expect(rig.foreman.connectionCount).toBe(1);
    rig.watch.close();
  });

  test("with this key is said once, and not tried again", async () => {
    const rig = createRig(({ request }, channel) =>
      channel.send({ type: "error", request, code: "forbidden", message: "No.", retryable: false }),
    );
    rig.watch.look(WORKERS);
    expect((await rig.lines(3)).at(-1)).toBe("refused forbidden");
    rig.clock.advance(3_600_000);
    await rig.rest();
    expect(rig.foreman.connectionCount).toBe(1);
    expect(rig.story).toEqual([]);
  });

  test("for a wrong key or another version is said without a second try", async () => {
    const rig = createRig(showsFigures, [new CcError({ code: "wrong_key", message: "Not it." })]);
    expect(await rig.lines(2)).toEqual(["connecting 1", "refused wrong_key"]);
    rig.clock.advance(3_600_000);
    await rig.rest();
    expect(rig.story).toEqual([]);
  });
});

test("where nobody is yet, it goes on trying", async () => {
  const rig = createRig(showsFigures, [unreachable(), unreachable()]);
  rig.watch.look(WORKERS);
  expect(await rig.lines(2)).toEqual(["connecting 1", "connecting 2 foreman_unreachable"]);
  rig.clock.advance(5_000);
  expect(await rig.lines(1)).toEqual(["connecting 3 foreman_unreachable"]);
  rig.clock.advance(5_000);
  expect((await rig.lines(2))[0]).toBe("live");
  rig.watch.close();
});

test("a foreman that says nothing more is taken for lost, and another connection is tried", async () => {
  const rig = createRig(showsFigures);
  rig.watch.look(WORKERS);
  await rig.lines(3);
  rig.clock.advance(10_000);
  await rig.rest();
  expect(rig.story).toEqual([]);
  rig.clock.advance(5_000);
  expect(await rig.lines(1)).toEqual(["lost 1 foreman_silent"]);
  rig.clock.advance(1_000);
  expect((await rig.lines(2))[0]).toBe("live");
  rig.watch.close();
});

test("what is to be done is done on the live connection, or not at all", async () => {
  const rig = createRig(showsFigures);
  const isOpen = (): Promise<boolean> => rig.watch.run(async (connection) => connection.isOpen);
  await expect(isOpen()).rejects.toMatchObject({ code: "not_connected" });
  await rig.lines(2);
  expect(await isOpen()).toBe(true);
  rig.watch.close();
  await expect(isOpen()).rejects.toMatchObject({ code: "not_connected" });
});
