/** Rows made of what workers send: against what was printed, under repetitions, gaps, floods and restarts. */
import { beforeEach, describe, expect, test } from "bun:test";
import {
  type ClosedRow,
  createLogGatherer,
  type LogGatherer,
} from "../../../../src/runtime/foreman/logs/log-gatherer.ts";
import { LOG_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { LogStore } from "../../../../src/runtime/store/logs/log-store.ts";
import { openLogsInMemory } from "../../../../src/runtime/store/logs/open-logs.ts";
import { createRandom } from "../../../support/fuzz/random.ts";
import { type PrintedPart, taskLog } from "./log-messages.ts";

const JOB = { assignment: 2 ** 32 + 1, job_id: 1 };
const MIB = 1024 * 1024;

let store: LogStore;
let gatherer: LogGatherer;
let rows: ClosedRow[];

beforeEach(async () => {
  store = await openLogsInMemory();
  start();
});

/** As after a restart: only what was written is known. */
function start(): void {
  let nextSeq = store.nextSeq;
  rows = [];
  gatherer = createLogGatherer({
    store: () => store,
    nowMs: () => 1_000_000,
    onRow(row) {
      const seq = nextSeq++;
      rows.push({ ...row, seq });
      return seq;
    },
  });
}

function write(): void {
  gatherer.closeRows();
  const trims = gatherer.trim();
  store.write({
    rows: rows.map((row) => ({ ...row, arrivedAtMs: 1, byteCount: row.data.byteLength })),
    dropped: trims.flatMap(({ dropped }) => dropped),
    gaps: trims.flatMap(({ gaps }) => gaps),
    jobs: gatherer.changedJobs(),
  });
  rows = [];
}

const take = (parts: readonly PrintedPart[], again = false, keeps = true): void =>
  gatherer.take(taskLog(JOB, 1, parts, again ? { again } : {}), { accepts: () => true, keeps });

/** The attempt's log as it is stored: text, and gaps as `<bytes>`. */
function stored(index: number, attempt = 1): string {
  let text = "";
  const span = { jobId: 1, from: 0, to: Number.MAX_SAFE_INTEGER };
  for (const { seq } of store.places(span, { backward: false, limit: 1e6 })) {
    const row = store.row(seq);
    if (row === null) continue;
    const { columns, data } = row;
    if (row.attempt === attempt && row.firstIndex === index && row.gapBytes > 0) {
      text += `<${row.gapBytes}>`;
    }
    let piece = 0;
    let byte = 0;
    for (let part = 0; part < columns.index.length; part++) {
      for (const end = piece + (columns.pieces[part] ?? 0); piece < end; piece++) {
        const from = byte;
        byte += columns.length[piece] ?? 0;
        if (columns.index[part] !== index || columns.attempt[part] !== attempt) continue;
        text += Buffer.from(data.subarray(from, byte)).toString("latin1");
      }
    }
  }
  return text;
}

describe("rows of logs", () => {
  test("hold each attempt's bytes once and in order, whatever is sent again, over restarts too", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = createRandom(seed);
      const whole = Array.from({ length: 4 }, (_, index) =>
        Array.from({ length: 3_000 }, (_unused, i) =>
          String.fromCharCode(97 + ((i + index) % 26)),
        ).join(""),
      );
      const sent = whole.map(() => 0);
      const index = () => random.below(4);
      for (let step = 0; step < 200; step++) {
        const of = index();
        // Sometimes from further back, as after a lost connection: what is known is skipped.
        const again = random.chance(0.3);
        const from = Math.max(0, (sent[of] ?? 0) - (again ? random.below(100) : 0));
        const to = Math.min(3_000, from + random.below(200));
        const text = whole[of]?.slice(from, to) ?? "";
        const middle = random.below(text.length + 1);
        const pieces = [text.slice(0, middle), text.slice(middle)].filter((one) => one !== "");
        take([{ index: of, firstByte: from, pieces }], again);
        sent[of] = Math.max(sent[of] ?? 0, to);
        if (random.chance(0.2)) write();
        if (random.chance(0.05)) {
          write();
          start();
        }
      }
      write();
      for (const [i, text] of whole.entries()) expect(stored(i)).toBe(text.slice(0, sent[i]));
      store.removeRows(1, 1e6, false);
      start();
    }
  });

  test("tell of bytes that never came, where they are missing", () => {
    take([{ index: 0, pieces: ["head\n"] }]);
    take([{ index: 0, firstByte: 1_000, pieces: ["tail\n"] }]);
    take([{ index: 0, firstByte: 2_000, pieces: [] }]);
    write();
    expect(stored(0)).toBe("head\n<995>tail\n<995>");
    expect(store.job(1)).toEqual({ jobId: 1, byteCount: 10, droppedBytes: 1_990 });
  });

  test("of what there was no room for count it, and the next bytes that are kept tell of it", () => {
    take([{ index: 0, pieces: ["kept\n"] }]);
    take([{ index: 0, firstByte: 5, pieces: ["x".repeat(95)] }], false, false);
    take([{ index: 0, firstByte: 100, pieces: ["again\n"] }]);
    write();
    expect(stored(0)).toBe("kept\n<95>again\n");
    expect(store.job(1)?.droppedBytes).toBe(95);
  });

  test("keep an attempt's head and tail within 8 MiB, and count the middle exactly", () => {
    const line = (i: number): string => `${String(i).padStart(1_023, ".")}\n`;
    const lines = 20 * 1_024;
    for (let i = 0; i < lines; i += 64) {
      const pieces = Array.from({ length: 64 }, (_, k) => line(i + k));
      take([{ index: 0, firstByte: i * 1_024, pieces }]);
      write();
      if (i === 12_800) start();
    }
    write();
    const text = stored(0);
    const gap = /<(\d+)>/.exec(text);
    const kept = text.length - (gap?.[0].length ?? 0);
    expect(kept).toBeLessThanOrEqual(LOG_BYTES_MAX + 256 * 1024);
    expect(kept).toBeGreaterThan(LOG_BYTES_MAX - 256 * 1024);
    expect(kept + Number(gap?.[1])).toBe(lines * 1_024);
    expect(text.match(/</g)?.length).toBe(1);
    expect(text).toStartWith(line(0) + line(1));
    expect(text.slice(0, 4 * MIB)).toEndWith(line(4_095));
    expect(text).toEndWith(line(lines - 1));
    expect(store.job(1)).toEqual({ jobId: 1, byteCount: kept, droppedBytes: Number(gap?.[1]) });
  });

  test("of many short tasks are few", () => {
    for (let i = 0; i < 10_000; i += 100) {
      take(Array.from({ length: 100 }, (_, k) => ({ index: i + k, pieces: [`task ${i + k}\n`] })));
    }
    write();
    const span = { jobId: 1, from: 0, to: Number.MAX_SAFE_INTEGER };
    const places = store.places(span, { backward: false, limit: 1_000 });
    expect(places.length).toBeLessThanOrEqual(4);
    expect(stored(9_999)).toBe("task 9999\n");
  });

  test("cut pieces that are longer than a reader wants at a time", () => {
    take([{ index: 0, pieces: ["x".repeat(200_000)] }]);
    write();
    expect(stored(0).length).toBe(200_000);
    const span = { jobId: 1, from: 0, to: Number.MAX_SAFE_INTEGER };
    for (const { seq } of store.places(span, { backward: false, limit: 100 })) {
      expect(Math.max(...(store.row(seq)?.columns.length ?? [0]))).toBeLessThanOrEqual(32 * 1024);
    }
  });

  test("forget a job with what of it was under way", () => {
    take([{ index: 0, pieces: ["one\n"] }]);
    gatherer.forget(1);
    expect(gatherer.openBytes).toBe(0);
    write();
    expect(stored(0)).toBe("");
  });
});
