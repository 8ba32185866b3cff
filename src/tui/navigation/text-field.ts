/** A text field of one line: what keys do to its text and cursor. The cursor counts UTF-16 units. */
import { graphemesOf, type KeyName, textOfKey } from "./keys.ts";

export interface Field {
  readonly text: string;
  readonly cursor: number;
}

/** More is no filter and no command. */
const FIELD_CHARACTERS_MAX = 4096;

/** null: the key does nothing to a field. */
export function editField(field: Field, key: KeyName): Field | null {
  const text = textOfKey(key);
  if (text !== null) return insertText(field, text);
  const { cursor } = field;
  switch (key) {
    case "backspace":
      return cut(field, previousCursor(field), cursor);
    case "delete":
    case "ctrl-d":
      return cut(field, cursor, nextCursor(field));
    case "left":
    case "ctrl-b":
      return { ...field, cursor: previousCursor(field) };
    case "right":
    case "ctrl-f":
      return { ...field, cursor: nextCursor(field) };
    case "home":
    case "ctrl-a":
      return { ...field, cursor: 0 };
    case "end":
    case "ctrl-e":
      return { ...field, cursor: field.text.length };
    case "ctrl-u":
      return cut(field, 0, cursor);
    case "ctrl-k":
      return cut(field, cursor, field.text.length);
    case "ctrl-w":
      return cut(field, wordBefore(field), cursor);
    default:
      return null;
  }
}

export function insertText({ text, cursor }: Field, inserted: string): Field {
  if (text.length + inserted.length > FIELD_CHARACTERS_MAX) return { text, cursor };
  return {
    text: text.slice(0, cursor) + inserted + text.slice(cursor),
    cursor: cursor + inserted.length,
  };
}

const cut = ({ text }: Field, from: number, to: number): Field => ({
  text: text.slice(0, from) + text.slice(to),
  cursor: from,
});

function previousCursor({ text, cursor }: Field): number {
  const before = [...graphemesOf(text.slice(0, cursor))];
  return cursor - (before.at(-1)?.length ?? 0);
}

function nextCursor({ text, cursor }: Field): number {
  const [next] = graphemesOf(text.slice(cursor));
  return cursor + (next?.length ?? 0);
}

const wordBefore = ({ text, cursor }: Field): number =>
  text.slice(0, cursor).replace(/\S+\s*$/u, "").length;
