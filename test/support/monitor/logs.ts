/** Lines of logs, and how much of a log is there: a render that warns, prints in colour, and lost a part. */
import type { LogLine } from "../../../src/tui/feed.ts";
import type { LogModel } from "../../../src/tui/model/screen-model.ts";
import { AT_MS } from "./fixtures.ts";

export const logLine = (changes: Partial<LogLine> = {}): LogLine => ({
  index: 48_211,
  attempt: 2,
  stream: "stdout",
  atMs: AT_MS - 6_000,
  text: "Fra:48211 Mem:2911.20M (Peak 3104.11M) | Time:00:07.11",
  ...changes,
});

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);

export const renderLines = (): readonly LogLine[] =>
  [
    logLine(),
    logLine({ text: "Fra:48211 Mem:3012.90M (Peak 3104.11M) | Time:00:08.33" }),
    logLine({
      stream: "stderr",
      text: "WARN tile 44: out of core, spilling to /scratch/blender/cache/tile-44/level-3/part-000017.bin",
    }),
    logLine({ stream: "gap", text: "123456" }),
    logLine({
      stream: "log",
      text: `${ESCAPE}[31mred${ESCAPE}[0m\ttab 日本語 ${ESCAPE}]52;c;ZXZpbA==${BELL} end`,
    }),
    logLine({ text: "Fra:48211 Mem:3098.42M (Peak 3104.11M) | Time:00:09.10" }),
  ].map((line, at) => ({ ...line, atMs: line.atMs + at * 777 }));

export const logModel = (changes: Partial<LogModel> = {}): LogModel => ({
  lines: renderLines(),
  firstLine: 4_800,
  atStart: false,
  atEnd: true,
  totalBytes: 2_100_000,
  droppedBytes: 123_456,
  newLines: 0,
  hits: 0,
  hitRow: null,
  heldLines: 4_812,
  matchingLines: 4_812,
  isLoading: false,
  isFinished: false,
  error: null,
  ...changes,
});
