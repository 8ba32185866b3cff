import { describe, expect, test } from "bun:test";
import { type KeyFlags, keysOf, pastedLine, textOfKey } from "../../../src/tui/navigation/keys.ts";
import { editField, type Field, insertText } from "../../../src/tui/navigation/text-field.ts";

const NONE: KeyFlags = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
};
const keys = (input: string, flags: Partial<KeyFlags> = {}) => [
  ...keysOf(input, { ...NONE, ...flags }),
];

describe("keys of an input", () => {
  test("a letter is itself, a capital one too, whether or not shift is told", () => {
    expect(keys("j")).toEqual(["j"]);
    expect(keys("G", { shift: true })).toEqual(["G"]);
    expect(keys("?")).toEqual(["?"]);
  });

  test("several at once, as key repeat and slow lines deliver them, are several keys", () => {
    expect(keys("jjj")).toEqual(["j", "j", "j"]);
    expect(keys("/cpu>9\r")).toEqual(["/", "c", "p", "u", ">", "9", "enter"]);
    expect(keys("a\tb\u007f")).toEqual(["a", "tab", "b", "backspace"]);
    expect(keys("j \u0004k")).toEqual(["j", "space", "ctrl-d", "k"]);
  });

  test("a character of several code points is one key", () => {
    expect(keys("é👩‍💻x")).toEqual(["é", "👩‍💻", "x"]);
  });

  test("named keys have their names", () => {
    expect(keys("", { downArrow: true })).toEqual(["down"]);
    expect(keys("", { pageUp: true })).toEqual(["pageup"]);
    expect(keys("", { escape: true })).toEqual(["escape"]);
    expect(keys("\r", { return: true })).toEqual(["enter"]);
    expect(keys("", { tab: true, shift: true })).toEqual(["shift-tab"]);
    expect(keys("c", { ctrl: true })).toEqual(["ctrl-c"]);
  });

  test("escape that arrives together with the next key is both", () => {
    expect(keys("j", { meta: true })).toEqual(["escape", "j"]);
    expect(keys("", { escape: true, meta: true })).toEqual(["escape", "escape"]);
  });

  test("a key that is let go, and a sequence that is no key, are none", () => {
    expect(keys("j", { eventType: "release" })).toEqual([]);
    expect(keys("")).toEqual([]);
  });

  test("only printable keys are text", () => {
    expect(textOfKey("j")).toBe("j");
    expect(textOfKey("space")).toBe(" ");
    expect(textOfKey("é")).toBe("é");
    for (const key of ["enter", "ctrl-c", "f1", "down", "shift-tab"]) {
      expect(textOfKey(key)).toBeNull();
    }
  });

  test("pasted text becomes one line without controls, of bounded length", () => {
    expect(pastedLine("two\r\nlines\tand \u001b[31mred")).toBe("two lines and [31mred");
    expect(pastedLine("x".repeat(10_000))).toHaveLength(4096);
  });
});

describe("a text field", () => {
  const typed = (field: Field, ...pressed: readonly string[]): Field =>
    pressed.reduce((now, key) => editField(now, key) ?? now, field);
  const empty: Field = { text: "", cursor: 0 };

  test("is written and corrected at the cursor", () => {
    expect(typed(empty, "a", "c", "left", "b")).toEqual({ text: "abc", cursor: 2 });
    expect(typed(empty, "a", "b", "home", "x", "end", "y")).toEqual({ text: "xaby", cursor: 4 });
    expect(typed(empty, "a", "b", "left", "delete", "backspace")).toEqual(empty);
  });

  test("is emptied in words and whole", () => {
    const field = { text: "state:failed cpu>9 ", cursor: 19 };
    expect(typed(field, "ctrl-w")).toEqual({ text: "state:failed ", cursor: 13 });
    expect(typed(field, "ctrl-u")).toEqual(empty);
    expect(typed(field, "ctrl-a", "ctrl-k")).toEqual(empty);
  });

  test("moves and deletes by whole characters", () => {
    const field = insertText(empty, "a👩‍💻");
    expect(typed(field, "backspace")).toEqual({ text: "a", cursor: 1 });
    expect(typed(field, "left")).toEqual({ text: "a👩‍💻", cursor: 1 });
  });

  test("takes no more than fits, and no other keys", () => {
    const full = insertText(empty, "x".repeat(4096));
    expect(typed(full, "y")).toEqual(full);
    expect(editField(empty, "pagedown")).toBeNull();
  });
});
