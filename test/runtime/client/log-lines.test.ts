/** Lines out of pieces: joined where they were cut, apart where tasks were mixed, bounded always. */
import { describe, expect, test } from "bun:test";
import { createLineJoiner, type LogPiece } from "../../../src/runtime/client/log-lines.ts";
import { readLogPage } from "../../../src/runtime/client/read-logs.ts";
import { createRandom } from "../../support/fuzz/random.ts";

const piece = (text: string, overrides: Partial<LogPiece> = {}): LogPiece => ({
  index: 0,
  attempt: 1,
  stream: "stdout",
  atMs: 1,
  bytes: Buffer.from(text),
  ...overrides,
});

function join(pieces: readonly LogPiece[]): string[] {
  const joiner = createLineJoiner();
  const lines = pieces.flatMap((one) => joiner.push(one));
  return [...lines, ...joiner.finish()].map(
    ({ index, stream, bytes, isWhole }) =>
      `${index} ${stream} ${Buffer.from(bytes).toString()}${isWhole ? "" : " …"}`,
  );
}

describe("lines of logs", () => {
  test("are joined over pieces, each task's and stream's for themselves", () => {
    const pieces = [
      piece("one\ntw"),
      piece("other\nhal", { index: 1 }),
      piece("o\r\n"),
      piece("err", { stream: "stderr" }),
      piece("f\n", { index: 1 }),
    ];
    expect(join(pieces)).toEqual([
      "0 stdout one",
      "1 stdout other",
      "0 stdout two",
      "1 stdout half",
      "0 stderr err …",
    ]);
  });

  test("are the same however the text was cut", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = createRandom(seed);
      const lines = Array.from({ length: 30 }, (_, i) => `${"ä".repeat(random.below(20))}${i}`);
      const all = Buffer.from(`${lines.join("\n")}\n`);
      const pieces: LogPiece[] = [];
      for (let at = 0; at < all.length; ) {
        const to = Math.min(all.length, at + 1 + random.below(40));
        pieces.push({ ...piece(""), bytes: all.subarray(at, to) });
        at = to;
      }
      expect(join(pieces)).toEqual(lines.map((line) => `0 stdout ${line}`));
    }
  });

  test("end where bytes are missing, and a sentence says how many", () => {
    expect(join([piece("hal"), piece("1234567", { stream: "gap" }), piece("rest\n")])).toEqual([
      "0 stdout hal …",
      "0 gap … 1,234,567 bytes dropped",
      "0 stdout rest",
    ]);
  });

  test("that never end are cut, and no more than some of them are kept", () => {
    const joiner = createLineJoiner();
    const chunk = Buffer.alloc(64 * 1024, "x");
    let out = 0;
    for (let i = 0; i < 1_000; i++) {
      for (const line of joiner.push({ ...piece(""), index: i % 50, bytes: chunk })) {
        out += line.bytes.byteLength;
      }
    }
    const kept = joiner.finish().reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    expect(out + kept).toBe(1_000 * chunk.byteLength);
    expect(kept).toBeLessThanOrEqual(9 * 1024 * 1024);
  });
});

test("a page has what a monitor shows: lines, cursors and how much there is", async () => {
  const data = Buffer.from("one\ntwo\n12");
  const answer = {
    type: "logs",
    request: 1,
    job_id: 3,
    first_cursor: 10,
    next_cursor: 20,
    at_start: true,
    at_end: false,
    finished: false,
    total_bytes: 100,
    dropped_bytes: 12,
    count: 2,
    index: 4,
    attempt: 1,
    stream: Uint32Array.of(2, 3),
    base_ms: 1_000,
    after_ms: Uint32Array.of(0, 5),
    length: Uint32Array.of(8, 2),
    data,
  };
  const asked: unknown[] = [];
  const connection = {
    request: (message: unknown) => {
      asked.push(message);
      return Promise.resolve(answer);
    },
  } as unknown as Parameters<typeof readLogPage>[0];
  const page = await readLogPage(connection, {
    jobId: 3,
    index: 4,
    attempt: 0,
    failed: true,
    direction: "backward",
    cursor: 30,
    bytesMax: 99,
    wait: false,
  });
  expect(asked).toEqual([
    {
      type: "read_logs",
      job_id: 3,
      index: 4,
      attempt: 0,
      failed: true,
      direction: "backward",
      cursor: 30,
      bytes_max: 99,
      wait: false,
    },
  ]);
  expect(page).toEqual({
    lines: [
      { index: 4, attempt: 1, stream: "log", atMs: 1_000, text: "one" },
      { index: 4, attempt: 1, stream: "log", atMs: 1_000, text: "two" },
      { index: 4, attempt: 1, stream: "gap", atMs: 1_005, text: "… 12 bytes dropped" },
    ],
    firstCursor: 10,
    nextCursor: 20,
    atStart: true,
    atEnd: false,
    finished: false,
    totalBytes: 100,
    droppedBytes: 12,
  });
});
