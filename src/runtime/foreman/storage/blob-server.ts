/**
 * Code on its way in and out. A bundle is uploaded once, checked against its hash before it is kept,
 * and sent to every worker that asks, in chunks that wait for the peer to read.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { BLOB_CHUNK_BYTES, BUNDLE_BYTES_MAX } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Store } from "../../store/store.ts";
import type { Channel } from "../../transport/channel.ts";
import type { StorageGate } from "./storage-gate.ts";

/** Bundles kept in memory for workers that all ask at once. */
const MEMORY_BYTES_MAX = BUNDLE_BYTES_MAX;
const BUSY_RETRY_MS = 50;
/** A worker asks once for each code that it is given tasks of. */
const NEEDS_PER_CHANNEL_MAX = 1_000;

export interface BlobServer {
  /** Whether the bundle is here, and then stays for a submission: the store's promise, each time anew. */
  has(sha256: string): Promise<boolean>;
  /** Answers `blob_need` of a worker: of one connection one after the other. */
  serve(channel: Channel, need: MessageOf<"blob_need">): Promise<void>;
  /** A job is gone, and perhaps code that no other job names. */
  forgetHeld(): void;
  /** One connection's uploads. */
  createUpload(channel: Channel): BlobUpload;
}

export interface BlobUpload {
  onOffer(message: MessageOf<"blob_offer">): Promise<void>;
  onChunk(message: MessageOf<"blob_chunk">): void;
  onDone(message: MessageOf<"blob_done">): Promise<void>;
}

export function createBlobServer(parts: {
  readonly store: Store;
  readonly logger: Logger;
  readonly gate: StorageGate;
  readonly clock: Pick<Clock, "setTimer">;
  nowMs(): number;
}): BlobServer {
  const { store, logger, gate, clock } = parts;
  const memory = new Map<string, Uint8Array>();
  /** Being read for whoever asked first, and for all who ask meanwhile. */
  const loading = new Map<string, Promise<Uint8Array | null>>();
  const serving = new WeakMap<Channel, { count: number; last: Promise<void> }>();

  function load(sha256: string): Promise<Uint8Array | null> {
    const held = memory.get(sha256);
    if (held) return Promise.resolve(held);
    const known = loading.get(sha256);
    if (known) return known;
    const read = readHere(sha256).finally(() => loading.delete(sha256));
    loading.set(sha256, read);
    return read;
  }

  async function readHere(sha256: string): Promise<Uint8Array | null> {
    const bytes = await store.readBlob(sha256);
    if (bytes) remember(sha256, bytes);
    return bytes;
  }

  function remember(sha256: string, bytes: Uint8Array): void {
    memory.set(sha256, bytes);
    let total = 0;
    for (const held of memory.values()) total += held.byteLength;
    for (const [oldest, held] of memory) {
      if (total <= MEMORY_BYTES_MAX || memory.size === 1) break;
      memory.delete(oldest);
      total -= held.byteLength;
    }
  }

  /** All at once they would put a chunk each into the socket whenever it has room for one. */
  function serve(channel: Channel, need: MessageOf<"blob_need">): Promise<void> {
    const queue = serving.get(channel) ?? { count: 0, last: Promise.resolve() };
    if (queue.count >= NEEDS_PER_CHANNEL_MAX) {
      const error = tooMany(queue.count);
      channel.send({ type: "error", request: need.request, ...error.toView() });
      return queue.last;
    }
    queue.count++;
    queue.last = queue.last.then(() => serveOne(channel, need)).finally(() => queue.count--);
    serving.set(channel, queue);
    return queue.last;
  }

  async function serveOne(channel: Channel, need: MessageOf<"blob_need">): Promise<void> {
    if (!channel.isOpen) return;
    try {
      const bytes = await load(need.sha256);
      if (!bytes) throw missing(need.sha256);
      await sendChunks(channel, need, bytes);
    } catch (thrown) {
      const error = toCcError(thrown);
      logger.warn("a bundle could not be sent", { code: error.code, sha256: need.sha256 });
      channel.send({ type: "error", request: need.request, ...error.toView() });
    }
  }

  async function keep(sha256: string, bytes: Uint8Array): Promise<void> {
    for (;;) {
      const refusal = gate.refuseNew(bytes.byteLength);
      if (refusal) throw refusal;
      const blob = { sha256, kind: "bundle", bytes, atMs: parts.nowMs() } as const;
      const outcome = await store.putBlob(blob);
      if (outcome === "ok") break;
      if (outcome === "full") gate.onNoRoomForNew();
      // Another program has the store locked, and will be done.
      else await new Promise<void>((resolve) => clock.setTimer(BUSY_RETRY_MS, resolve));
    }
    remember(sha256, bytes);
  }

  function createUpload(channel: Channel): BlobUpload {
    let current: { sha256: string; byteCount: number; chunks: Uint8Array[]; held: number } | null =
      null;
    const answerError = (request: number, thrown: unknown): void =>
      channel.send({ type: "error", request, ...toCcError(thrown).toView() });

    return {
      async onOffer({ request, sha256, byte_count }) {
        if (byte_count > BUNDLE_BYTES_MAX) {
          answerError(request, tooLarge(byte_count));
          return;
        }
        const isHere = await store.hasBlob(sha256);
        const refusal = isHere ? null : gate.refuseNew(byte_count);
        if (refusal) answerError(request, refusal);
        else if (isHere) channel.send({ type: "blob_done", request, sha256 });
        else {
          current = { sha256, byteCount: byte_count, chunks: [], held: 0 };
          channel.send({ type: "blob_need", request, sha256 });
        }
      },
      onChunk(message) {
        if (current?.sha256 !== message.sha256) return;
        current.held += message.data.byteLength;
        if (current.held > current.byteCount) {
          channel.close(1009, "a bundle is larger than it was offered");
          return;
        }
        current.chunks.push(message.data);
      },
      async onDone({ request, sha256 }) {
        const upload = current;
        current = null;
        try {
          if (upload?.sha256 !== sha256) throw missing(sha256);
          const bytes = joinChunks(upload.chunks, upload.held);
          if (hashOf(bytes) !== sha256) throw corrupt(sha256);
          await keep(sha256, bytes);
          channel.send({ type: "blob_done", request, sha256 });
        } catch (thrown) {
          answerError(request, thrown);
        }
      },
    };
  }

  return { has: store.hasBlob, serve, createUpload, forgetHeld: () => memory.clear() };
}

