/**
 * Names for what arrives from the keyboard. A terminal may deliver several keys at once (a held-down key, a
 * slow line), so one input becomes any number of keys. Never keeps anything from one input to the next.
 */

/** `j`, `G`, `+`, `space`, `enter`, `escape`, `pagedown`, `ctrl-c`, `shift-tab` … */
export type KeyName = string;

/** What Ink's `useInput` says beside the text. */
export interface KeyFlags {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageDown: boolean;
  readonly pageUp: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly meta: boolean;
  readonly eventType?: string | undefined;
}

const NAMED: readonly (readonly [keyof KeyFlags, KeyName])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageDown", "pagedown"],
  ["pageUp", "pageup"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["backspace", "backspace"],
  ["delete", "delete"],
];

/** The keys of one input, in order; empty for what is no key (a release, an unknown sequence). */
export function keysOf(input: string, flags: KeyFlags): readonly KeyName[] {
  if (flags.eventType === "release") return [];
  const named = NAMED.find(([flag]) => flags[flag] === true);
  if (named !== undefined) return [named[1]];
  // Two of them that arrive together look like one with Alt.
  if (flags.escape) return flags.meta ? ["escape", "escape"] : ["escape"];
  if (flags.tab) return [flags.shift ? "shift-tab" : "tab"];
  if (flags.ctrl) return input.length === 1 ? [controlName(input)] : [];
  const keys = [...graphemesOf(input)].map(keyOfGrapheme);
  // Escape and the next key may arrive together, which looks like Alt; nothing here is on Alt.
  return flags.meta && keys.length > 0 ? ["escape", ...keys] : keys;
}

const controlName = (letter: string): KeyName =>
  letter === " " ? "ctrl-space" : `ctrl-${letter.toLowerCase()}`;

const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\r": "enter",
  "\n": "enter",
  "\r\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\u007f": "backspace",
  "\u001b": "escape",
  " ": "space",
};

/** Control characters inside a batch are the keys that send them. */
function keyOfGrapheme(grapheme: string): KeyName {
  const known = CONTROLS[grapheme];
  if (known !== undefined) return known;
  const code = grapheme.charCodeAt(0);
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : grapheme;
}

/** The text that a key writes into a field; null for keys that write nothing. */
export function textOfKey(key: KeyName): string | null {
  if (key === "space") return " ";
  // Names of keys are plain words; a grapheme of several characters is never plain ASCII.
  return key.length === 1 || !/^[\x20-\x7e]*$/.test(key) ? key : null;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export function* graphemesOf(text: string): Iterable<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** Pasted text as a field of one line takes it. */
export const pastedLine = (text: string): string =>
  text
    .replace(/\s+/gu, " ")
    .replace(/\p{Control}/gu, "")
    .slice(0, PASTED_CHARACTERS_MAX);

const PASTED_CHARACTERS_MAX = 4096;
