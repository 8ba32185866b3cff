/** The cache of code on disk, and transfers from a foreman that is played by the test. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import { BUNDLE_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { MessageOf } from "../../../../src/runtime/protocol/messages.ts";
import { createBundleCache, hashOf } from "../../../../src/runtime/worker/code/bundle-cache.ts";
import { bundleRefusal, createBundles } from "../../../../src/runtime/worker/code/bundles.ts";

let cacheFolder = "";
beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), "cc-bundles-"));
});
afterEach(() => rmSync(cacheFolder, { recursive: true, force: true }));

const code = (text: string): { bytes: Uint8Array; sha256: string } => {
  const bytes = new TextEncoder().encode(text);
  return { bytes, sha256: hashOf(bytes) };
};

describe("the cache", () => {
  const open = (bytesMax = 1e9, clock = createManualClock()) =>
    createBundleCache({ cacheFolder, bytesMax, clock });

  test("keeps a read-only file named by its hash and finds it again", async () => {
    const cache = open();
    const { bytes, sha256 } = code("a");
    expect(await cache.find(sha256)).toBeNull();
    const path = await cache.keep(sha256, bytes);
    expect(basename(path)).toBe(`${sha256}.mjs`);
    expect(statSync(path).mode & 0o777).toBe(0o444);
    expect(await cache.find(sha256)).toBe(path);
    expect(readFileSync(path, "utf8")).toBe("a");
  });

  test("a file that has not its name's hash is removed and not handed out", async () => {
    const cache = open();
    const { bytes, sha256 } = code("a");
    const path = await cache.keep(sha256, bytes);
    chmodSync(path, 0o600);
    writeFileSync(path, "b");
    expect(await cache.find(sha256)).toBeNull();
    expect(readdirSync(join(cacheFolder, "bundles"))).toEqual([]);
  });

  test("over its size the least recently used go, never the newest", async () => {
    const clock = createManualClock();
    const cache = open(100, clock);
    const [a, b, c] = ["a", "b", "c"].map((letter) => code(letter.repeat(40)));
    if (!a || !b || !c) throw new Error("three");
    for (const { bytes, sha256 } of [a, b]) {
      clock.advance(1_000);
      await cache.keep(sha256, bytes);
    }
    clock.advance(1_000);
    await cache.find(a.sha256);
    clock.advance(1_000);
    await cache.keep(c.sha256, c.bytes);
    expect(await cache.find(b.sha256)).toBeNull();
    expect(await cache.find(a.sha256)).not.toBeNull();
    const large = code("d".repeat(500));
    clock.advance(1_000);
    await cache.keep(large.sha256, large.bytes);
    expect(readdirSync(join(cacheFolder, "bundles"))).toEqual([`${large.sha256}.mjs`]);
  });

  test("a folder that cannot be written is worker_storage", async () => {
    writeFileSync(join(cacheFolder, "bundles"), "in the way");
    const { bytes, sha256 } = code("a");
    const error = await open()
      .keep(sha256, bytes)
      .catch((thrown: unknown) => thrown);
    expect(bundleRefusal(error)).toBe("worker_storage");
  });
});

describe("transfers", () => {
  const setUp = () => {
    const asked: MessageOf<"blob_need">[] = [];
    const cache = createBundleCache({ cacheFolder, bytesMax: 1e9, clock: createManualClock() });
    const bundles = createBundles(cache);
    const nextAsked = async (count: number) => {
      while (asked.length < count) await new Promise((resolve) => setImmediate(resolve));
      return asked[count - 1] as MessageOf<"blob_need">;
    };
    return { asked, bundles, nextAsked, connect: () => bundles.onConnected((m) => asked.push(m)) };
  };

  test("several who need the same code share one, and chunks come together", async () => {
    const { asked, bundles, nextAsked, connect } = setUp();
    connect();
    const { bytes, sha256 } = code("export default 1");
    const both = Promise.all([bundles.ensure(sha256), bundles.ensure(sha256)]);
    const { request } = await nextAsked(1);
    const chunk = { type: "blob_chunk", request, sha256 } as const;
    bundles.onChunk({ ...chunk, number: 0, data: bytes.subarray(0, 5) });
    bundles.onChunk({ ...chunk, number: 1, data: bytes.subarray(5) });
    bundles.onDone({ type: "blob_done", request, sha256 });
    const [one, other] = await both;
    expect(one).toBe(other);
    expect(readFileSync(one, "utf8")).toBe("export default 1");
    expect(asked).toHaveLength(1);
  });

  test("what arrives broken is asked for once more, then given up", async () => {
    const { asked, bundles, nextAsked, connect } = setUp();
    connect();
    const { sha256 } = code("good");
    const failed = bundles.ensure(sha256).catch((thrown: unknown) => bundleRefusal(thrown));
    for (let tries = 1; tries <= 2; tries++) {
      const { request } = await nextAsked(tries);
      const data = new TextEncoder().encode("evil");
      bundles.onChunk({ type: "blob_chunk", request, sha256, number: 0, data });
      bundles.onDone({ type: "blob_done", request, sha256 });
    }
    expect(await failed).toBe("bundle_failed");
    expect(asked).toHaveLength(2);
  });

  test("a lost connection begins again, and late chunks of the old one are ignored", async () => {
    const { bundles, nextAsked, connect } = setUp();
    connect();
    const { bytes, sha256 } = code("text");
    const path = bundles.ensure(sha256);
    const first = await nextAsked(1);
    bundles.onChunk({ type: "blob_chunk", request: first.request, sha256, number: 0, data: bytes });
    bundles.onDisconnected();
    connect();
    const second = await nextAsked(2);
    expect(second.request).not.toBe(first.request);
    bundles.onChunk({ type: "blob_chunk", request: first.request, sha256, number: 0, data: bytes });
    bundles.onChunk({
      type: "blob_chunk",
      request: second.request,
      sha256,
      number: 0,
      data: bytes,
    });
    bundles.onDone({ type: "blob_done", request: second.request, sha256 });
    expect(readFileSync(await path, "utf8")).toBe("text");
  });

  test("without a connection it waits for one; the end of the worker ends the wait", async () => {
    const { asked, bundles } = setUp();
    const failed = bundles
      .ensure(code("x").sha256)
      .catch((thrown: unknown) => bundleRefusal(thrown));
    bundles.close();
    expect(await failed).toBe("bundle_failed");
    expect(asked).toEqual([]);
  });

  test("more than a bundle may have is refused while it arrives", async () => {
    const { bundles, nextAsked, connect } = setUp();
    connect();
    const { sha256 } = code("x");
    const failed = bundles.ensure(sha256).catch((thrown: unknown) => bundleRefusal(thrown));
    const { request } = await nextAsked(1);
    const data = new Uint8Array(BUNDLE_BYTES_MAX / 4 + 1);
    for (let number = 0; number < 4; number++) {
      bundles.onChunk({ type: "blob_chunk", request, sha256, number, data });
    }
    expect(await failed).toBe("bundle_failed");
  });
});
