import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { SEND_QUEUE_BYTES_MAX } from "../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../../src/runtime/transport/channel.ts";
import { createChannelPair } from "../../../src/runtime/transport/memory.ts";
import { createRecorder, type Recorder, startTestForeman, stopTestForemen } from "./rig.ts";

/** Of the senders: a peer that does not answer a close is cut off when it moves on. */
let clock = createManualClock();
beforeEach(() => {
  clock = createManualClock();
});
afterEach(async () => {
  clock.advance(CLOSE_DEADLINE_MS);
  await stopTestForemen();
});

const CLOSE_DEADLINE_MS = 2_000;
const MIB = 1024 * 1024;
const chunk = (number: number, byteCount = MIB): Message => ({
  type: "blob_chunk",
  request: 1,
  sha256: "0".repeat(64),
  number,
  data: new Uint8Array(byteCount),
});

interface Joined {
  readonly sender: Channel;
  readonly senderRecorder: Recorder;
  readonly reader: Channel;
  readonly readerRecorder: Recorder;
}

/** A sender at the foreman and a reader that dialled it. */
async function joinBySocket(): Promise<Joined> {
  const foreman = await startTestForeman({ clock });
  const readerRecorder = createRecorder();
  const reader = await foreman.dial({ handler: readerRecorder });
  const { channel: sender, recorder: senderRecorder } = await foreman.opened();
  return { sender, senderRecorder, reader, readerRecorder };
}

async function joinInMemory(): Promise<Joined> {
  const readerRecorder = createRecorder();
  const senderRecorder = createRecorder();
  const pair = createChannelPair({
    client: {
      role: "client",
      keyId: "k",
      owner: "ada",
      scopes: [],
      address: "memory",
      programVersion: "0",
    },
    welcome: {
      foremanId: "f",
      epoch: 1,
      owner: "ada",
      programVersion: "0",
      heartbeatMs: 3_000,
      leaseMs: 15_000,
    },
    clock,
    onForemanSide: () => senderRecorder,
    onClientSide: () => readerRecorder,
  });
  return { sender: pair.foreman, senderRecorder, reader: pair.client, readerRecorder };
}

const ways: [string, () => Promise<Joined>][] = [
  ["a socket", joinBySocket],
  ["memory", joinInMemory],
];

for (const [name, join] of ways) {
  describe(`through ${name}, a reader that pauses`, () => {
    test("makes the sender's queue grow, and gets everything in order when it resumes", async () => {
      const { sender, reader, readerRecorder } = await join();
      reader.pause();
      let count = 0;
      while (sender.queuedBytes() < SEND_QUEUE_BYTES_MAX) sender.send(chunk(count++));
      expect(readerRecorder.messages).toEqual([]);
      const drained = sender.drained().then(() => sender.queuedBytes());
      reader.resume();
      expect(await drained).toBeLessThan(SEND_QUEUE_BYTES_MAX / 2);
      for (let number = 0; number < count; number++) {
        expect(await readerRecorder.next()).toMatchObject({ type: "blob_chunk", number });
      }
      expect(sender.isOpen).toBe(true);
      expect(sender.queuedBytes()).toBe(0);
    });

    test("never costs a sender that waits more than its limit and one message", async () => {
      const { sender, reader, readerRecorder } = await join();
      reader.pause();
      let largest = 0;
      const sent = (async () => {
        for (let number = 0; number < 40; number++) {
          sender.send(chunk(number));
          largest = Math.max(largest, sender.queuedBytes());
          if (sender.queuedBytes() >= SEND_QUEUE_BYTES_MAX) await sender.drained();
        }
      })();
      reader.resume();
      await sent;
      for (let number = 0; number < 40; number++) await readerRecorder.next();
      expect(largest).toBeLessThan(SEND_QUEUE_BYTES_MAX + 2 * MIB);
      expect(sender.isOpen).toBe(true);
    });

    test("is closed when the sender does not wait and the queue overflows", async () => {
      const { sender, senderRecorder, reader } = await join();
      reader.pause();
      let count = 0;
      while (sender.isOpen && count < 200) sender.send(chunk(count++));
      expect(count).toBeLessThan(60);
      clock.advance(CLOSE_DEADLINE_MS);
      const end = await senderRecorder.ended;
      expect(end).toMatchObject({ code: 1008, byUs: true });
      expect(end.reason).toContain("too slow");
      await sender.drained();
      expect(senderRecorder.endCount).toBe(1);
    });
  });
}

test("drained resolves at once when little waits, and when the channel is closed", async () => {
  const { sender, reader } = await joinBySocket();
  await sender.drained();
  reader.pause();
  let count = 0;
  while (sender.queuedBytes() < SEND_QUEUE_BYTES_MAX) sender.send(chunk(count++));
  const drained = sender.drained();
  sender.close(1000, "done");
  await drained;
});

test("the foreman can pause a peer that sends too fast", async () => {
  const { sender: atForeman, senderRecorder, reader: atClient } = await joinBySocket();
  atForeman.pause();
  let count = 0;
  while (atClient.queuedBytes() < SEND_QUEUE_BYTES_MAX) atClient.send(chunk(count++));
  expect(senderRecorder.messages).toEqual([]);
  atForeman.resume();
  for (let number = 0; number < count; number++) {
    expect(await senderRecorder.next()).toMatchObject({ number });
  }
});
