/** The reserve: real blocks that are there when the disk is full. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStoreSpace } from "../../../src/runtime/store/reserve.ts";

const MIB = 1024 ** 2;
let folder = "";
let reserve = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-reserve-"));
  reserve = join(folder, "reserve");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("takes real blocks of its disk, for this account alone", () => {
  const space = createStoreSpace({ folder, reserve });
  expect(space.restoreReserve()).toBe(true);
  const { size, blocks, mode } = statSync(reserve);
  expect(size).toBe(32 * MIB);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  expect(mode & 0o777).toBe(0o600);
  expect(space.freeBytes()).toBeGreaterThan(0);
});

test("is given up once and made again", () => {
  const space = createStoreSpace({ folder, reserve });
  expect(space.releaseReserve()).toBe(false);
  space.restoreReserve();
  expect(space.releaseReserve()).toBe(true);
  expect(existsSync(reserve)).toBe(false);
  expect(space.releaseReserve()).toBe(false);
  expect(space.restoreReserve()).toBe(true);
  expect(statSync(reserve).size).toBe(32 * MIB);
});

test("one with holes, as a copy may have, counts as none", () => {
  closeSync(openSync(reserve, "w"));
  truncateSync(reserve, 32 * MIB);
  const space = createStoreSpace({ folder, reserve });
  expect(space.releaseReserve()).toBe(false);
  expect(space.restoreReserve()).toBe(true);
  expect(statSync(reserve).blocks * 512).toBeGreaterThanOrEqual(32 * MIB);
});

test("a folder that is gone is no full disk", () => {
  const gone = join(folder, "gone");
  const space = createStoreSpace({ folder, reserve: join(gone, "reserve") });
  expect(() => space.restoreReserve()).toThrow("failed to put");
});
