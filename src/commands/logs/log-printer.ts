/**
 * How `cc logs` prints pieces: one task's log to a pipe as it was, byte by byte; to a terminal with
 * everything that could steer it made inert; of several tasks line by line with the task before it; or
 * as JSON lines. What was dropped is said where it is missing, and never mixed into a pipe.
 */
import {
  createLineJoiner,
  gapBytes,
  gapSentence,
  type LogLineBytes,
  type LogPiece,
} from "../../runtime/client/log-lines.ts";
import { safeLine, safeText } from "../../runtime/platform/safe-text.ts";
import { JSON_SCHEMA_NAME } from "../../runtime/protocol/views.ts";
import type { OutputStream } from "../command-context.ts";

export interface LogPrinter {
  /** Whatever this makes complete. */
  print(pieces: Iterable<LogPiece>): Promise<void>;
  /** Nothing follows. */
  finish(): Promise<void>;
  readonly hasPrinted: boolean;
  /** Of what was said to be missing. */
  readonly saidBytes: number;
}

export interface LogPrinterOptions {
  readonly jobId: number;
  readonly form: "bytes" | "lines" | "json";
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly quiet: boolean;
}

const decoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours, which mean nothing without a terminal's consent.
const COLOURS = /\x1b\[[\d;:]*m/g;

export function createLogPrinter(options: LogPrinterOptions): LogPrinter {
  const printers = { bytes: createBytesForm, lines: createLinesForm, json: createJsonForm };
  const form = printers[options.form](options);
  let hasPrinted = false;
  let saidBytes = 0;
  return {
    get hasPrinted() {
      return hasPrinted;
    },
    get saidBytes() {
      return saidBytes;
    },
    async print(pieces) {
      for (const piece of pieces) {
        hasPrinted = true;
        if (piece.stream === "gap") saidBytes += gapBytes(piece);
        await form.take(piece);
      }
      await form.pageEnds();
    },
    finish: () => form.finish(),
  };
}

interface Form {
  take(piece: LogPiece): void | Promise<void>;
  pageEnds(): Promise<void>;
  finish(): Promise<void>;
}

/** One task, as it was. */
function createBytesForm({ jobId, stdout, stderr, quiet }: LogPrinterOptions): Form {
  let chunks: Uint8Array[] = [];
  let attempt: number | null = null;
  let isAtLineStart = true;
  const inert = stdout.isTerminal ? createInertText() : null;

  async function write(): Promise<void> {
    const all = Buffer.concat(chunks);
    chunks = [];
    if (all.byteLength === 0) return;
    const shown = inert === null ? all : inert(all);
    if (shown.length > 0) isAtLineStart = all.at(-1) === 0x0a;
    await stdout.write(shown);
  }

  async function say(sentence: string): Promise<void> {
    await write();
    // A terminal shows both; what goes into a file stays as it was.
    if (!stdout.isTerminal) await stderr.write(`${sentence}\n`);
    else await stdout.write(`${isAtLineStart ? "" : "\n"}${sentence}\n`);
    isAtLineStart = true;
  }

  return {
    async take(piece) {
      const isOther = attempt === null ? piece.attempt > 1 : attempt !== piece.attempt;
      attempt = piece.attempt;
      if (isOther && !quiet) await say(`attempt ${attempt} of ${jobId}/${piece.index}:`);
      if (piece.stream === "gap") await say(gapSentence(gapBytes(piece)));
      else chunks.push(piece.bytes);
    },
    pageEnds: write,
    finish: write,
  };
}

/** Several tasks: `17/3 | a line`. */
function createLinesForm({ jobId, stdout, stderr }: LogPrinterOptions): Form {
  const joiner = createLineJoiner();
  let text: (string | Uint8Array)[] = [];

  async function say({ index, stream, bytes }: LogLineBytes): Promise<void> {
    const prefix = `${jobId}/${index} | `;
    if (stream === "gap" && !stdout.isTerminal) {
      await stderr.write(`${prefix}${decoder.decode(bytes)}\n`);
      return;
    }
    text.push(prefix, stdout.isTerminal ? inertLine(bytes) : bytes, "\n");
  }

  async function write(): Promise<void> {
    const all = Buffer.concat(text.map((part) => Buffer.from(part as Uint8Array)));
    text = [];
    if (all.byteLength > 0) await stdout.write(all);
  }

  return {
    async take(piece) {
      for (const line of joiner.push(piece)) await say(line);
    },
    pageEnds: write,
    async finish() {
      for (const line of joiner.finish()) await say(line);
      await write();
    },
  };
}

function createJsonForm({ jobId, stdout }: LogPrinterOptions): Form {
  const joiner = createLineJoiner();
  let lines: string[] = [];

  function add(line: LogLineBytes): void {
    const { index, attempt, stream, atMs } = line;
    lines.push(
      JSON.stringify({
        schema: JSON_SCHEMA_NAME,
        task_id: `${jobId}/${index}`,
        attempt,
        stream,
        time: new Date(atMs).toISOString(),
        ...textOf(line),
      }),
    );
  }

  async function write(): Promise<void> {
    const text = lines.map((line) => `${stdout.isTerminal ? safeJson(line) : line}\n`).join("");
    lines = [];
    if (text !== "") await stdout.write(text);
  }

  return {
    take(piece) {
      const gap = piece.stream === "gap" ? gapBytes(piece) : 0;
      for (const line of joiner.push(piece)) add(line);
      if (gap > 0) lines[lines.length - 1] = withDropped(lines.at(-1) as string, gap);
    },
    pageEnds: write,
    async finish() {
      for (const line of joiner.finish()) add(line);
      await write();
    },
  };
}

const withDropped = (line: string, bytes: number): string =>
  `${line.slice(0, -1)},"dropped_bytes":${bytes}}`;

/** As the outputs of commands: what is no text is base64. */
function textOf({ bytes }: LogLineBytes): { text: string } | { text_base64: string } {
  try {
    return { text: strictDecoder.decode(bytes) };
  } catch {
    return { text_base64: Buffer.from(bytes).toString("base64") };
  }
}

const inertLine = (bytes: Uint8Array): string =>
  safeLine(decoder.decode(bytes).replace(COLOURS, "").replaceAll("\t", "    "));

/** Text that comes in pieces: what a piece's end cuts apart waits for the next one. */
function createInertText(): (bytes: Uint8Array) => string {
  const streaming = new TextDecoder();
  let rest = "";
  return (bytes) => {
    const text = `${rest}${streaming.decode(bytes, { stream: true })}`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the beginning of a colour, or of a line's end.
    rest = /(?:\x1b\[?[\d;:]{0,32}|\r)$/.exec(text)?.[0] ?? "";
    return safeText(text.slice(0, text.length - rest.length).replace(COLOURS, ""));
  };
}

/** JSON's own way to write what could steer a terminal. */
function safeJson(line: string): string {
  return line.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
