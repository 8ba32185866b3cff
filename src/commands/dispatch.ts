/**
 * Which verb is done by which module. A verb exists when it stands here: help, completion and the
 * documents list these and no others. Modules load when their verb runs, so a new verb costs the others
 * nothing. To add one: `submit: command(SUBMIT_VERB, () => import("./submit.ts")),`.
 */
import type { CommandHandler } from "./command-context.ts";
import type { VerbTable } from "./option-table.ts";
import { COMPLETION_VERB, INIT_VERB, VERSION_VERB } from "./tables/setup.ts";

export interface Command {
  readonly table: VerbTable;
  readonly load: () => Promise<{ readonly run: CommandHandler }>;
}

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, Command>> = {
  init: command(INIT_VERB, () => import("./init.ts")),
  completion: command(COMPLETION_VERB, () => import("./completion.ts")),
  version: command(VERSION_VERB, () => import("./version.ts")),
};

function command<Verb extends VerbTable>(
  table: Verb,
  load: () => Promise<{ readonly run: CommandHandler<Verb> }>,
): Command {
  // The runner builds each context from this very table, so the handler gets the values it is typed for.
  return { table, load: load as unknown as Command["load"] };
}

/** The command of a verb or of its synonym. */
export function findCommand(verb: string): Command | undefined {
  if (Object.hasOwn(COMMANDS, verb)) return COMMANDS[verb];
  return Object.values(COMMANDS).find(({ table }) => table.synonyms?.includes(verb));
}

export function allCommands(): readonly Command[] {
  return Object.values(COMMANDS);
}

/** Every word that stands for a verb. */
export function verbWords(): readonly string[] {
  return allCommands().flatMap(({ table }) => [table.verb, ...(table.synonyms ?? [])]);
}
