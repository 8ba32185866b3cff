/**
 * The filter language of a monitor's lists: words separated by blanks, all of which must hold. Parsed and
 * evaluated here alone, so that the monitor (which shows what is wrong with a filter) and the foreman
 * (which applies it) never differ. Never runs a regular expression of a user's, never costs more than a
 * look at each text per word.
 *
 *   render            in any text of the row, whatever the case; "two words" with blanks
 *   state:failed,R    a field is one of these; names, hosts and codes contain it; `*` any characters
 *   failed>10         a field's number: > < >= <= and : for equal; k, M, G multiply
 *   >10s <2m          how long it runs, or ran
 *   !word             the opposite of any of these
 */
import { assertNever, CcError, usageError } from "./error.ts";
import { parseDurationMs } from "./quantity.ts";
import { JOB_STATES, TASK_STATES, WORKER_STATES } from "./views.ts";

/** More is no filter that a person typed. */
const FILTER_CHARACTERS_MAX = 4096;
const FILTER_WORDS_MAX = 64;
const QUOTED_CHARACTERS_MAX = 40;
/** Of one text of a row: what a screen could show of it. */
const TEXT_CHARACTERS_MAX = 2048;

/** What a list's row offers to a filter, mostly made when it is asked for. Fields that are not there match nothing. */
export interface FilterRow {
  readonly texts: readonly string[];
  readonly fields: Readonly<Record<string, string | number | readonly string[] | null>>;
  /** How long it runs or ran; null: not known. */
  readonly seconds: number | null;
  /** Its state's name; a job whose inputs are open has "open" beside it. */
  readonly states: readonly string[];
}

export type Comparison = ">" | "<" | ">=" | "<=" | "=";

export type FilterWord = { readonly isInverted: boolean } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "states"; readonly states: ReadonlySet<string> }
  | { readonly kind: "values"; readonly field: string; readonly patterns: readonly Pattern[] }
  | {
      readonly kind: "number";
      readonly field: string;
      readonly comparison: Comparison;
      readonly bound: number;
    }
  | { readonly kind: "seconds"; readonly comparison: Comparison; readonly bound: number }
);

/** The parts between stars, lower case. */
interface Pattern {
  readonly parts: readonly string[];
  /** It may stand anywhere in the value. */
  readonly isInside: boolean;
}

export interface RowFilter {
  readonly words: readonly FilterWord[];
}

export type ParsedFilter =
  | { readonly ok: true; readonly filter: RowFilter }
  | { readonly ok: false; readonly message: string };

export type FilterList = "jobs" | "workers" | "tasks" | "slots";

/** Fields that hold texts; with true a part of the text is enough. */
const TEXT_FIELDS = {
  state: false,
  name: true,
  owner: false,
  worker: false,
  queue: false,
  job: false,
  code: true,
  host: true,
  label: false,
} as const;
type TextField = keyof typeof TEXT_FIELDS;

const NUMBER_FIELDS = [
  "failed",
  "running",
  "queued",
  "done",
  "total",
  "rate",
  "priority",
  "attempts",
  "slots",
  "cpu",
  "memory",
] as const;
type FilterField = TextField | (typeof NUMBER_FIELDS)[number];

/** Which fields the rows of a list have. */
const FILTER_FIELDS: Readonly<Record<FilterList, readonly FilterField[]>> = {
  jobs: [
    ...(["state", "name", "owner", "queue", "job", "label"] as const),
    ...(["failed", "running", "queued", "done", "total", "rate", "priority"] as const),
  ],
  workers: [
    ...(["state", "worker", "host", "queue", "label", "job"] as const),
    ...(["slots", "running", "done", "failed", "rate", "cpu", "memory"] as const),
  ],
  tasks: ["state", "worker", "code", "attempts"],
  slots: ["job", "attempts", "cpu", "memory"],
};

/** Which words `state:` knows in a list; `active` is everything that has not ended. */
const FILTER_STATES: Readonly<Record<FilterList, readonly string[]>> = {
  jobs: ["active", "open", ...JOB_STATES],
  workers: ["active", ...WORKER_STATES],
  tasks: ["active", ...TASK_STATES],
  slots: [],
};

const STATE_OF_LETTER: Readonly<Record<string, string>> = {
  o: "open",
  b: "blocked",
  q: "queued",
  y: "delayed",
  r: "running",
  p: "paused",
  c: "completed",
  f: "failed",
  x: "cancelled",
  u: "up",
  d: "draining",
  l: "lost",
  g: "gone",
};

const ENDED_STATES = new Set(["completed", "failed", "cancelled", "gone"]);

