/** Streams that keep what a command writes, so that commands can be tested without a process. */
import {
  type CommandIo,
  OutputClosed,
  type OutputStream,
} from "../../src/commands/command-context.ts";

export interface MemoryIo extends CommandIo {
  stdoutText(): string;
  stderrText(): string;
}

export interface MemoryIoOptions {
  readonly isTerminal?: boolean;
  readonly columnCount?: number;
  readonly input?: string;
  /** stdout's reader is gone from the start. */
  readonly stdoutClosed?: boolean;
}

export function createMemoryIo(options: MemoryIoOptions = {}): MemoryIo {
  const stdout = createMemoryOutput(options, options.stdoutClosed ?? false);
  const stderr = createMemoryOutput(options, false);
  return {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin: {
      isTerminal: options.isTerminal ?? false,
      stream: () => new Blob([options.input ?? ""]).stream(),
    },
    stdoutText: stdout.text,
    stderrText: stderr.text,
  };
}

function createMemoryOutput(
  options: MemoryIoOptions,
  isClosed: boolean,
): { stream: OutputStream; text: () => string } {
  const chunks: Uint8Array[] = [];
  const closing = new AbortController();
  if (isClosed) closing.abort();
  return {
    text: () => Buffer.concat(chunks).toString("utf8"),
    stream: {
      isTerminal: options.isTerminal ?? false,
      columnCount: options.columnCount ?? 80,
      closed: closing.signal,
      async write(chunk) {
        if (isClosed) throw new OutputClosed();
        chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk.slice());
      },
    },
  };
}
