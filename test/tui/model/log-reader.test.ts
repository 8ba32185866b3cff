import { describe, expect, test } from "bun:test";
import {
  createLogReader,
  type LogPlace,
  type LogReader,
} from "../../../src/tui/model/log-reader.ts";
import { createLogState } from "../../../src/tui/navigation/initial-view.ts";
import type { LogState } from "../../../src/tui/navigation/view-state.ts";
import { createRandom } from "../../support/fuzz/random.ts";
import { createReplayFeed, type ReplayFeed } from "../../support/monitor/replay-feed.ts";

const ROWS = 10;
const PLACE: LogPlace = { kind: "log", jobId: 17, index: 0, attempt: null };
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => `line ${from + at}`);

interface Reading {
  readonly reader: LogReader;
  readonly replay: ReplayFeed;
  /** Looks at the log in this way from now on. */
  show(changes: Partial<LogState>): void;
  readonly view: LogState;
  texts(): readonly string[];
  readonly hits: (number | null)[];
  /** Resolves when nothing is under way but waiting for what is new. */
  settled(): Promise<void>;
}

function read(replay = createReplayFeed()): Reading {
  const feed = replay.open(() => undefined);
  const hits: (number | null)[] = [];
  let view = createLogState();
  const reader = createLogReader({
    place: PLACE,
    feed,
    onChange: () => reader.show(view, ROWS),
    onHit: (_what, _direction, line) => hits.push(line),
  });
  const reading: Reading = {
    reader,
    replay,
    hits,
    get view() {
      return view;
    },
    show(changes) {
      view = { ...view, ...changes };
      reader.show(view, ROWS);
    },
    texts: () => reader.model().lines.map(({ text }) => text),
    async settled() {
      do await Promise.resolve();
      while (reader.model().isLoading);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      if (reader.model().isLoading) await reading.settled();
    },
  };
  return reading;
}

async function reading(lines: number): Promise<Reading> {
  const log = read();
  log.replay.log.append(...numbered(lines));
  log.show({});
  await log.settled();
  return log;
}

describe("a log that is opened", () => {
  test("shows its end after one page, whatever its length", async () => {
    const log = await reading(5_000);
    expect(log.texts()).toEqual(numbered(ROWS, 4_990));
    const loaded = log.replay.logQueries.filter(({ wait }) => !wait);
    expect(loaded).toHaveLength(1);
    expect(loaded[0]).toMatchObject({ direction: "backward", cursor: null, attempt: 0 });
  });

  test("follows what comes", async () => {
    const log = await reading(50);
    log.replay.log.append("new");
    await log.settled();
    expect(log.texts().at(-1)).toBe("new");
  });

  test("ends when nothing will follow", async () => {
    const log = await reading(5);
    log.replay.log.finish();
    log.replay.log.append("last");
    await log.settled();
    expect(log.reader.model()).toMatchObject({ isFinished: true, atEnd: true });
    const asked = log.replay.logQueries.length;
    log.show({});
    await log.settled();
    expect(log.replay.logQueries).toHaveLength(asked);
  });

  test("tells a fault, and goes on when told to", async () => {
    const replay = createReplayFeed();
    const log = read(replay);
    const { readLog } = replay.open(() => undefined);
    let isDown = true;
    const error = { code: "not_connected", message: "no", hint: null, retryable: true };
    const reader = createLogReader({
      place: PLACE,
      feed: { readLog: (query) => (isDown ? Promise.reject(error) : readLog(query)) },
      onChange: () => undefined,
      onHit: () => undefined,
    });
    replay.log.append("here");
    reader.show(log.view, ROWS);
    await log.settled();
    expect(reader.model().error).toEqual(error);
    isDown = false;
    reader.resume();
    await log.settled();
    expect(reader.model().error).toBeNull();
    expect(reader.model().lines.map(({ text }) => text)).toEqual(["here"]);
  });
});