const MULTIPLIERS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Never throws: what cannot be read becomes a sentence that names what could stand there. */
export function parseRowFilter(text: string, list: FilterList): ParsedFilter {
  try {
    if (text.length > FILTER_CHARACTERS_MAX) {
      throw refusal(`A filter has at most ${FILTER_CHARACTERS_MAX} characters.`);
    }
    const words = splitWords(text);
    if (words.length > FILTER_WORDS_MAX) {
      throw refusal(`A filter has at most ${FILTER_WORDS_MAX} words.`);
    }
    return { ok: true, filter: { words: words.map((word) => readWord(word, list)) } };
  } catch (error) {
    if (error instanceof CcError) return { ok: false, message: error.message };
    throw error;
  }
}

/** Whether every word of the filter holds for the row. */
export function matchesRow(filter: RowFilter, row: FilterRow): boolean {
  const look = lookAt(row);
  return filter.words.every((word) => holds(word, look) !== word.isInverted);
}

/** A row while its words are tried: what several of them ask for is made once. */
interface RowLook {
  readonly row: FilterRow;
  /** Lower case. */
  texts(): readonly string[];
  field(name: string): string | number | readonly string[] | null;
}

function lookAt(row: FilterRow): RowLook {
  let texts: readonly string[] | null = null;
  let fields: FilterRow["fields"] | null = null;
  return {
    row,
    texts: () => (texts ??= row.texts.map(foldCase)),
    field(name) {
      fields ??= row.fields;
      return (Object.hasOwn(fields, name) ? fields[name] : null) ?? null;
    },
  };
}

/** The states' names for which the filter's `state:` words hold, of those given. */
export function statesAllowed(filter: RowFilter, names: readonly string[]): string[] {
  return names.filter((name) =>
    filter.words.every(
      (word) => word.kind !== "states" || hasState(word.states, [name]) !== word.isInverted,
    ),
  );
}

interface RawWord {
  readonly isInverted: boolean;
  /** It began with a quotation mark, so it is text whatever it holds. */
  readonly isQuoted: boolean;
  readonly text: string;
}

/** Splits at blanks that are not quoted; a quotation may also begin inside a word and need not end. */
function splitWords(text: string): RawWord[] {
  const words: RawWord[] = [];
  let at = 0;
  while (at < text.length) {
    if (isBlank(text[at])) {
      at++;
      continue;
    }
    const isInverted = text[at] === "!";
    if (isInverted) at++;
    const isQuoted = text[at] === '"';
    let word = "";
    let isInside = false;
    for (; at < text.length && (isInside || !isBlank(text[at])); at++) {
      if (text[at] === '"') isInside = !isInside;
      else word += text[at];
    }
    // A lone "!" or an empty quotation is a word that is still being typed.
    if (word !== "") words.push({ isInverted, isQuoted, text: word });
  }
  return words;
}

const isBlank = (character: string | undefined): boolean =>
  character === " " || character === "\t" || character === "\n" || character === "\u3000";

function readWord({ isInverted, isQuoted, text }: RawWord, list: FilterList): FilterWord {
  const split = isQuoted ? null : /^([A-Za-z_]*)(>=|<=|>|<|:)(.*)$/s.exec(text);
  const [, name = "", operator = "", rest = ""] = split ?? [];
  if (split === null || (name === "" && operator === ":")) {
    return { kind: "text", text: text.toLowerCase(), isInverted };
  }
  const comparison = operator === ":" ? "=" : (operator as Comparison);
  if (name === "") return { kind: "seconds", comparison, bound: readSeconds(rest), isInverted };
  const field = readField(name, text, list);
  if (isNumberField(field)) return { ...readNumber(field, rest, text), comparison, isInverted };
  if (operator !== ":") throw refusal(`"${field}" is no number: write ${field}:VALUE.`);
  const values = rest.split(",").filter((value) => value !== "");
  if (values.length === 0) throw refusal(`"${field}:" needs a value${valueNames(field, list)}.`);
  if (field === "state") {
    return {
      kind: "states",
      states: new Set(values.flatMap((v) => readState(v, list))),
      isInverted,
    };
  }
  const isInside = TEXT_FIELDS[field];
  return {
    kind: "values",
    field,
    patterns: values.map((value) => ({ parts: value.toLowerCase().split("*"), isInside })),
    isInverted,
  };
}

const isNumberField = (field: FilterField): field is (typeof NUMBER_FIELDS)[number] =>
  !Object.hasOwn(TEXT_FIELDS, field);

function readField(name: string, word: string, list: FilterList): FilterField {
  const wanted = name.toLowerCase();
  const field = FILTER_FIELDS[list].find((known) => known === wanted);
  if (field !== undefined) return field;
  throw refusal(
    `There is no field "${shorten(name)}" here, but ${FILTER_FIELDS[list].join(", ")}; ` +
      `"${shorten(word)}" in quotation marks is looked for as text.`,
  );
}

