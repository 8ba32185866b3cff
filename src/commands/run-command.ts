/**
 * Runs one command: parses its words, settles its options, calls its handler and turns whatever happens
 * into an exit code and, for errors, one message on stderr. Commands throw; nothing else prints errors.
 */

import { CcError, type ExitCode } from "../runtime/protocol/error.ts";
import { type CommandContext, type CommandIo, OutputClosed } from "./command-context.ts";
import type { Command } from "./dispatch.ts";
import { renderVerbHelp } from "./help.ts";
import { type Environment, settleOptions } from "./settings.ts";
import { ownWords } from "./split-words.ts";

export interface CommandCall {
  readonly command: Command;
  /** The verb as typed, then its words. */
  readonly verb: string;
  readonly words: readonly string[];
  readonly io: CommandIo;
  readonly env: Environment;
  readonly cwd: string;
}

/** Never throws and never exits; what was written has been handed to the system when it resolves. */
export async function runCommand(call: CommandCall): Promise<ExitCode> {
  try {
    const code = await runHandler(call);
    await flush(call.io);
    return code;
  } catch (thrown) {
    if (thrown instanceof OutputClosed) return 0;
    return await fail(thrown, call);
  }
}

async function runHandler(call: CommandCall): Promise<ExitCode> {
  const { table } = call.command;
  if (asksForHelp(call.words)) {
    await call.io.stdout.write(renderVerbHelp(table, call.io.stdout.columnCount));
    return 0;
  }
  const context = await createContext(call);
  const { run } = await call.command.load();
  return await run(context);
}

/** `--help` and `-h` anywhere among a verb's own words. */
function asksForHelp(words: readonly string[]): boolean {
  return ownWords(words).some((word) => word === "--help" || word === "-h");
}

async function createContext({
  command,
  verb,
  words,
  io,
  env,
  cwd,
}: CommandCall): Promise<CommandContext> {
  const { table } = command;
  const { parseArguments } = await import("./parse-arguments.ts");
  const parsed = parseArguments(words, table);
  const settings = settleOptions(table, { given: parsed.given, env, cwd });
  const { values } = settings;
  const mayColor = values["noColor"] !== true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return {
    verb,
    // Each value was converted by its own spec, which is what the handler's types say.
    values: values as CommandContext["values"],
    origins: settings.origins,
    config: settings.config,
    positionals: parsed.positionals,
    rest: parsed.rest,
    products: parsed.products,
    words: [verb, ...words],
    io,
    env,
    cwd,
    json: values["json"] === true,
    quiet: values["quiet"] === true,
    color: { stdout: mayColor && io.stdout.isTerminal, stderr: mayColor && io.stderr.isTerminal },
  };
}

async function fail(thrown: unknown, call: CommandCall): Promise<ExitCode> {
  await flush(call.io).catch(() => undefined);
  const { reportError } = await import("./report-error.ts");
  const code = await reportError(thrown, call);
  // Daemons end with sysexits: 64 for the command line, 78 for configuration file and environment.
  if (code !== 2 || call.command.table.usageExitCode !== 64) return code;
  return thrown instanceof CcError && thrown.code === "bad_config" ? 78 : 64;
}

async function flush(io: CommandIo): Promise<void> {
  await Promise.all([io.stdout.write(""), io.stderr.write("")]);
}
