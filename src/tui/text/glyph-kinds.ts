/**
 * What a character does in a terminal, decided once for each code point: only those on whose width xterm,
 * VTE, Windows Terminal, tmux and emulators agree are ever drawn. It must never let one through that moves
 * the cursor, joins its neighbours or is drawn in two cells by one terminal and in one by another.
 */

export const NARROW = 1;
/** Two cells everywhere: Han, Hangul syllables, kana, full-width forms. */
export const WIDE = 2;
/** Draws nothing by itself: combining marks (after composition), joiners, selectors of a variant. */
export const SILENT = 3;
/** Blank of some sort, a line's end included. */
export const BLANK = 4;
/** Controls, bidirectional overrides, emoji, what is not assigned: terminals obey it or disagree on it. */
export const UNSAFE = 5;
export type GlyphKind = 1 | 2 | 3 | 4 | 5;

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const SPACE = /[\t\n\v\f\r\u0085\p{Z}]/u;
const SILENT_CHARACTER = /[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/u;
const DRAWN = /[\p{L}\p{N}\p{P}\p{S}]/u;
const EMOJI = /[\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}]/u;
/** One column to some terminals and two or none to others: parts of Hangul syllables, hexagrams and such. */
const CONTESTED =
  /[\u06de\u1100-\u11ff\u2329\u232a\u2630-\u2637\u268a-\u268f\u3248-\u324f\u4dc0-\u4dff\ua960-\ua97f\ud7b0-\ud7ff\ufe10-\ufe19\u{16000}-\u{1d3ff}\u{1d800}-\u{1ffff}]/u;

const WIDE_RANGES: readonly (readonly [number, number])[] = [
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
];

const known = new Uint8Array(0x10000);

export function glyphKind(codePoint: number): GlyphKind {
  if (codePoint >= 0x20 && codePoint < 0x7f) return NARROW;
  if (codePoint > 0xffff) return judge(codePoint);
  const kept = known[codePoint];
  // Only `judge` writes there.
  if (kept !== undefined && kept !== 0) return kept as GlyphKind;
  const kind = judge(codePoint);
  known[codePoint] = kind;
  return kind;
}

function judge(codePoint: number): GlyphKind {
  const character = String.fromCodePoint(codePoint);
  if (BIDI.test(character) || EMOJI.test(character) || CONTESTED.test(character)) return UNSAFE;
  if (SPACE.test(character)) return BLANK;
  if (codePoint < 0xa0) return UNSAFE;
  if (SILENT_CHARACTER.test(character)) return SILENT;
  if (!DRAWN.test(character)) return UNSAFE;
  return WIDE_RANGES.some(([from, to]) => codePoint >= from && codePoint <= to) ? WIDE : NARROW;
}
