import { describe, expect, test } from "bun:test";
import { beginConsole, readConsole } from "../../../src/runtime/executor/console-ring.ts";
import { createPieceRing } from "../../../src/runtime/executor/piece-ring.ts";
import type { SharedCell } from "../../../src/runtime/executor/shared-cell.ts";
import { KEPT_OUTPUT_BYTES } from "../../../src/runtime/protocol/limits.ts";
import { openCellPair } from "./cell.ts";

const writeConsole = ({ log }: SharedCell, text: string): void =>
  createPieceRing(log).push(2, 0, Buffer.from(text));

describe("the kept console", () => {
  test("is what this attempt has printed, and nothing of the one before", () => {
    const [executor, worker] = openCellPair();
    expect(readConsole(worker)).toBe("");
    writeConsole(executor, "before\n");
    beginConsole(executor);
    expect(readConsole(worker)).toBe("");
    writeConsole(executor, "one\n");
    writeConsole(executor, "zwölf\n");
    expect(readConsole(worker)).toBe("one\nzwölf\n");
  });

  test("is its last part, with the number of bytes that are missing", () => {
    const [executor, worker] = openCellPair();
    beginConsole(executor);
    for (let i = 0; i < 10_000; i++) writeConsole(executor, `${i}`.padStart(9, "0"));
    const dropped = 90_000 - KEPT_OUTPUT_BYTES;
    const printed = readConsole(worker);
    expect(printed).toStartWith(`… ${dropped} bytes before this were dropped\n`);
    expect(printed).toEndWith("000009998000009999");
    expect(printed.length).toBe(
      KEPT_OUTPUT_BYTES + `… ${dropped} bytes before this were dropped\n`.length,
    );
  });

  test("keeps the end of a single text that is larger than all it keeps", () => {
    const [executor, worker] = openCellPair();
    beginConsole(executor);
    writeConsole(executor, `${"x".repeat(3 * KEPT_OUTPUT_BYTES)}end`);
    const printed = readConsole(worker);
    expect(printed).toStartWith(`… ${2 * KEPT_OUTPUT_BYTES + 3} bytes`);
    expect(printed).toEndWith("xxxend");
  });
});
