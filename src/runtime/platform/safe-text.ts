/**
 * Makes foreign text inert for a terminal: names, logs and errors of other people must not move the
 * cursor, set the clipboard or reorder what a reader sees. It must be applied at output, not storage.
 */

/** C0, DEL and C1, the bidirectional controls, and Unicode's own line breaks. */
const UNSAFE_IN_LINE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const UNSAFE_IN_TEXT = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** One line: line breaks and tabs become spaces, every other control a visible `?`. */
export function safeLine(text: string): string {
  return text.replace(UNSAFE_IN_LINE, (character) => (/[\t\n\r]/.test(character) ? " " : "?"));
}

/** Several lines: they stay lines, a tab becomes blanks, every other control a visible `?`. */
export function safeText(text: string): string {
  return text.replace(/\r\n/g, "\n").replaceAll("\t", "    ").replace(UNSAFE_IN_TEXT, "?");
}
