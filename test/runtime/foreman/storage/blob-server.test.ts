/** Bundles on their way out: read once for all who ask, and one at a time for each of them. */
import { expect, test } from "bun:test";
import { createBlobServer } from "../../../../src/runtime/foreman/storage/blob-server.ts";
import { createStorageGate } from "../../../../src/runtime/foreman/storage/storage-gate.ts";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import { silentLogger } from "../../../../src/runtime/platform/logger.ts";
import { BLOB_CHUNK_BYTES } from "../../../../src/runtime/protocol/limits.ts";
import type { Message } from "../../../../src/runtime/protocol/messages.ts";
import { createMemoryStore } from "../../../../src/runtime/store/memory.ts";
import type { Channel } from "../../../../src/runtime/transport/channel.ts";

const SHA256 = "ab".repeat(32);
const CHUNKS = 3;

function createRig() {
  const calls = { hasBlob: 0, readBlob: 0 };
  const clock = createManualClock();
  const blobs = createBlobServer({
    store: {
      ...createMemoryStore(),
      async hasBlob() {
        calls.hasBlob++;
        return true;
      },
      async readBlob() {
        calls.readBlob++;
        return new Uint8Array(CHUNKS * BLOB_CHUNK_BYTES);
      },
    },
    logger: silentLogger,
    gate: createStorageGate({ space: undefined, clock, logger: silentLogger, onChange() {} }),
    clock,
    nowMs: () => 0,
  });
  return { blobs, calls };
}

/** A peer that reads nothing until it is told to. */
function createPeer() {
  const sent: Message["type"][] = [];
  let room: (() => void)[] = [];
  const channel = {
    isOpen: true,
    send: ({ type }: Message) => void sent.push(type),
    drained: () => new Promise<void>((resolve) => void room.push(resolve)),
  } as unknown as Channel;
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
  return {
    channel,
    sent,
    settle,
    async read() {
      const waiting = room;
      room = [];
      for (const go of waiting) go();
      await settle();
    },
  };
}

const need = (request: number) => ({ type: "blob_need", request, sha256: SHA256 }) as const;

test("what one connection asks for at once is sent to it one after the other", async () => {
  const { blobs } = createRig();
  const peer = createPeer();
  for (let request = 1; request <= 100; request++) void blobs.serve(peer.channel, need(request));
  await peer.settle();
  for (let chunk = 1; chunk <= CHUNKS; chunk++) {
    await peer.read();
    expect(peer.sent.filter((type) => type === "blob_chunk")).toHaveLength(chunk);
  }
  expect(peer.sent.at(-1)).toBe("blob_done");
});

test("a connection that asks without end is refused", async () => {
  const { blobs } = createRig();
  const peer = createPeer();
  for (let request = 1; request <= 1_001; request++) void blobs.serve(peer.channel, need(request));
  expect(peer.sent).toEqual(["error"]);
});

test("a bundle that many workers ask for at once is read once", async () => {
  const { blobs, calls } = createRig();
  const peers = Array.from({ length: 20 }, createPeer);
  for (const { channel } of peers) void blobs.serve(channel, need(1));
  for (const { settle } of peers) await settle();
  expect(calls.readBlob).toBe(1);
});

test("each time a submitter asks for a bundle the store promises to keep it", async () => {
  const { blobs, calls } = createRig();
  const peer = createPeer();
  const upload = blobs.createUpload(peer.channel);
  const offer = { type: "blob_offer", request: 1, sha256: SHA256, byte_count: 1 } as const;
  await upload.onOffer(offer as never);
  await upload.onOffer(offer as never);
  expect(await blobs.has(SHA256)).toBe(true);
  expect(peer.sent).toEqual(["blob_done", "blob_done"]);
  expect(calls.hasBlob).toBe(3);
});
