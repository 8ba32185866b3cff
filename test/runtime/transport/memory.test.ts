import { describe, expect, test } from "bun:test";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import type { Channel, Peer, WelcomeFacts } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import { createRecorder } from "./rig.ts";

const client: Peer = {
  role: "client",
  keyId: "k",
  owner: "ada",
  scopes: ["view"],
  address: "memory",
  programVersion: "0",
};
const welcome: WelcomeFacts = {
  foremanId: "f",
  epoch: 1,
  owner: "ada",
  programVersion: "0",
  heartbeatMs: 3_000,
  leaseMs: 15_000,
};

function join(encoding: "msgpack" | "json" = "msgpack") {
  const atForeman = createRecorder();
  const atClient = createRecorder();
  const pair = createChannelPair({
    client,
    welcome,
    encoding,
    onForemanSide: () => atForeman,
    onClientSide: () => atClient,
  });
  return { ...pair, atForeman, atClient };
}

const cancel = (index: Uint32Array): Message => ({
  type: "cancel_task",
  assignment: 9,
  index,
  reason: "ü",
});

describe("a pair in memory", () => {
  test("shows each side its peer, and the client the welcome", () => {
    const { client: channel, foreman } = join();
    expect(foreman.peer).toEqual(client);
    expect(foreman.welcome).toBeNull();
    expect(channel.peer).toMatchObject({ role: "foreman", owner: "ada" });
    expect(channel.welcome).toEqual(welcome);
  });

  test("delivers later, in order, as copies that went through the codec", async () => {
    for (const encoding of ["msgpack", "json"] as const) {
      const { client: channel, atForeman } = join(encoding);
      const index = Uint32Array.of(1, 2);
      channel.send(cancel(index));
      channel.send({ type: "heartbeat_echo", beat: 1 });
      expect(atForeman.messages).toEqual([]);
      index[0] = 99;
      expect(await atForeman.next()).toEqual(cancel(Uint32Array.of(1, 2)));
      expect(await atForeman.next()).toEqual({ type: "heartbeat_echo", beat: 1 });
    }
  });

  test("delivers what was sent before a close, then the end, once on each side", async () => {
    const { client: channel, foreman, atForeman, atClient } = join();
    channel.send({ type: "heartbeat_echo", beat: 1 });
    channel.close(1000, "done");
    foreman.send({ type: "heartbeat_echo", beat: 2 });
    channel.send({ type: "heartbeat_echo", beat: 3 });
    expect(await atForeman.ended).toEqual({ code: 1000, reason: "done", byUs: false });
    expect(await atClient.ended).toEqual({ code: 1000, reason: "done", byUs: true });
    expect(atForeman.messages).toEqual([{ type: "heartbeat_echo", beat: 1 }]);
    expect(atClient.messages).toEqual([]);
    expect([foreman.isOpen, channel.isOpen]).toEqual([false, false]);
    foreman.close(1002, "again");
    expect([atForeman.endCount, atClient.endCount]).toEqual([1, 1]);
  });

  test("closes with 1002 and the reason when a handler throws", async () => {
    const atClient = createRecorder();
    const pair = createChannelPair({
      client,
      welcome,
      onForemanSide: () => ({
        onMessage() {
          throw new Error("no such thing");
        },
        onClose: () => {},
      }),
      onClientSide: () => atClient,
    });
    pair.client.send({ type: "heartbeat_echo", beat: 1 });
    expect(await atClient.ended).toMatchObject({ code: 1002, byUs: false });
    expect(atClient.messages).toMatchObject([{ type: "error", code: "internal" }]);
  });

  test("answers across in the same turn of the loop without recursion", async () => {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const echo = (channel: Channel) => ({
      onMessage(message: Message) {
        if (message.type !== "heartbeat_echo") return;
        if (message.beat === 20_000) resolve();
        else channel.send({ type: "heartbeat_echo", beat: message.beat + 1 });
      },
      onClose: () => {},
    });
    const pair = createChannelPair({ client, welcome, onForemanSide: echo, onClientSide: echo });
    pair.client.send({ type: "heartbeat_echo", beat: 0 });
    await done;
  });
});
