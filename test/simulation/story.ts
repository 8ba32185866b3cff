/**
 * What happened in a world, in order. It is kept only when somebody wants to read it: a seed that fails
 * is played again with a story, which is the same one because everything else is the same.
 */
import type { LogFields, Logger } from "../../src/runtime/platform/logger.ts";

export interface StoryLine {
  readonly atMs: number;
  readonly text: string;
}

export interface Story {
  readonly isKept: boolean;
  /** `text` is called only when the story is kept. */
  tell(text: () => string): void;
  readonly lines: readonly StoryLine[];
  /** Of all lines; equal stories have equal hashes. */
  hash(): string;
}

const LINES_MAX = 200_000;

export function createStory(isKept: boolean, nowMs: () => number): Story {
  const lines: StoryLine[] = [];
  return {
    isKept,
    lines,
    tell(text) {
      if (isKept && lines.length < LINES_MAX) lines.push({ atMs: nowMs(), text: text() });
    },
    hash: () => Bun.hash(lines.map(({ atMs, text }) => `${atMs} ${text}`).join("\n")).toString(16),
  };
}

/** The last lines, and before them those that name the subject. */
export function printStory(
  story: Story,
  { subject, lastCount }: { readonly subject: RegExp | null; readonly lastCount: number },
): string {
  const { lines } = story;
  const tail = lines.slice(-lastCount);
  const before = lines.slice(0, -lastCount);
  const about = subject === null ? [] : before.filter(({ text }) => subject.test(text)).slice(-60);
  const print = ({ atMs, text }: StoryLine): string =>
    `${(atMs / 1000).toFixed(3).padStart(9)} ${text}`;
  return [
    ...(about.length > 0 ? [`— about ${subject?.source}:`, ...about.map(print)] : []),
    `— the last ${tail.length} of ${lines.length} events:`,
    ...tail.map(print),
  ].join("\n");
}

/** What a process would log, as part of the story. */
export function storyLogger(story: Story, name: string): Logger {
  const tell = (event: string, fields?: LogFields): void =>
    story.tell(() => `${name} logs: ${event}${fields === undefined ? "" : ` ${brief(fields)}`}`);
  const logger: Logger = {
    debug: tell,
    info: tell,
    warn: tell,
    error: tell,
    with: () => logger,
  };
  return logger;
}

function brief(fields: LogFields): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(" ")
    .slice(0, 200);
}
