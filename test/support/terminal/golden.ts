/**
 * Pictures that were looked at and found right, kept beside the tests. `CC_UPDATE_GOLDENS=1 bun test FILE` writes
 * them anew; look at the difference before it is committed.
 */
import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const IS_UPDATING = process.env["CC_UPDATE_GOLDENS"] === "1";

/** Fails with both pictures where they differ, or where there is none yet. */
export function expectGolden(path: string, picture: string): void {
  if (IS_UPDATING) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, picture);
    return;
  }
  if (!existsSync(path))
    throw new Error(`there is no picture ${path}; this one is new:\n${picture}`);
  expect(picture).toBe(readFileSync(path, "utf8"));
}
