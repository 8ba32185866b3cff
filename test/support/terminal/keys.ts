/** Keys as a terminal sends them, by the names that people give them. */

const NAMED: Readonly<Record<string, string>> = {
  Enter: "\r",
  Esc: "\u001b",
  Tab: "\t",
  "Shift-Tab": "\u001b[Z",
  Backspace: "\u007f",
  Space: " ",
  Up: "\u001b[A",
  Down: "\u001b[B",
  Right: "\u001b[C",
  Left: "\u001b[D",
  Home: "\u001b[H",
  End: "\u001b[F",
  PgUp: "\u001b[5~",
  PgDn: "\u001b[6~",
  Delete: "\u001b[3~",
  F1: "\u001bOP",
};

/** `Enter`, `Ctrl-L`, or any text, which stands for itself. */
export function keyBytes(name: string): string {
  const named = NAMED[name];
  if (named !== undefined) return named;
  const control = /^Ctrl-([A-Z\\])$/.exec(name)?.[1];
  return control === undefined ? name : String.fromCharCode(control.charCodeAt(0) & 0x1f);
}

/** What a terminal makes of pasted text while bracketed paste is on. */
export const pastedBytes = (text: string): string => `\u001b[200~${text}\u001b[201~`;
