import { expect, test } from "bun:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../src/runtime/platform/logger.ts";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import { SEND_QUEUE_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import type { Channel, ChannelHandler } from "../../../src/runtime/transport/channel.ts";
import { createForemanLink } from "../../../src/runtime/worker/foreman-link.ts";

/** A channel whose peer reads only when told to. */
function createSlowChannel() {
  let queuedBytes = 0;
  let waiters: (() => void)[] = [];
  const sent: Message[] = [];
  const channel = {
    welcome: {
      foremanId: "f",
      epoch: 1,
      owner: "o",
      programVersion: "0",
      heartbeatMs: 1_000,
      leaseMs: 5_000,
    },
    send(message: Message) {
      sent.push(message);
      queuedBytes += 1024 * 1024;
    },
    queuedBytes: () => queuedBytes,
    drained: () => new Promise<void>((resolve) => waiters.push(resolve)),
    close() {},
    isOpen: true,
    pause() {},
    resume() {},
  } as unknown as Channel;
  return {
    channel,
    sent,
    async read() {
      queuedBytes = 0;
      const released = waiters;
      waiters = [];
      for (const release of released) release();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

function join(slow: ReturnType<typeof createSlowChannel>) {
  const fatal: CcError[] = [];
  let handler: ChannelHandler | null = null;
  const link = createForemanLink({
    async dial(onChannel) {
      await Promise.resolve();
      handler = onChannel(slow.channel);
      return slow.channel;
    },
    address: "memory",
    attemptsMax: null,
    clock: createManualClock(),
    chance: () => 0,
    logger: silentLogger,
    onConnected() {},
    onMessage() {},
    onDisconnected() {},
    onFatal: (error) => fatal.push(error),
  });
  return { link, fatal, handler: () => handler as unknown as ChannelHandler };
}

const beat = (number: number): Message => ({ type: "heartbeat_echo", beat: number });

test("a foreman that reads slowly gets everything in order and never more than its queue may hold", async () => {
  const slow = createSlowChannel();
  const { link } = join(slow);
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 20; i++) link.send(beat(i));
  const atOnce = SEND_QUEUE_BYTES_MAX / (1024 * 1024) + 1;
  expect(slow.sent).toHaveLength(atOnce);
  for (let round = 0; round < 5; round++) await slow.read();
  expect(slow.sent).toEqual(Array.from({ length: 20 }, (_, i) => beat(i)));
});

test("what waits for a lost connection is dropped: the agent says it again", async () => {
  const slow = createSlowChannel();
  const { link, handler } = join(slow);
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 10; i++) link.send(beat(i));
  handler().onClose({ code: 1006, reason: "", byUs: false });
  link.send(beat(99));
  await slow.read();
  expect(slow.sent).toHaveLength(5);
  expect(link.isConnected).toBe(false);
});

test("final refusals end with 77, other ends with 69", async () => {
  for (const [code, exitCode] of [
    ["wrong_key", 77],
    ["version_mismatch", 77],
    ["not_a_foreman", 69],
  ] as const) {
    const fatal = Promise.withResolvers<CcError>();
    createForemanLink({
      dial: () => Promise.reject(new CcError({ code, message: "no" })),
      address: "memory",
      attemptsMax: null,
      clock: createManualClock(),
      chance: () => 0,
      logger: silentLogger,
      onConnected() {},
      onMessage() {},
      onDisconnected() {},
      onFatal: fatal.resolve,
    });
    expect([code, (await fatal.promise).exitCode]).toEqual([code, exitCode]);
  }
});
