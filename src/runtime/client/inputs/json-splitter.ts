/**
 * Cuts a stream of text into the JSON values it holds, without parsing them: it follows strings and
 * brackets only. What begins with `[` is one array, unless that array ends on its first line and more
 * follows: then it is JSON lines of arrays. Whether a value is JSON at all is its parser's matter.
 *
 * States: deciding (array or sequence) -> array -> behind the array, or -> sequence.
 */

export interface JsonPiece {
  readonly text: string;
  /** From 1: where it begins. */
  readonly line: number;
  /** What is wrong here though the text may be JSON; null: nothing. */
  readonly problem: string | null;
}

export interface JsonSplitter {
  push(text: string): readonly JsonPiece[];
  /** What is left, also when it is cut short. */
  end(): readonly JsonPiece[];
  /** Of the value that is not complete yet. */
  pendingCharacters(): number;
  /** Where that value begins. */
  line(): number;
}

type Mode = "deciding" | "array" | "behind_array" | "sequence";

export function createJsonSplitter(): JsonSplitter {
  let mode: Mode = "deciding";
  let buffer = "";
  /** Where the scan of `buffer` stands, and where the value in it begins (-1: between values). */
  let at = 0;
  let from = -1;
  /** Open brackets; inside an array its own is not counted. */
  let depth = 0;
  let isInString = false;
  let lineNumber = 1;
  let fromLine = 1;
  let elementCount = 0;
  let pieces: JsonPiece[] = [];

  function decide(isEnd: boolean): boolean {
    const decision = decideMode(buffer, isEnd);
    if (decision === null) return false;
    mode = decision.mode;
    lineNumber += countNewlines(buffer, decision.from);
    at = decision.from;
    return true;
  }

  function begin(): void {
    if (from >= 0) return;
    from = at;
    fromLine = lineNumber;
  }

  function emit(to: number, problem: string | null = null): void {
    pieces.push({ text: buffer.slice(from, to), line: fromLine, problem });
    from = -1;
  }

  function scan(): void {
    for (; at < buffer.length; at++) {
      const code = buffer.charCodeAt(at);
      if (code === NEWLINE) lineNumber++;
      if (isInString) {
        if (code === BACKSLASH) at++;
        else if (code === QUOTE) isInString = false;
      } else if (mode === "behind_array") {
        if (isSpace(code)) continue;
        begin();
        emit(at + 1, "follows the end of the array");
      } else if (code === QUOTE) {
        begin();
        isInString = true;
      } else if (mode === "array") scanArray(code);
      else scanSequence(code);
    }
  }

  function scanSequence(code: number): void {
    if (isOpening(code)) {
      if (depth === 0 && from >= 0) emit(at);
      begin();
      depth++;
    } else if (isClosing(code)) {
      begin();
      depth = Math.max(0, depth - 1);
      if (depth === 0) emit(at + 1);
    } else if (!isSpace(code)) begin();
    else if (depth === 0 && from >= 0) emit(at);
  }

  function scanArray(code: number): void {
    if (depth === 0 && (code === COMMA || code === CLOSE_BRACKET)) endElement(code);
    else if (isOpening(code)) {
      begin();
      depth++;
    } else if (isClosing(code)) depth--;
    else if (!isSpace(code)) begin();
  }

  /** An element that is missing, as in `[1,,2]`, is an empty text: its parser refuses it. */
  function endElement(code: number): void {
    if (code === CLOSE_BRACKET) mode = "behind_array";
    if (code === CLOSE_BRACKET && from < 0 && elementCount === 0) return;
    elementCount++;
    begin();
    emit(at);
  }

  /** Keeps only what is not complete yet. */
  function compact(): readonly JsonPiece[] {
    const keepFrom = from >= 0 ? from : Math.min(at, buffer.length);
    buffer = buffer.slice(keepFrom);
    at -= keepFrom;
    if (from >= 0) from = 0;
    const taken = pieces;
    pieces = [];
    return taken;
  }

  return {
    push(text) {
      buffer += text;
      if (mode === "deciding" && !decide(false)) return [];
      scan();
      return compact();
    },
    end() {
      if (mode === "deciding") decide(true);
      scan();
      if (from >= 0 || mode === "array") {
        begin();
        // A value cut short is for its parser to refuse.
        emit(buffer.length, mode === "array" ? "is the last of an array without its ]" : null);
      }
      return compact();
    },
    pendingCharacters: () => (from < 0 ? 0 : buffer.length - from),
    line: () => fromLine,
  };
}

/** A first line longer than this that began with `[` is taken for an array. */
const UNDECIDED_CHARACTERS_MAX = 1024 * 1024;

interface Decision {
  readonly mode: "array" | "sequence";
  /** Where the scan begins: behind the bracket of an array. */
  readonly from: number;
}

/** null: more text is needed to tell. */
function decideMode(text: string, isEnd: boolean): Decision | null {
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) return isEnd ? { mode: "sequence", from: 0 } : null;
  if (text[start] !== "[") return { mode: "sequence", from: 0 };
  const array: Decision = { mode: "array", from: start + 1 };
  const end = endOnFirstLine(text, start);
  if (end === "later") return array;
  if (end !== null && /[^ \t\r\n]/.test(text.slice(end))) return { mode: "sequence", from: 0 };
  return isEnd || text.length - start > UNDECIDED_CHARACTERS_MAX ? array : null;
}

/** Behind the first value when it ends on its first line; null when the text ends before that. */
function endOnFirstLine(text: string, start: number): number | "later" | null {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isInString = false;
    } else if (code === NEWLINE) return "later";
    else if (code === QUOTE) isInString = true;
    else if (isOpening(code)) depth++;
    else if (isClosing(code) && --depth === 0) return at + 1;
  }
  return null;
}

function countNewlines(text: string, to: number): number {
  let count = 0;
  for (let at = 0; at < to; at++) if (text.charCodeAt(at) === NEWLINE) count++;
  return count;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const isOpening = (code: number): boolean => code === OPEN_BRACKET || code === OPEN_BRACE;
const isClosing = (code: number): boolean => code === CLOSE_BRACKET || code === CLOSE_BRACE;
const isSpace = (code: number): boolean =>
  code === 0x20 || code === NEWLINE || code === 0x0d || code === 0x09;
