import { describe, expect, test } from "bun:test";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import {
  createLogger,
  type LogFormat,
  type LogLevel,
} from "../../../src/runtime/platform/logger.ts";
import { safeLine, safeText } from "../../../src/runtime/platform/safe-text.ts";
import { createKey, formatKey } from "../../../src/runtime/transport/keys.ts";

function logInto(format: LogFormat, level: LogLevel = "info") {
  const lines: string[] = [];
  const clock = createManualClock(Date.UTC(2030, 0, 2, 3, 4, 5, 678));
  return {
    lines,
    logger: createLogger({ level, format, clock, write: (line) => lines.push(line) }),
  };
}

describe("a log line", () => {
  test("for people has time, level, event and fields", () => {
    const { lines, logger } = logInto("pretty");
    logger.with({ workerId: "w 1" }).info("worker connects", { slotCount: 2, note: undefined });
    expect(lines).toEqual(['03:04:05.678 info  worker connects worker_id="w 1" slot_count=2\n']);
  });

  test("for programs is one JSON object", () => {
    const { lines, logger } = logInto("json");
    logger.warn("queue is long", { taskCount: 5, labels: ["a"], ok: false, none: null });
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      time: "2030-01-02T03:04:05.678Z",
      level: "warn",
      event: "queue is long",
      task_count: 5,
      labels: '["a"]',
      ok: false,
      none: null,
    });
  });

  test("below the level is not written", () => {
    const { lines, logger } = logInto("pretty", "warn");
    logger.debug("a");
    logger.info("b");
    logger.error("c");
    expect(lines).toHaveLength(1);
  });

  for (const format of ["pretty", "json"] as const) {
    test(`never holds a secret, a control character or an endless field (${format})`, () => {
      const { lines, logger } = logInto(format);
      const key = formatKey(createKey("client"));
      const loop: { self?: unknown } = {};
      loop.self = loop;
      logger.info(`key ${key}\u001b[2J`, {
        text: `\u001b]52;c;x\u0007\u009b31m\u202e ${key}\r`,
        error: new Error(`failed with ${key}`),
        long: "x".repeat(1_000_000),
        loop,
      });
      expect(lines).toHaveLength(1);
      const line = lines[0] ?? "";
      expect(line).not.toContain(key.slice(-20));
      expect(line).toContain("_***");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      expect(line.length).toBeLessThan(6_000);
    });
  }
});

test("foreign text is made inert, as one line or as several", () => {
  expect(safeLine("a\u001b[2J\r\nb\tc\u2066")).toBe("a?[2J  b c?");
  expect(safeText("a\r\nb\tc\u001b\u0085\u200fd\re")).toBe("a\nb    c???d?e");
  expect(safeText("ünïcode 🎉 ok")).toBe("ünïcode 🎉 ok");
});
