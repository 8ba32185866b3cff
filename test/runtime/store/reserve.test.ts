/** The reserve: real blocks that are there when the disk is full. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStoreSpace, type StoreSpace } from "../../../src/runtime/store/reserve.ts";

const MIB = 1024 ** 2;
let folder = "";
let reserve = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-reserve-"));
  reserve = join(folder, "reserve");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Until it is whole, or there is no room. */
function restore(space: StoreSpace): boolean {
  for (;;) {
    const room = space.restoreReserve();
    if (room !== "more") return room;
  }
}

test("takes real blocks of its disk, for this account alone", () => {
  const space = createStoreSpace({ folder, reserve });
  expect(restore(space)).toBe(true);
  const { size, blocks, mode } = statSync(reserve);
  expect(size).toBe(32 * MIB);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  expect(mode & 0o777).toBe(0o600);
  expect(space.freeBytes()).toBeGreaterThan(0);
});

test("is given up once and made again", () => {
  const space = createStoreSpace({ folder, reserve });
  expect(space.releaseReserve()).toBe(false);
  restore(space);
  expect(space.releaseReserve()).toBe(true);
  expect(existsSync(reserve)).toBe(false);
  expect(space.releaseReserve()).toBe(false);
  expect(restore(space)).toBe(true);
  expect(statSync(reserve).size).toBe(32 * MIB);
});

test("one with holes, as a copy may have, counts as none", () => {
  closeSync(openSync(reserve, "w"));
  truncateSync(reserve, 32 * MIB);
  const space = createStoreSpace({ folder, reserve });
  expect(space.releaseReserve()).toBe(false);
  expect(restore(space)).toBe(true);
  expect(statSync(reserve).blocks * 512).toBeGreaterThanOrEqual(32 * MIB);
});

test("a folder that is gone is no full disk", () => {
  const gone = join(folder, "gone");
  const space = createStoreSpace({ folder, reserve: join(gone, "reserve") });
  expect(() => restore(space)).toThrow("failed to put");
});

test("is made in pieces, of which the first answer writes none and the end leaves none", () => {
  const space = createStoreSpace({ folder, reserve });
  expect(space.restoreReserve()).toBe("more");
  expect(readdirSync(folder)).toEqual([]);
  expect(space.restoreReserve()).toBe("more");
  expect(readdirSync(folder)).toEqual(["reserve.new"]);
  expect(statSync(`${reserve}.new`).size).toBeLessThanOrEqual(MIB);
  space.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("one in the making is given up too, and what a crash left of one is taken away", () => {
  const space = createStoreSpace({ folder, reserve });
  for (let call = 0; call < 3; call++) space.restoreReserve();
  expect(space.releaseReserve()).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(`${reserve}.new`, "half");
  expect(restore(space)).toBe(true);
  expect(readdirSync(folder)).toEqual(["reserve"]);
});

test("a start on a disk at its brim makes a reserve once there is room", () => {
  let free = 900 * 1024;
  const space = createStoreSpace({ folder, reserve }, () => free);
  expect(restore(space)).toBe(false);
  free = 1024 * MIB;
  expect(restore(space)).toBe(true);
  expect(statSync(reserve).size).toBe(32 * MIB);
});

test("a small reserve on a disk at its brim is no room", () => {
  let free = 8 * MIB;
  const space = createStoreSpace({ folder, reserve }, () => free);
  expect(restore(space)).toBe(true);
  expect(statSync(reserve).size).toBe(2 * MIB);
  free = 2 * MIB - 1;
  expect(restore(space)).toBe(false);
});

test("gives room back that somebody else takes while it is made", () => {
  let free = 100 * MIB;
  const space = createStoreSpace({ folder, reserve }, () => free);
  for (let call = 0; call < 4; call++) expect(space.restoreReserve()).toBe("more");
  free = 10 * MIB;
  expect(space.restoreReserve()).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
