/** Bundles: named by their content, whole or not there, gone with the last job that names them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { asJobId } from "../../../../src/runtime/protocol/ids.ts";
import { BLOB_CHUNK_BYTES } from "../../../../src/runtime/protocol/limits.ts";
import type { Change } from "../../../../src/runtime/scheduler/foreman/changes.ts";
import type { Store } from "../../../../src/runtime/store/store.ts";
import { commandSpec, functionSpec, jobFacts, NOW_MS, reclaimLimits } from "../builders.ts";
import type { Suite } from "./suite.ts";

function bundleOf(byteCount: number) {
  const bytes = Uint8Array.from({ length: byteCount }, (_, i) => (i * 31) % 251);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

const created = (jobId: number, sha256: string): Change => ({
  type: "jobCreated",
  facts: jobFacts(jobId, { spec: functionSpec(sha256) }),
});

const removed = (jobId: number): Change => ({ type: "jobRemoved", jobId: asJobId(jobId) });

const put = (store: Store, bundle: ReturnType<typeof bundleOf>) =>
  store.putBlob({ ...bundle, kind: "bundle", atMs: NOW_MS });

/** Frees everything that is to be freed. */
async function reclaimAll(store: Store): Promise<void> {
  while ((await store.reclaim(reclaimLimits())) === "more");
}

export function suiteOfBlobs(suite: Suite): void {
  suite("a bundle of several chunks reads back whole after a restart", async (store, restart) => {
    const bundle = bundleOf(BLOB_CHUNK_BYTES * 5 + 17);
    assert.equal(await store.hasBlob(bundle.sha256), false);
    assert.equal(await put(store, bundle), "ok");
    assert.equal(await put(store, bundle), "ok");
    const reopened = await restart();
    assert.equal(await reopened.hasBlob(bundle.sha256), true);
    assert.deepEqual(await reopened.readBlob(bundle.sha256), bundle.bytes);
  });

  suite("bytes that do not match their name are refused", async (store) => {
    const bundle = bundleOf(100);
    const { sha256 } = bundleOf(101);
    await assert.rejects(put(store, { ...bundle, sha256 }), { code: "bundle_mismatch" });
    assert.equal(await store.readBlob(sha256), null);
  });

  suite("a bundle goes with the last job that names it", async (store) => {
    const bundle = bundleOf(1_000);
    await put(store, bundle);
    await store.commit([created(1, bundle.sha256), created(2, bundle.sha256)]);
    await store.commit([removed(1)]);
    await reclaimAll(store);
    assert.deepEqual(await store.readBlob(bundle.sha256), bundle.bytes);
    await store.commit([removed(2)]);
    await reclaimAll(store);
    assert.equal(await store.readBlob(bundle.sha256), null);
  });

  suite("a job that changed its code no longer holds the old bundle", async (store) => {
    const [before, after] = [bundleOf(1_000), bundleOf(1_001)];
    await put(store, before);
    await put(store, after);
    await store.commit([created(1, before.sha256), created(2, before.sha256)]);
    const facts = jobFacts(1, { spec: functionSpec(after.sha256), specVersion: 2 });
    await store.commit([{ type: "jobChanged", facts }]);
    await store.commit([removed(2)]);
    await reclaimAll(store);
    assert.equal(await store.readBlob(before.sha256), null);
    await store.commit([removed(1)]);
    await reclaimAll(store);
    assert.equal(await store.readBlob(after.sha256), null);
  });

  suite("a bundle promised to a submitter outlives the other jobs that name it", async (store) => {
    const bundle = bundleOf(1_000);
    await put(store, bundle);
    await store.commit([created(1, bundle.sha256)]);
    assert.equal(await store.hasBlob(bundle.sha256), true);
    await store.commit([removed(1)]);
    await reclaimAll(store);
    assert.deepEqual(await store.readBlob(bundle.sha256), bundle.bytes);
    await store.commit([created(2, bundle.sha256)]);
    await store.commit([removed(2)]);
    await reclaimAll(store);
    assert.equal(await store.readBlob(bundle.sha256), null);
  });

  suite("a promise holds when the group that would redeem it fails", async (store) => {
    const bundle = bundleOf(1_000);
    await put(store, bundle);
    await store.commit([created(1, bundle.sha256)]);
    await store.hasBlob(bundle.sha256);
    const doomed = [created(2, bundle.sha256), created(2, bundle.sha256)];
    await assert.rejects(store.commit(doomed));
    assert.equal(await store.hasBlob(bundle.sha256), true);
    const plain = { type: "jobCreated", facts: jobFacts(3, { spec: commandSpec() }) } as const;
    await assert.rejects(store.commit([plain, plain]));
    assert.deepEqual(await store.readBlob(bundle.sha256), bundle.bytes);
  });
}
