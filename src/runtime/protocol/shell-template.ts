/**
 * A text for `/bin/sh -c` with placeholders. A value never becomes part of what the shell parses: a
 * harmless one (letters, digits, `_./:@%+,-`) stands there bare, any other is assigned to a variable
 * before the text, in POSIX single quotes, and its place holds the quoted variable. So a value cannot
 * run anything even where the scan below mistakes the quoting around it.
 */
import { usageError } from "./error.ts";
import { type Placeholder, parseTemplate, type Resolver, WHOLE_INPUT } from "./placeholder.ts";

/** What surrounds a placeholder; decides how a variable is written there. */
type Quoting = "bare" | "single" | "double" | "arithmetic" | "comment";

type ShellPart =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "placeholder";
      readonly source: string;
      readonly placeholder: Placeholder;
      readonly quoting: Quoting;
      /** `2>file` would be a redirection of stderr where the value is 2. */
      readonly isBeforeRedirection: boolean;
    };

const HARMLESS = /^[A-Za-z0-9_./:@%+,-]+$/;
const RESERVED = new Set(
  "if then else elif fi do done case esac while until for in select function time".split(" "),
);

/** Fills `["/bin/sh", "-c", text]` in for a task. */
export function compileShell(
  text: string,
  rename: string | null,
  appendsInput: boolean,
): (resolver: Resolver) => readonly string[] {
  const parts = parseShell(text, rename);
  return (resolver) => {
    const variables: string[] = [];
    let script = "";
    let isUsed = false;
    for (const part of parts) {
      const values = part.kind === "text" ? null : resolver.resolve(part.placeholder);
      if (part.kind === "text") script += part.text;
      else if (values === null) script += part.source;
      else {
        isUsed = true;
        script += values.map((value) => writeValue(value, part, variables)).join(" ");
      }
    }
    const appended = isUsed || !appendsInput ? null : resolver.resolve(WHOLE_INPUT);
    for (const value of appended ?? []) script += ` ${writeValue(value, APPENDED, variables)}`;
    return ["/bin/sh", "-c", variables.join("") + script];
  };
}

const APPENDED = { quoting: "bare", isBeforeRedirection: false } as const;

function writeValue(
  value: string,
  place: { readonly quoting: Quoting; readonly isBeforeRedirection: boolean },
  variables: string[],
): string {
  if (HARMLESS.test(value)) {
    const isWord = place.quoting === "bare" && (place.isBeforeRedirection || RESERVED.has(value));
    return isWord ? `'${value}'` : value;
  }
  const name = `CC_VALUE_${variables.length + 1}`;
  variables.push(`${name}='${value.replaceAll("'", "'\\''")}'; `);
  switch (place.quoting) {
    case "bare":
      return `"\${${name}}"`;
    case "single":
      return `'"\${${name}}"'`;
    case "double":
    case "arithmetic":
    case "comment":
      return `\${${name}}`;
  }
}

function parseShell(text: string, rename: string | null): readonly ShellPart[] {
  const scan = createShellScan();
  const pieces = parseTemplate(text, rename);
  return pieces.map((piece, i): ShellPart => {
    if (piece.kind === "text") {
      scan.read(piece.text);
      return piece;
    }
    const next = pieces[i + 1];
    const part: ShellPart = {
      ...piece,
      quoting: scan.quoting(),
      isBeforeRedirection: next?.kind === "text" && /^[<>]/.test(next.text),
    };
    if (scan.isHereDocument()) throw inHereDocument(piece.source);
    scan.read("x");
    return part;
  });
}

function inHereDocument(source: string): Error {
  return usageError(
    "bad_template",
    `--shell: the placeholder ${source} stands in a here-document, where a value cannot be quoted.`,
    `Give the value to the shell with --env 'VALUE=${source}' and write "$VALUE" instead.`,
  );
}

interface ShellScan {
  read(text: string): void;
  quoting(): Quoting;
  isHereDocument(): boolean;
}

/** What is open, innermost last: a quote, `$(`, `$((`, a backquote or `${`. */
type Open = "'" | '"' | "$(" | "$((" | "(" | "`" | "${" | "#";

/** Follows the quoting of shell text as far as placeholders need it. */
function createShellScan(): ShellScan {
  const open: Open[] = [];
  let hereDocument: "none" | "announced" | "begun" = "none";
  let isWordStart = true;
  let isEscaped = false;

  /** Returns how many characters it took. */
  function step(text: string, at: number): number {
    const inner = open.at(-1);
    const char = text[at] as string;
    if (isEscaped) {
      isEscaped = false;
      return 1;
    }
    if (inner === "'") {
      if (char === "'") open.pop();
      return 1;
    }
    if (inner === "#") {
      if (char === "\n") open.pop();
      return 1;
    }
    if (char === "\\") {
      isEscaped = true;
      return 1;
    }
    return stepCode(text, at, inner);
  }

  function stepCode(text: string, at: number, inner: Open | undefined): number {
    const char = text[at] as string;
    const opening = openingAt(text, at);
    if (opening !== null) {
      open.push(opening);
      return opening.length;
    }
    if (char === "`" || char === '"') toggle(char);
    else if (inner === '"') return 1;
    else if (inner === "$((" && text.startsWith("))", at)) {
      open.pop();
      return 2;
    } else if (char === "(") open.push("(");
    else if (char === ")" && (inner === "$(" || inner === "(")) open.pop();
    else if (char === "}" && inner === "${") open.pop();
    else if (char === "'") open.push("'");
    else if (char === "#" && isWordStart) open.push("#");
    else if (char === "\n" && hereDocument === "announced") hereDocument = "begun";
    else if (text.startsWith("<<", at)) return stepHereDocument(text, at, inner);
    return 1;
  }

  function stepHereDocument(text: string, at: number, inner: Open | undefined): number {
    if (text.startsWith("<<<", at)) return 3;
    if (inner !== "$((") hereDocument = "announced";
    return 2;
  }

  function toggle(char: "`" | '"'): void {
    if (open.at(-1) === char) open.pop();
    else open.push(char);
  }

  return {
    read(text) {
      for (let at = 0; at < text.length; ) {
        const taken = step(text, at);
        isWordStart = /[\s;&|(`]/.test(text[at + taken - 1] as string);
        at += taken;
      }
    },
    quoting: () => QUOTING_OF[open.at(-1) ?? "("],
    isHereDocument: () => hereDocument === "begun",
  };
}

const QUOTING_OF: Readonly<Record<Open, Quoting>> = {
  "'": "single",
  '"': "double",
  "$((": "arithmetic",
  "#": "comment",
  "$(": "bare",
  "(": "bare",
  "`": "bare",
  "${": "bare",
};

function openingAt(text: string, at: number): "$((" | "$(" | "${" | null {
  if (text[at] !== "$") return null;
  if (text.startsWith("$((", at)) return "$((";
  if (text.startsWith("$(", at)) return "$(";
  return text.startsWith("${", at) ? "${" : null;
}