function readState(value: string, list: FilterList): string[] {
  const wanted = value.toLowerCase().replaceAll("-", " ");
  const known = FILTER_STATES[list];
  const byLetter = Object.hasOwn(STATE_OF_LETTER, wanted) ? STATE_OF_LETTER[wanted] : undefined;
  if (byLetter !== undefined && known.includes(byLetter)) return [byLetter];
  const wide = wanted === "done" ? "completed" : wanted === "canceled" ? "cancelled" : wanted;
  const found = known.includes(wide) ? [wide] : known.filter((name) => name.startsWith(wide));
  if (found.length > 0) return found;
  throw refusal(`"${shorten(value)}" is no state here${valueNames("state", list)}.`);
}

const valueNames = (field: FilterField, list: FilterList): string =>
  field === "state" ? `: ${FILTER_STATES[list].join(", ")}` : "";

/** Of memory a share of the machine, or bytes where a unit says so. */
function readNumber(
  field: FilterField,
  rest: string,
  word: string,
): { kind: "number"; field: string; bound: number } {
  const match = /^(-?\d{1,15}(?:\.\d{1,15})?)(?:([kmgt])i?b?|%)?$/i.exec(rest);
  const unit = match?.[2]?.toLowerCase();
  if (!match) {
    throw refusal(`"${shorten(word)}" needs a number, such as ${field}>10 or ${field}>2k.`);
  }
  const isBytes = field === "memory" && unit !== undefined;
  const factor = unit === undefined ? 1 : (isBytes ? BYTES_OF_UNIT : MULTIPLIERS)[unit];
  return {
    kind: "number",
    field: isBytes ? "memory_bytes" : field,
    bound: Number(match[1]) * (factor ?? 1),
  };
}

function readSeconds(text: string): number {
  if (text !== "") return parseDurationMs(shorten(text), "time") / 1000;
  throw refusal("A time is written with its unit, such as >10s or <2m.");
}

function holds(word: FilterWord, look: RowLook): boolean {
  switch (word.kind) {
    case "text":
      return look.texts().some((text) => text.includes(word.text));
    case "states":
      return hasState(word.states, look.row.states);
    case "values":
      return valuesOf(look, word.field).some((value) =>
        word.patterns.some((pattern) => fits(pattern, value, word.field)),
      );
    case "number":
      return compares(numberOf(look, word.field), word.comparison, word.bound);
    case "seconds":
      return compares(look.row.seconds, word.comparison, word.bound);
    default:
      return assertNever(word, "filter word");
  }
}

function hasState(wanted: ReadonlySet<string>, states: readonly string[]): boolean {
  return (
    states.some((state) => wanted.has(state)) ||
    (wanted.has("active") && !states.some((state) => ENDED_STATES.has(state)))
  );
}

function valuesOf(look: RowLook, field: string): string[] {
  const value = look.field(field);
  if (value === null) return [];
  return (typeof value === "object" ? value : [String(value)]).map(foldCase);
}

function numberOf(look: RowLook, field: string): number | null {
  const value = look.field(field);
  return typeof value === "number" ? value : null;
}

/** A label `gpu=a100` is also found by its name alone. */
function fits(pattern: Pattern, value: string, field: string): boolean {
  if (fitsWhole(pattern, value)) return true;
  const at = field === "label" ? value.indexOf("=") : -1;
  return at >= 0 && fitsWhole(pattern, value.slice(0, at));
}

/** The parts stand in the value one after the other; the outer ones at its ends. Linear: no going back. */
function fitsWhole({ parts, isInside }: Pattern, value: string): boolean {
  const [first = ""] = parts;
  if (parts.length === 1) return isInside ? value.includes(first) : value === first;
  const last = parts.at(-1) ?? "";
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}

function compares(value: number | null, comparison: Comparison, bound: number): boolean {
  if (value === null) return false;
  switch (comparison) {
    case ">":
      return value > bound;
    case "<":
      return value < bound;
    case ">=":
      return value >= bound;
    case "<=":
      return value <= bound;
    case "=":
      return value === bound;
    default:
      return assertNever(comparison, "comparison");
  }
}

const foldCase = (text: string): string => text.slice(0, TEXT_CHARACTERS_MAX).toLowerCase();

const shorten = (text: string): string =>
  text.length <= QUOTED_CHARACTERS_MAX ? text : `${text.slice(0, QUOTED_CHARACTERS_MAX - 1)}…`;

const refusal = (message: string): CcError => usageError("bad_filter", message);
