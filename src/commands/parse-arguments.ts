/**
 * Parses a verb's command line by its table: yargs reads the options, the table says what they mean. It
 * is loaded only when a command runs; help and completion never need it.
 */
import yargs, { type Options } from "yargs";
import { usageError } from "../runtime/protocol/error.ts";
import { convertTexts } from "./convert-value.ts";
import { flagNameOf, type OptionTable, type VerbTable } from "./option-table.ts";
import { splitWords } from "./split-words.ts";

export interface ParsedArguments {
  /** Only the options that were given; keys are camelCase. */
  readonly given: ReadonlyMap<string, unknown>;
  readonly positionals: readonly string[];
  readonly rest: readonly string[] | null;
  readonly products: readonly (readonly string[])[];
}

/** Throws a usage error that names the flag and the value. */
export function parseArguments(words: readonly string[], table: VerbTable): ParsedArguments {
  const split = splitWords(words, table);
  const texts = readOptions(split.options, table.options);
  const given = new Map<string, unknown>();
  for (const [key, spec] of Object.entries(table.options)) {
    const flag = flagNameOf(key);
    const found = texts.get(flag);
    if (found !== undefined) given.set(key, convertTexts(spec, found, `--${flag}`));
  }
  checkPositionals(split.positionals, table);
  return { given, positionals: split.positionals, rest: split.rest, products: split.products };
}

function readOptions(
  words: readonly string[],
  options: OptionTable,
): ReadonlyMap<string, readonly string[]> {
  const flags = Object.keys(options).map(flagNameOf);
  // Every option is read as a list of texts: so a repetition is seen, and no value is guessed at.
  const described: Record<string, Options> = {};
  for (const flag of flags) described[flag] = { type: "string", array: true, nargs: 1 };
  const parsed = yargs(words.map(guardValue))
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "greedy-arrays": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "short-option-groups": false,
    })
    .options(described)
    .detectLocale(false)
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail(false)
    .parseSync() as Readonly<Record<string, unknown>>;
  const texts = new Map<string, readonly string[]>();
  for (const flag of flags) {
    const value = parsed[flag];
    if (Array.isArray(value))
      texts.set(
        flag,
        value.map((text) => String(text).slice(GUARD.length)),
      );
  }
  return texts;
}

/** yargs takes quotes off a value and refuses an empty one; behind this mark it sees neither. */
const GUARD = "=";

function guardValue(word: string): string {
  const at = word.indexOf("=") + 1;
  return word.slice(0, at) + GUARD + word.slice(at);
}

function checkPositionals(given: readonly string[], table: VerbTable): void {
  const required = table.positionals.filter((positional) => positional.required);
  const missing = required[given.length];
  if (missing) {
    throw usageError(
      "missing_argument",
      `cc ${table.verb} needs ${missing.name}.`,
      `cc ${table.usage[0] ?? table.verb}`,
    );
  }
  if (table.positionals.at(-1)?.many) return;
  const surplus = given[table.positionals.length];
  if (surplus !== undefined) {
    const hint = table.acceptsRest
      ? `Words for the program itself stand after "--".`
      : `cc ${table.verb} --help`;
    throw usageError("unexpected_argument", surplusText(table, surplus), hint);
  }
}

function surplusText({ verb, positionals, acceptsRest }: VerbTable, surplus: string): string {
  const [only] = positionals;
  return only === undefined || acceptsRest
    ? `cc ${verb} does not take "${surplus}".`
    : `cc ${verb} takes one ${only.name}, not also "${surplus}".`;
}
