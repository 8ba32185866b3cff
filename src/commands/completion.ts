/** `cc completion SHELL`: prints a static script, so that pressing Tab never starts us. */
import type { ExitCode } from "../runtime/protocol/error.ts";
import { usageError } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import { renderBash } from "./completion/bash.ts";
import { describeVerbs } from "./completion/described-verb.ts";
import { renderFish } from "./completion/fish.ts";
import { renderZsh } from "./completion/zsh.ts";
import { allCommands } from "./dispatch.ts";
import type { COMPLETION_VERB } from "./tables/setup.ts";

const RENDERERS = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const;

export async function run(context: CommandContext<typeof COMPLETION_VERB>): Promise<ExitCode> {
  const shell = context.positionals[0];
  if (!isShell(shell)) {
    throw usageError(
      "bad_choice",
      `There is no completion for "${shell}".`,
      "cc completion bash, zsh or fish",
    );
  }
  const verbs = describeVerbs(allCommands().map(({ table }) => table));
  await context.io.stdout.write(RENDERERS[shell](verbs));
  return 0;
}

function isShell(name: string): name is keyof typeof RENDERERS {
  return Object.hasOwn(RENDERERS, name);
}
