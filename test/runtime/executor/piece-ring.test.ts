/** The ring of what was printed, against a list that keeps everything. */
import { describe, expect, test } from "bun:test";
import {
  createPieceRing,
  type PieceRingMemory,
  type RingPieces,
  readPieces,
} from "../../../src/runtime/executor/piece-ring.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { openCellPair } from "./cell.ts";

const memory = (bytes: number, pieces: number): PieceRingMemory => ({
  bytes: new Uint8Array(bytes),
  tags: new Uint32Array(pieces),
  lengths: new Uint32Array(pieces),
  times: new Float64Array(pieces),
  state: new Float64Array(4),
});

const textOf = ({ data }: RingPieces): string => Buffer.from(data).toString("latin1");

describe("a ring of pieces", () => {
  test("holds the end of all that was pushed, and says where that begins", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = createRandom(seed);
      const ring = createPieceRing(memory(64, 8));
      let all = "";
      let taken = 0;
      for (let step = 0; step < 200; step++) {
        const length = random.below(random.below(10) === 0 ? 150 : 20);
        const text = String.fromCharCode(97 + (step % 26)).repeat(length);
        if (random.below(2) === 0) ring.pushText(step % 3, step, text);
        else ring.push(step % 3, step, Buffer.from(text));
        all += text;
        if (random.below(4) > 0) continue;
        const pieces = ring.take();
        expect(textOf(pieces)).toBe(all.slice(pieces.startByte));
        expect(pieces.startByte).toBeGreaterThanOrEqual(taken);
        expect(pieces.lengths.reduce((sum, bytes) => sum + bytes, 0)).toBe(pieces.data.length);
        taken = all.length;
      }
      expect(ring.waitingBytes).toBeLessThanOrEqual(64);
    }
  });

  test("joins what was printed with the same tag in the same millisecond, and nothing else", () => {
    const ring = createPieceRing(memory(64, 8));
    for (const [tag, atMs] of [
      [1, 5.2],
      [1, 5.9],
      [2, 5.9],
      [1, 6],
    ] as const)
      ring.pushText(tag, atMs, "ab");
    const { tags, lengths } = ring.take();
    expect([[...tags], [...lengths]]).toEqual([
      [1, 2, 1],
      [4, 2, 2],
    ]);
  });

  test("keeps the end of a text longer than itself, whatever its letters take", () => {
    const ring = createPieceRing(memory(16, 8));
    ring.pushText(1, 0, "before");
    ring.pushText(1, 1, `${"ä".repeat(20)}end`);
    const pieces = ring.take();
    expect(Buffer.from(pieces.data).toString("utf8")).toEndWith("äend");
    expect(pieces.startByte + pieces.data.length).toBe(6 + 43);
  });

  test("is read by another process as it was left, and not while it is torn", () => {
    const [executor, worker] = openCellPair();
    const ring = createPieceRing(executor.log);
    ring.pushText(9, 1, "one\n");
    ring.pushText(10, 2, "two\n");
    const found = readPieces(worker.log);
    expect(found && [textOf(found), [...found.tags]]).toEqual(["one\ntwo\n", [9, 10]]);
    executor.log.lengths[0] = 3;
    expect(readPieces(worker.log)).toBeNull();
    executor.log.state.fill(Number.NaN);
    expect(readPieces(worker.log)).toBeNull();
  });
});
