/** Frames of a live status as a terminal draws them: texts scroll by above the rows and stay whole. */
import { describe, expect, test } from "bun:test";
import { createPainter, type Painter } from "../../../src/commands/status/painter.ts";
import { createManualClock } from "../../../src/runtime/platform/clock.ts";
import { createEmulator } from "../../support/terminal/emulator.ts";

function stage({ columns = 40, rows = 8, slipsWhenWrapped = true } = {}) {
  const emulator = createEmulator(columns, rows);
  const clock = createManualClock();
  const sent: string[] = [];
  /** While it is set, the terminal takes nothing. */
  let stuck: PromiseWithResolvers<void> | null = null;
  const painter: Painter = createPainter({
    clock,
    slipsWhenWrapped,
    sendNow: (text) => void sent.push(text),
    async send(bytes) {
      await stuck?.promise;
      sent.push(Buffer.from(bytes).toString());
      // What the kernel does with line ends on their way to a terminal.
      const text = Buffer.from(bytes)
        .toString()
        .replace(/(?<!\r)\n/g, "\r\n");
      await new Promise<void>((resolve) => emulator.write(Buffer.from(text), resolve));
    },
  });
  return {
    painter,
    emulator,
    clock,
    sent,
    stick() {
      stuck = Promise.withResolvers();
    },
    release() {
      stuck?.resolve();
      stuck = null;
    },
    screen: () => emulator.rowTexts().join("\n").trimEnd(),
  };
}

describe("the rows", () => {
  test("stay below what is written, and the cursor waits at their beginning", async () => {
    const { painter, emulator, screen } = stage();
    await painter.show(["── a ──", " one", " two"]);
    await painter.write("first line\n");
    await painter.write("second line\n");
    expect(screen()).toBe("first line\nsecond line\n── a ──\n one\n two");
    expect(emulator.cursor()).toEqual({ row: 2, column: 0 });
    expect(emulator.modes().cursorVisible).toBe(true);
  });

  test("leave nothing behind when they become fewer, or are taken away", async () => {
    const { painter, screen } = stage();
    await painter.write("a log line\n");
    await painter.show(["one, which is long", "two", "three"]);
    await painter.show(["one"]);
    expect(screen()).toBe("a log line\none");
    await painter.show([]);
    expect(screen()).toBe("a log line");
    await painter.write("another\n");
    expect(screen()).toBe("a log line\nanother");
  });

  test("never touch a line that scrolled away", async () => {
    const { painter, emulator, screen } = stage({ rows: 6 });
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
    for (const [at, line] of lines.entries()) {
      await painter.show([`status ${at}`, at % 2 === 0 ? "even" : "odd", "end"]);
      await painter.write(`${line}\n`);
    }
    await painter.stop();
    const all = [...emulator.scrollback(), ...screen().split("\n")].filter((row) => row !== "");
    expect(all).toEqual(lines);
  });

  test("are written only when they have changed", async () => {
    const { painter, sent } = stage();
    await painter.show(["one", "two"]);
    await painter.show(["one", "two"]);
    expect(sent).toHaveLength(1);
  });

  test("leave a line that is wider than the terminal whole", async () => {
    const { painter, emulator } = stage({ columns: 20 });
    await painter.show(["one", "two"]);
    await painter.write(`${"x".repeat(50)}\n`);
    expect(emulator.rowTexts().slice(0, 5)).toEqual([
      "x".repeat(20),
      "x".repeat(20),
      "x".repeat(10),
      "one",
      "two",
    ]);
  });

  test("are painted anew over themselves when the terminal became narrow and wrapped them", async () => {
    const { painter, emulator, screen } = stage({ columns: 40, rows: 10 });
    await painter.write("log\n");
    await painter.show(["a".repeat(39), "b".repeat(25), "c"]);
    emulator.resize(22, 10);
    painter.resized(22);
    await painter.show(["a".repeat(21), "c"]);
    expect(screen()).toBe(`log\n${"a".repeat(21)}\nc`);
  });

  test("come back below what a shell wrote meanwhile", async () => {
    const { painter, emulator, screen } = stage();
    await painter.show(["one"]);
    await painter.show([]);
    await new Promise<void>((resolve) => emulator.write(Buffer.from("prompt> fg\r\n"), resolve));
    painter.forget();
    await painter.show(["one"]);
    expect(screen()).toBe("prompt> fg\none");
  });
});

describe("a terminal that takes nothing", () => {
  test("skips pictures and keeps lines in order", async () => {
    const { painter, sent, stick, release, screen } = stage();
    stick();
    const first = painter.show(["0"]);
    for (let at = 1; at <= 100; at++) void painter.show([String(at)]);
    void painter.write("a\n");
    void painter.write("b\n");
    release();
    await first;
    expect(sent).toHaveLength(2);
    expect(screen()).toBe("a\nb\n100");
  });

  test("holds only so much, and says how many lines were left out", async () => {
    const { painter, sent, stick, release } = stage();
    stick();
    const first = painter.show(["0"]);
    for (let at = 0; at < 1_000; at++) void painter.write(`${"x".repeat(1023)}\n`);
    release();
    await first;
    expect(sent.join("").length).toBeLessThan(300_000);
    expect(sent.join("")).toContain("(744 lines were left out: this terminal was too slow)\n");
  });

  test("does not hold up the end", async () => {
    const { painter, clock, sent, stick } = stage();
    stick();
    void painter.show(["0"]);
    const stopped = painter.stop();
    clock.advance(1_000);
    await stopped;
    await painter.write("nobody waits for this either\n");
    painter.stopNow();
    expect(sent).toEqual([]);
  });
});

describe("the end", () => {
  test("without time to wait takes the rows away and says what was not said yet", async () => {
    const { painter, sent } = stage();
    await painter.show(["one", "two"]);
    painter.stopNow();
    expect(sent.at(-1)).toBe("\r\x1b[J");
    painter.stopNow();
    expect(sent).toHaveLength(2);
  });

  test("is noticed once: a terminal that is gone gets nothing more", async () => {
    const clock = createManualClock();
    let count = 0;
    const painter = createPainter({
      clock,
      slipsWhenWrapped: false,
      sendNow: () => void count++,
      send() {
        count++;
        return Promise.reject(new Error("EIO"));
      },
    });
    await painter.show(["one"]);
    await painter.write("text\n");
    await painter.stop();
    painter.stopNow();
    expect(count).toBe(1);
  });
});
