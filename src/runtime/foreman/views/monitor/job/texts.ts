/** Texts of a row: as long as a screen could show, and never cut within a character. */

/** More is for the screen of that one thing. */
export const ROW_TEXT_CHARACTERS_MAX = 200;

export function shortened(text: string): string {
  if (text.length <= ROW_TEXT_CHARACTERS_MAX) return text;
  const end = ROW_TEXT_CHARACTERS_MAX - 1;
  const code = text.charCodeAt(end - 1);
  const isHalf = code >= 0xd800 && code < 0xdc00;
  return `${text.slice(0, isHalf ? end - 1 : end)}…`;
}
