import { describe, expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claimRow,
  closeBatch,
  createCellFile,
  finishRows,
  isSkipped,
  mapCell,
  noteRowStart,
  resetBatchSlot,
  runningRow,
  skipRow,
  startedCount,
} from "../../../src/runtime/executor/shared-cell.ts";
import { openCellPair } from "./cell.ts";

describe("a shared cell", () => {
  test("is a file of this account alone that must be new", () => {
    const path = join(tmpdir(), `cc-cell-${process.pid}`);
    createCellFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => createCellFile(path)).toThrow("EEXIST");
    rmSync(path);
  });

  test("shows the other side which row runs, and since when", () => {
    const [executor, worker] = openCellPair();
    expect(runningRow(worker, 0)).toBeNull();
    noteRowStart(executor, 12.5);
    expect(claimRow(executor, 0, 0)).toBe(true);
    expect(runningRow(worker, 0)).toEqual({ row: 0, startedAtMs: 12.5 });
    expect(runningRow(worker, 1)).toBeNull();
    finishRows(executor, 0, 1);
    expect(runningRow(worker, 0)).toBeNull();
  });

  test("lets no row start once the batch is closed, and says how many had", () => {
    const [executor, worker] = openCellPair();
    expect([0, 1].map((row) => claimRow(executor, 0, row))).toEqual([true, true]);
    expect(closeBatch(worker, 0)).toBe(2);
    expect(closeBatch(worker, 0)).toBe(2);
    expect(claimRow(executor, 0, 2)).toBe(false);
    expect(startedCount(worker, 0)).toBe(2);
    expect(runningRow(worker, 0)?.row).toBe(1);
  });

  test("tells for each cancelled row whether it had started", () => {
    const [executor, worker] = openCellPair();
    claimRow(executor, 1, 0);
    expect([0, 1, 5].map((row) => skipRow(worker, 1, row))).toEqual([false, true, true]);
    expect([1, 2, 5].map((row) => isSkipped(executor, 1, row))).toEqual([true, false, true]);
    expect(isSkipped(executor, 0, 1)).toBe(false);
  });

  test("forgets everything about a slot for the next batch", () => {
    const [executor, worker] = openCellPair();
    claimRow(executor, 0, 0);
    skipRow(worker, 0, 3);
    closeBatch(worker, 0);
    resetBatchSlot(worker, 0);
    expect([startedCount(worker, 0), isSkipped(executor, 0, 3)]).toEqual([0, false]);
    expect(claimRow(executor, 0, 0)).toBe(true);
  });

  test("never lets a row be both started and recalled, whoever is faster", async () => {
    const path = join(tmpdir(), `cc-cell-race-${process.pid}`);
    createCellFile(path);
    const cell = mapCell(path);
    const script = `
      import { claimRow, mapCell } from ${JSON.stringify(join(import.meta.dir, "../../../src/runtime/executor/shared-cell.ts"))};
      const cell = mapCell(${JSON.stringify(path)});
      for await (const _ of Bun.stdin.stream()) {
        let row = 0;
        while (claimRow(cell, 0, row)) row++;
        process.stdout.write(row + "\\n");
      }`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
    const reader = child.stdout.getReader();
    for (let round = 0; round < 200; round++) {
      resetBatchSlot(cell, 0);
      child.stdin.write("go\n");
      await child.stdin.flush();
      while (startedCount(cell, 0) < round) await Bun.sleep(0);
      const recalledFrom = closeBatch(cell, 0);
      const { value } = await reader.read();
      expect(Number(new TextDecoder().decode(value))).toBe(recalledFrom);
    }
    await child.stdin.end();
    await child.exited;
    rmSync(path);
  });
});
