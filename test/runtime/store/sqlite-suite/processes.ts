/** One writer a folder, and what a killed one leaves. */
import assert from "node:assert/strict";
import { forgetUrl, noteUrl } from "../../../../src/runtime/store/folder.ts";
import { JOB1 } from "../builders.ts";
import type { FolderSuite } from "../sqlite-suite.ts";
import { openReader, openStore } from "../sqlite-world.ts";
import { startStoreChild } from "../store-child.ts";

export function suiteOfProcesses(suite: FolderSuite): void {
  suite("a second foreman on a folder is told which one runs there", async (folder) => {
    const store = await openStore(folder);
    noteUrl(folder, "ws://127.0.0.1:9123");
    const child = startStoreChild("hold", folder);
    const answer = await child.next();
    await child.end();
    assert.equal(answer?.["code"], "already_running");
    assert.equal(answer?.["exitCode"], 75);
    assert.match(String(answer?.["message"]), /ws:\/\/127\.0\.0\.1:9123/);
    assert.ok(String(answer?.["message"]).includes(folder));
    forgetUrl(folder);
    // The refused one disturbed nothing.
    assert.equal(await store.commit([]), "ok");
    await store.close();
  });

  suite("a second store in the same process is refused too", async (folder) => {
    const store = await openStore(folder);
    await assert.rejects(openStore(folder), { code: "already_running", exitCode: 75 });
    await assert.rejects(openStore(folder), { code: "already_running" });
    await store.close();
    const next = await openStore(folder);
    assert.equal(next.identity.epoch, store.identity.epoch + 1);
    await next.close();
  });

  suite("a killed foreman's lock is free at once", async (folder) => {
    const child = startStoreChild("hold", folder);
    assert.deepEqual(await child.next(), { opened: 1 });
    await assert.rejects(openStore(folder), { code: "already_running" });
    await child.kill("SIGKILL");
    const store = await openStore(folder);
    assert.equal(store.identity.epoch, 2);
    await store.close();
  });

  suite("what was committed before kill -9 is there afterwards, whole groups only", async (folder) => {
    for (let round = 0; round < 3; round++) {
      const place = `${folder}-${round}`;
      const child = startStoreChild("write", place);
      await child.next();
      let committed = 0;
      while (committed < 40 + round * 17) committed = Number((await child.next())?.["committed"]);
      await child.kill("SIGKILL");

      // A reader must cope with the log that nobody has recovered yet.
      const reader = await openReader(place);
      const seen = await reader.readJob(JOB1);
      await reader.close();
      const store = await openStore(place);
      const job = await store.readStoredJob(JOB1);
      const events = await store.readEvents({
        jobId: null,
        workerId: null,
        afterSeq: 0,
        limit: 1e6,
      });
      await store.close();

      const settledCount = job?.fold.status.reduce((sum, status) => sum + status, 0) ?? 0;
      assert.ok(settledCount >= committed, `${settledCount} of at least ${committed}`);
      assert.equal(job?.facts.completed, settledCount);
      assert.equal(events.length, settledCount);
      assert.equal(seen?.completed, settledCount);
    }
  });
}
