/**
 * Cuts a command line into options and positionals, the words after `--`, and `:::` lists, and brings
 * options into one form (`--name=value`), so that `-o-`, `-n5`, `-dq` and `--priority -10` all mean what
 * they do elsewhere. Nothing after `--` is ever looked into.
 */
import { nearestName } from "../runtime/platform/nearest-name.ts";
import { usageError } from "../runtime/protocol/error.ts";
import { flagNameOf, type OptionSpec, type VerbTable } from "./option-table.ts";

const PRODUCT_MARK = ":::";

/** The words before `--` and `:::`: those that are about us. */
export function ownWords(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => word === "--" || word === PRODUCT_MARK);
  return end < 0 ? words : words.slice(0, end);
}

export interface SplitWords {
  /** Options as `--name=value`, then positionals as they are. */
  readonly options: readonly string[];
  readonly positionals: readonly string[];
  readonly rest: readonly string[] | null;
  readonly products: readonly (readonly string[])[];
}

/** Throws a usage error for an unknown option, a missing value, or a part that the verb does not take. */
export function splitWords(words: readonly string[], table: VerbTable): SplitWords {
  const { head, rest, products } = cutAtMarks(words, table);
  const names = flagLookup(table);
  const options: string[] = [];
  const positionals: string[] = [];
  for (let at = 0; at < head.length; at += 1) {
    const word = head[at] ?? "";
    if (word === "-" || !word.startsWith("-")) positionals.push(word);
    else if (word.startsWith("--")) at += takeLong(word, head[at + 1], names, options);
    else at += takeShort(word, head[at + 1], names, options);
  }
  // A job file's own arguments are untouched, even `:::`; only a command's words may end in lists.
  if (rest === null || positionals.length > 0 || !table.acceptsProducts) {
    return { options, positionals, rest, products };
  }
  const cut = cutProducts(rest);
  return { options, positionals, rest: cut.before, products: cut.lists };
}

interface CutWords {
  readonly head: readonly string[];
  readonly rest: readonly string[] | null;
  readonly products: readonly (readonly string[])[];
}

function cutAtMarks(words: readonly string[], table: VerbTable): CutWords {
  const dashes = words.indexOf("--");
  const mark = table.acceptsProducts ? words.indexOf(PRODUCT_MARK) : -1;
  if (mark >= 0 && (dashes < 0 || mark < dashes)) {
    const cut = cutProducts(words);
    return { head: cut.before, rest: null, products: cut.lists };
  }
  if (dashes < 0) return { head: words, rest: null, products: [] };
  if (!table.acceptsRest && dashes < words.length - 1) {
    throw usageError(
      "unexpected_words",
      `cc ${table.verb} takes nothing after "--", but got "${words[dashes + 1]}".`,
      `cc ${table.verb} --help`,
    );
  }
  return {
    head: words.slice(0, dashes),
    rest: table.acceptsRest ? words.slice(dashes + 1) : null,
    products: [],
  };
}

function cutProducts(words: readonly string[]): {
  before: readonly string[];
  lists: readonly (readonly string[])[];
} {
  const lists: string[][] = [];
  const before: string[] = [];
  for (const word of words) {
    if (word === PRODUCT_MARK) lists.push([]);
    else (lists.at(-1) ?? before).push(word);
  }
  if (lists.some((list) => list.length === 0)) {
    throw usageError(
      "no_inputs",
      'A ":::" is followed by no input.',
      "Write the inputs after it: ::: A B C",
    );
  }
  return { before, lists };
}

interface Flag {
  readonly name: string;
  readonly spec: OptionSpec;
  readonly negated: boolean;
}

interface FlagLookup {
  readonly verb: string;
  readonly long: ReadonlyMap<string, Flag>;
  readonly short: ReadonlyMap<string, Flag>;
}

function flagLookup(table: VerbTable): FlagLookup {
  const long = new Map<string, Flag>();
  const short = new Map<string, Flag>();
  for (const [key, spec] of Object.entries(table.options)) {
    const flag = { name: flagNameOf(key), spec, negated: false };
    long.set(flag.name, flag);
    if (spec.short !== undefined) short.set(spec.short, flag);
    if (spec.type === "boolean" && spec.negatable)
      long.set(`no-${flag.name}`, { ...flag, negated: true });
  }
  return { verb: table.verb, long, short };
}

/** Returns how many further words were taken. */
function takeLong(
  word: string,
  next: string | undefined,
  names: FlagLookup,
  options: string[],
): number {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const flag = names.long.get(name);
  if (!flag) throw unknownOption(`--${name}`, names);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  return takeValue({ flag, shown: `--${name}`, attached, next }, options);
}

/** `-dq` is `-d -q`; `-ofile`, `-o=file` and `-o file` are the same. Returns how many further words were taken. */
function takeShort(
  word: string,
  next: string | undefined,
  names: FlagLookup,
  options: string[],
): number {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] ?? "";
    const flag = names.short.get(letter);
    if (!flag) throw unknownOption(`-${letter}`, names);
    const remainder = word.slice(at + 1);
    if (flag.spec.type === "boolean" && !remainder.startsWith("=")) {
      takeValue({ flag, shown: `-${letter}`, attached: undefined, next: undefined }, options);
      continue;
    }
    const attached = remainder === "" ? undefined : remainder.replace(/^=/, "");
    return takeValue({ flag, shown: `-${letter}`, attached, next }, options);
  }
  return 0;
}

interface FlagUse {
  readonly flag: Flag;
  readonly shown: string;
  readonly attached: string | undefined;
  readonly next: string | undefined;
}

function takeValue({ flag, shown, attached, next }: FlagUse, options: string[]): number {
  if (flag.spec.type === "boolean") {
    if (attached !== undefined && attached !== "true" && attached !== "false") {
      throw usageError("unexpected_value", `${shown} takes no value, but got "${attached}".`);
    }
    const given = attached !== "false";
    options.push(`--${flag.name}=${String(given !== flag.negated)}`);
    return 0;
  }
  if (attached !== undefined || flag.spec.type === "optional-integer") {
    options.push(`--${flag.name}=${attached ?? ""}`);
    return 0;
  }
  if (next === undefined || /^-[^0-9.]/.test(next)) {
    const hint =
      next === undefined ? undefined : `If "${next}" is the value, write --${flag.name}=${next}`;
    throw usageError("missing_value", `${shown} needs a value.`, hint);
  }
  options.push(`--${flag.name}=${next}`);
  return 1;
}

function unknownOption(shown: string, names: FlagLookup): Error {
  const near = nearestName(shown.replace(/^-+/, ""), names.long.keys());
  const hint =
    near === null || shown.length < 3 ? `cc ${names.verb} --help` : `Did you mean --${near}?`;
  return usageError("unknown_option", `cc ${names.verb} has no option ${shown}.`, hint);
}
