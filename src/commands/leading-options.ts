/** `cc --json jobs`: moves the options that every client verb has behind the verb. */
import { usageError } from "../runtime/protocol/error.ts";
import type { Command } from "./dispatch.ts";
import { keyOfFlagName, type OptionTable } from "./option-table.ts";
import { CLIENT_OPTIONS } from "./tables/shared.ts";

/** Throws a usage error where an option of one verb stands first, or where no verb follows. */
export function putVerbFirst(
  words: readonly string[],
  commands: readonly Command[],
): readonly string[] {
  let at = 0;
  for (let word = words[at]; word?.startsWith("-"); word = words[at]) {
    at += takesNextWord(word, words, commands) ? 2 : 1;
  }
  const verb = words[at];
  if (verb === undefined)
    throw usageError(
      "missing_verb",
      `"cc ${words.join(" ")}" names no verb.`,
      "cc --help lists the verbs.",
    );
  return [verb, ...words.slice(0, at), ...words.slice(at + 1)];
}

function takesNextWord(
  word: string,
  words: readonly string[],
  commands: readonly Command[],
): boolean {
  const [flag = word] = word.split("=", 1);
  const key = keyOfFlagName(flag.slice(2));
  const spec = flag.startsWith("--") ? optionOf(CLIENT_OPTIONS, key) : undefined;
  if (spec) return spec.type !== "boolean" && flag === word;
  const owner = commands.find(({ table }) => flag.startsWith("--") && optionOf(table.options, key));
  if (!owner)
    throw usageError("unknown_option", `There is no option ${flag}.`, "cc --help lists the verbs.");
  throw usageError(
    "missing_verb",
    `${flag} stands before any verb.`,
    `cc ${owner.table.verb} ${words.join(" ")}`,
  );
}

function optionOf(options: OptionTable, key: string): OptionTable[string] | undefined {
  return Object.hasOwn(options, key) ? options[key] : undefined;
}
