/** How logs are printed: as they were to a pipe, harmless to a terminal, named where there are several. */
import { describe, expect, test } from "bun:test";
import {
  createLogPrinter,
  type LogPrinterOptions,
} from "../../../src/commands/logs/log-printer.ts";
import { createLineSkipper } from "../../../src/commands/logs/tail-start.ts";
import type { LogPiece } from "../../../src/runtime/client/log-lines.ts";
import { createMemoryIo } from "../../support/memory-io.ts";

const piece = (text: string, overrides: Partial<LogPiece> = {}): LogPiece => ({
  index: 3,
  attempt: 1,
  stream: "log",
  atMs: Date.UTC(2026, 0, 1),
  bytes: Buffer.from(text, "latin1"),
  ...overrides,
});

const HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202eevil\x1b[31mred\x1b[0m\rover\x00\n";

async function printed(
  pages: readonly (readonly LogPiece[])[],
  form: LogPrinterOptions["form"],
  isTerminal = false,
): Promise<{ out: string; err: string }> {
  const io = createMemoryIo({ isTerminal });
  const { stdout, stderr } = io;
  const printer = createLogPrinter({ jobId: 17, form, stdout, stderr, quiet: false });
  for (const page of pages) await printer.print(page);
  await printer.finish();
  return { out: io.stdoutText(), err: io.stderrText() };
}

describe("one task's log", () => {
  test("is to a pipe what the task printed, also what is no text; what is missing is said beside it", async () => {
    const pages = [[piece("a\xff\n"), piece("99", { stream: "gap" })], [piece("half")]];
    const { out, err } = await printed(pages, "bytes");
    expect([out, err]).toEqual([
      Buffer.from("a\xff\nhalf", "latin1").toString(),
      "… 99 bytes dropped\n",
    ]);
  });

  test("names its attempts where there are more", async () => {
    const pages = [[piece("one\n"), piece("two\n", { attempt: 2 })]];
    expect((await printed(pages, "bytes")).err).toBe("attempt 2 of 17/3:\n");
  });

  test("cannot steer a terminal, however it is cut", async () => {
    const bytes = Buffer.from(HOSTILE);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const pages = [
        [{ ...piece(""), bytes: bytes.subarray(0, cut) }],
        [{ ...piece(""), bytes: bytes.subarray(cut) }],
      ];
      const { out } = await printed(pages, "bytes", true);
      expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
      expect(out).toContain("evilred");
    }
  });
});

describe("several tasks' logs", () => {
  test("are lines with their tasks", async () => {
    const pages = [
      [piece("one\nha"), piece("other\n", { index: 4 })],
      [piece("lf\n"), piece("12", { index: 4, stream: "gap" })],
    ];
    const { out, err } = await printed(pages, "lines");
    expect(out).toBe("17/3 | one\n17/4 | other\n17/3 | half\n");
    expect(err).toBe("17/4 | … 12 bytes dropped\n");
  });

  test("cannot steer a terminal either", async () => {
    const { out } = await printed([[{ ...piece(""), bytes: Buffer.from(HOSTILE) }]], "lines", true);
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
    expect(out.split("\n").length).toBe(2);
  });
});

test("as JSON each line has its task, attempt, stream and time; what is no text is base64", async () => {
  const pages = [
    [piece("one\n\xff\n"), piece("7", { stream: "gap" }), piece("end", { stream: "stderr" })],
  ];
  const { out } = await printed(pages, "json");
  const common = {
    schema: "crowdcompute/v1",
    task_id: "17/3",
    attempt: 1,
    time: "2026-01-01T00:00:00.000Z",
  };
  expect(
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { ...common, stream: "log", text: "one" },
    { ...common, stream: "log", text_base64: "/w==" },
    { ...common, stream: "gap", text: "… 7 bytes dropped", dropped_bytes: 7 },
    { ...common, stream: "stderr", text: "end" },
  ]);
});

test("lines are skipped over pieces that hold none, several, or a part of one", () => {
  const skip = createLineSkipper(3);
  const kept = ["one\ntw", "o\n", "thr", "ee\nfour\n", "five"]
    .map((text) => skip(piece(text)))
    .map((one) => (one === null ? null : Buffer.from(one.bytes).toString()));
  expect(kept).toEqual([null, null, null, "four\n", "five"]);
});