describe("a log that stands still", () => {
  test("never moves, whatever comes, and counts it", async () => {
    const log = await reading(500);
    const top = log.reader.shown().top;
    log.show({ follows: false, top });
    const before = log.texts();
    for (let round = 0; round < 30; round++) {
      log.replay.log.append(...numbered(10, 1_000 + round * 10));
      await log.settled();
      expect(log.texts()).toEqual(before);
      expect(log.reader.shown().top).toBe(top);
    }
    expect(log.reader.model().newLines).toBe(300);
    log.show({ follows: true });
    await log.settled();
    expect(log.texts().at(-1)).toBe("line 1299");
    expect(log.reader.model().newLines).toBe(0);
  });

  test("reads further up as one scrolls there, and to the start at once", async () => {
    const log = await reading(5_000);
    const top = log.reader.shown().top;
    log.show({ follows: false, top: top - 95 });
    await log.settled();
    expect(log.texts()[0]).toBe("line 4895");
    log.show({ top: Number.MIN_SAFE_INTEGER });
    await log.settled();
    expect(log.texts()).toEqual(numbered(ROWS));
    expect(log.reader.shown().atStart).toBe(true);
    log.show({ follows: true });
    await log.settled();
    expect(log.texts().at(-1)).toBe("line 4999");
  });

  test("holds no more than its bounds while a long log is read through", async () => {
    const log = read();
    log.replay.log.pageLines = 2_000;
    log.replay.log.append(...numbered(60_000));
    log.show({ follows: false, top: Number.MIN_SAFE_INTEGER });
    await log.settled();
    for (let step = 0; step < 140; step++) {
      const { numbers } = log.reader.shown();
      const top = numbers[Math.max(0, numbers.length - ROWS)] ?? 0;
      log.show({ top: Math.max(log.view.top, top) });
      await log.settled();
      expect(log.reader.model().heldLines).toBeLessThanOrEqual(22_000);
    }
    expect(log.texts().at(-1)).toBe("line 59999");
  });

  test("stands still through random reading, filters and news", async () => {
    for (const seed of [1, 2, 3]) {
      const random = createRandom(seed);
      const log = await reading(3_000);
      log.show({ follows: false, top: log.reader.shown().top });
      for (let step = 0; step < 150; step++) {
        const { numbers } = log.reader.shown();
        if (random.chance(0.3)) {
          log.show({ top: numbers[random.below(numbers.length)] ?? log.view.top });
        }
        if (random.chance(0.2)) log.show({ filter: random.pick(["", "7", "!3", "line 1"]) });
        await log.settled();
        const top = log.reader.shown().top;
        const before = log.texts();
        log.show({ top });
        log.replay.log.append(`line 7 of ${step}`);
        await log.settled();
        // Room at the end is filled; nothing that was shown moves.
        expect(log.texts().slice(0, before.length)).toEqual([...before]);
        expect(log.reader.shown().top).toBe(top);
      }
    }
  });
});

describe("a filter", () => {
  test("hides the other lines while following, reading further up until the screen is full", async () => {
    const log = await reading(5_000);
    log.show({ filter: "00" });
    await log.settled();
    expect(log.texts()).toHaveLength(ROWS);
    expect(log.texts().every((text) => text.includes("00"))).toBe(true);
    log.replay.log.append("line 5001", "line 500");
    await log.settled();
    expect(log.texts().at(-1)).toBe("line 500");
  });

  test("hides them while standing still, too, and gives them back", async () => {
    const log = await reading(200);
    log.show({ follows: false, top: log.reader.shown().top });
    const before = log.texts();
    log.show({ filter: "!9" });
    await log.settled();
    expect(log.texts().some((text) => text.includes("9"))).toBe(false);
    log.show({ filter: "" });
    await log.settled();
    expect(log.texts()).toEqual(before);
  });

  test("of streams keeps what is of neither", async () => {
    const log = read();
    const line = { index: 0, attempt: 1, atMs: 0 };
    log.replay.log.add(
      { ...line, stream: "stdout", text: "out" },
      { ...line, stream: "stderr", text: "err" },
      { ...line, stream: "log", text: "logged" },
      { ...line, stream: "gap", text: "12" },
    );
    log.show({ streams: "stdout" });
    await log.settled();
    expect(log.texts()).toEqual(["out", "logged", "12"]);
    log.show({ streams: "stderr" });
    expect(log.texts()).toEqual(["err", "12"]);
  });
});

describe("a search", () => {
  test("counts and finds what is held, and reads on for the rest", async () => {
    const log = await reading(5_000);
    log.show({ search: '"line 4950"' });
    expect(log.reader.model().hits).toBe(1);
    log.show({ search: '"line 17"' });
    const from = log.reader.shown().top;
    log.reader.seek("search", "backward", from);
    await log.settled();
    expect(log.hits).toHaveLength(1);
    const [line] = log.hits;
    expect(line).not.toBeNull();
    log.show({ follows: false, top: line ?? 0, hitAt: line ?? 0 });
    await log.settled();
    // The nearest one above.
    expect(log.texts()[0]).toBe("line 1799");
    expect(log.reader.model().hitRow).toBe(0);
  });

  test("that finds nothing says so at the start of the log", async () => {
    const log = await reading(1_000);
    log.show({ search: "nowhere" });
    log.reader.seek("search", "backward", log.reader.shown().top);
    await log.settled();
    expect(log.hits).toEqual([null]);
  });
});
