/**
 * Brings code here: from the cache, or from the foreman in chunks. Several who need the same code
 * share one transfer; a transfer survives the connection and begins again on the next. Nothing is
 * handed out that has not been checked against its hash just before.
 */
import { CcError, toCcError } from "../../protocol/error.ts";
import { BUNDLE_BYTES_MAX } from "../../protocol/limits.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import { type BundleCache, hashOf } from "./bundle-cache.ts";

export interface Bundles {
  /** The path of the verified file. @throws CcError `worker_storage` or `bundle_failed` */
  ensure(sha256: string): Promise<string>;
  /** A connection is open: asks (again) for what is missing. */
  onConnected(send: (message: MessageOf<"blob_need">) => void): void;
  onDisconnected(): void;
  onChunk(message: MessageOf<"blob_chunk">): void;
  onDone(message: MessageOf<"blob_done">): void;
  /** True when it answered a request of ours. */
  onError(message: MessageOf<"error">): boolean;
  /** Nothing is waited for any more. */
  close(): void;
}

interface Transfer {
  readonly sha256: string;
  readonly outcome: PromiseWithResolvers<Uint8Array>;
  request: number;
  chunks: Uint8Array[];
  byteCount: number;
  triesLeft: number;
}

/** A transfer that arrives broken once may have met a bug or a bad cable; twice is no accident. */
const TRIES_MAX = 2;
/** At a time, so that memory stays bounded by so many bundles. */
const TRANSFERS_MAX = 3;

export function createBundles(cache: BundleCache): Bundles {
  const underWay = new Map<string, Promise<string>>();
  const active = new Map<number, Transfer>();
  const waiting: Transfer[] = [];
  let send: ((message: MessageOf<"blob_need">) => void) | null = null;
  let nextRequest = 1;
  let isClosed = false;

  async function find(sha256: string): Promise<string> {
    const path = await cache.find(sha256);
    return path ?? (await cache.keep(sha256, await transfer(sha256)));
  }

  function transfer(sha256: string): Promise<Uint8Array> {
    if (isClosed) return Promise.reject(workerStops(sha256));
    const outcome = Promise.withResolvers<Uint8Array>();
    waiting.push({
      sha256,
      outcome,
      request: 0,
      chunks: [],
      byteCount: 0,
      triesLeft: TRIES_MAX,
    });
    startWaiting();
    return outcome.promise;
  }

  function startWaiting(): void {
    while (active.size < TRANSFERS_MAX) {
      const next = waiting.shift();
      if (next === undefined) return;
      begin(next);
    }
  }

  /** A fresh number each time, so that chunks of an earlier try are not taken for this one's. */
  function begin(started: Transfer): void {
    active.delete(started.request);
    started.request = nextRequest++;
    started.chunks = [];
    started.byteCount = 0;
    active.set(started.request, started);
    send?.({ type: "blob_need", request: started.request, sha256: started.sha256 });
  }

  function end(ended: Transfer): void {
    active.delete(ended.request);
    startWaiting();
  }

  function fail(failed: Transfer, error: CcError): void {
    end(failed);
    failed.outcome.reject(error);
  }

  return {
    ensure(sha256) {
      const known = underWay.get(sha256);
      if (known !== undefined) return known;
      const path = find(sha256).finally(() => underWay.delete(sha256));
      underWay.set(sha256, path);
      return path;
    },
    onConnected(sendMessage) {
      send = sendMessage;
      for (const started of [...active.values()]) begin(started);
    },
    onDisconnected() {
      send = null;
    },
    onChunk({ request, data }) {
      const started = active.get(request);
      if (started === undefined) return;
      started.byteCount += data.byteLength;
      if (started.byteCount > BUNDLE_BYTES_MAX) {
        fail(
          started,
          bundleFailed(started.sha256, "the foreman sends more than a bundle may have"),
        );
        return;
      }
      // A copy, because the chunk shares its frame's memory.
      started.chunks.push(data.slice());
    },
    onDone({ request }) {
      const started = active.get(request);
      if (started === undefined) return;
      const bytes = joinChunks(started);
      if (hashOf(bytes) === started.sha256) {
        end(started);
        started.outcome.resolve(bytes);
      } else if (--started.triesLeft > 0) begin(started);
      else fail(started, bundleFailed(started.sha256, "what arrived has another hash"));
    },
    onError(message) {
      const started = active.get(message.request ?? -1);
      if (started === undefined) return false;
      fail(started, bundleFailed(started.sha256, message.message));
      return true;
    },
    close() {
      isClosed = true;
      send = null;
      const stopped = [...active.values(), ...waiting.splice(0)];
      active.clear();
      for (const { sha256, outcome } of stopped) {
        outcome.reject(workerStops(sha256));
      }
    },
  };
}

/** Why tasks go back whose code could not be had: of the closed list, or `bundle_failed`. */
export function bundleRefusal(thrown: unknown): string {
  const { code } = toCcError(thrown);
  return code === "worker_storage" ? code : "bundle_failed";
}

function joinChunks({ chunks, byteCount }: Transfer): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const workerStops = (sha256: string): CcError => bundleFailed(sha256, "the worker stops");

function bundleFailed(sha256: string, detail: string): CcError {
  return new CcError({
    code: "bundle_failed",
    message: `The code ${sha256.slice(0, 12)}… could not be fetched: ${detail}`,
    hint: "Submit the job again if this worker's log repeats it.",
    retryable: true,
  });
}
