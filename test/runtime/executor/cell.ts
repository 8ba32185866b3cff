/** A shared cell for tests, and a second mapping of it as the other side would have. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createCellFile,
  mapCell,
  type SharedCell,
} from "../../../src/runtime/executor/shared-cell.ts";

export function openCellPair(): readonly [SharedCell, SharedCell] {
  const path = join(tmpdir(), `cc-cell-${process.pid}-${Math.random()}`);
  createCellFile(path);
  const pair = [mapCell(path), mapCell(path)] as const;
  rmSync(path);
  return pair;
}