async function sendChunks(
  channel: Channel,
  need: MessageOf<"blob_need">,
  bytes: Uint8Array,
): Promise<void> {
  const { request, sha256 } = need;
  for (let from = 0, number = 0; from < bytes.byteLength; from += BLOB_CHUNK_BYTES, number++) {
    await channel.drained();
    const data = bytes.subarray(from, from + BLOB_CHUNK_BYTES);
    channel.send({ type: "blob_chunk", request, sha256, number, data });
  }
  channel.send({ type: "blob_done", request, sha256 });
}

function joinChunks(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const missing = (sha256: string): CcError =>
  new CcError({
    code: "bundle_missing",
    message: `The foreman does not hold the code ${sha256.slice(0, 12)}….`,
    hint: "Submit the job again.",
    retryable: true,
    exitCode: 3,
  });

const tooMany = (count: number): CcError =>
  new CcError({
    code: "too_many_requests",
    message: `This connection waits for ${count} bundles already.`,
    retryable: true,
    exitCode: 3,
  });

const corrupt = (sha256: string): CcError =>
  new CcError({
    code: "bundle_corrupt",
    message: `The code that arrived does not have the hash ${sha256.slice(0, 12)}….`,
    hint: "Submit the job again.",
    retryable: true,
    exitCode: 3,
  });

const tooLarge = (byteCount: number): CcError =>
  new CcError({
    code: "bundle_too_large",
    message: `The job's code has ${byteCount} bytes, at most ${BUNDLE_BYTES_MAX} are taken.`,
    hint: "Read large data from files at run time instead of importing it.",
    exitCode: 2,
  });
