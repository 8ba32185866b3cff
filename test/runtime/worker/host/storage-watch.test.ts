/** The look at the disk that tasks need: what is trouble, when it is news, and when it is over. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createManualClock } from "../../../../src/runtime/platform/clock.ts";
import {
  type StorageWatch,
  watchStorage,
} from "../../../../src/runtime/worker/host/storage-watch.ts";

let folder = "";
let watch: StorageWatch;
let news: (string | null)[] = [];
let clock = createManualClock();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-storage-"));
  news = [];
  clock = createManualClock();
  watch = watchStorage({
    folder,
    clock,
    intervalMs: 2_000,
    onTrouble: (trouble) => void news.push(trouble),
  });
});
afterEach(() => {
  watch.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a healthy disk is no news and is never written to", () => {
  clock.advance(10_000);
  expect(news).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that is gone is trouble until it is there again", () => {
  rmSync(folder, { recursive: true });
  clock.advance(2_000);
  clock.advance(2_000);
  expect(news).toEqual([`${folder} is gone`]);
  mkdirSync(folder);
  clock.advance(2_000);
  expect(news).toEqual([`${folder} is gone`, null]);
});

test("after a fault it tries to write, and goes on trying until it can", () => {
  // What stands where the probe is written cannot be removed as a file.
  mkdirSync(join(folder, "probe", "in-the-way"), { recursive: true });
  watch.check();
  clock.advance(2_000);
  expect(news).toEqual([`${folder} cannot be written (ERR_FS_EISDIR)`]);
  rmSync(join(folder, "probe"), { recursive: true });
  clock.advance(2_000);
  expect(news).toEqual([`${folder} cannot be written (ERR_FS_EISDIR)`, null]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a fault that does not come again is no news", () => {
  watch.check();
  expect(news).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
