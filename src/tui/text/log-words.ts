/**
 * What a person types to filter or search a log: words separated by blanks, all of which a line must have;
 * `"two words"` with its blank, `!word` for lines without. Small letters find capitals too. No regular
 * expressions: a log line of a megabyte must not stop the screen.
 */

export interface LogWord {
  readonly text: string;
  readonly isInverted: boolean;
  readonly ignoresCase: boolean;
}

export type LogWords = readonly LogWord[];

const WORDS_MAX = 32;
/** Of one line; what lies beyond is not looked at. */
const LINE_CHARACTERS_MAX = 64 * 1024;

export function parseLogWords(text: string): LogWords {
  const words: LogWord[] = [];
  for (const [, sign, quoted, plain] of text.matchAll(/(!?)(?:"([^"]*)"?|(\S+))/gu)) {
    const word = quoted ?? plain ?? "";
    if (word === "" || word === "!" || words.length === WORDS_MAX) continue;
    words.push(wordOf(word, sign === "!"));
  }
  return words;
}

const wordOf = (text: string, isInverted: boolean): LogWord => ({
  text,
  isInverted,
  ignoresCase: text === text.toLowerCase(),
});

/** No words: every line. */
export function matchesWords(line: string, words: LogWords): boolean {
  if (words.length === 0) return true;
  const text = line.slice(0, LINE_CHARACTERS_MAX);
  const small = words.some(({ ignoresCase }) => ignoresCase) ? text.toLowerCase() : text;
  return words.every(
    (word) => (word.ignoresCase ? small : text).includes(word.text) !== word.isInverted,
  );
}

export interface TextSpan {
  readonly from: number;
  readonly to: number;
}

/** Where a line has the words, for marking them: in order, apart. */
export function spansOf(line: string, words: LogWords): readonly TextSpan[] {
  const text = line.slice(0, LINE_CHARACTERS_MAX);
  // A small letter may take more units than its capital: then positions are those of the exact text only.
  const lowered = text.toLowerCase();
  const small = lowered.length === text.length ? lowered : text;
  const spans = words
    .filter(({ isInverted }) => !isInverted)
    .flatMap((word) => findAll(word.ignoresCase ? small : text, word.text))
    .sort((a, b) => a.from - b.from);
  const apart: TextSpan[] = [];
  for (const span of spans) {
    const last = apart.at(-1);
    if (last !== undefined && span.from < last.to) {
      if (span.to > last.to) apart[apart.length - 1] = { from: last.from, to: span.to };
    } else apart.push(span);
  }
  return apart;
}

function findAll(text: string, word: string): TextSpan[] {
  const found: TextSpan[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    found.push({ from: at, to: at + word.length });
  }
  return found;
}

const ERROR_WORDS =
  /\b(?:error|errors|fatal|exception|panic|panicked|traceback|abort|aborted|segfault|failed|failure|oom|killed)\b|(?:Error|Exception):/i;

/** Whether a line says that something went wrong, as far as words can tell. */
export const looksLikeError = (line: string): boolean =>
  ERROR_WORDS.test(line.slice(0, LINE_CHARACTERS_MAX));
