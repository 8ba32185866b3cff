/** Says on stderr what went wrong: a sentence and a hint for people, one object for scripts (`--json`). */
import { safeText } from "../runtime/platform/safe-text.ts";
import { type CcError, type ExitCode, toCcError } from "../runtime/protocol/error.ts";
import type { CommandIo } from "./command-context.ts";
import { inertJsonText } from "./inert-json.ts";
import { createPalette } from "./palette.ts";
import { ownWords } from "./split-words.ts";

export interface FailedCall {
  readonly words: readonly string[];
  readonly io: CommandIo;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Returns the exit code that the error asks for. */
export async function reportError(
  thrown: unknown,
  { words, io, env }: FailedCall,
): Promise<ExitCode> {
  const error = toCcError(thrown);
  // The words may be what is wrong, so they are looked at without the parser.
  const own = ownWords(words);
  const color =
    io.stderr.isTerminal &&
    !env["NO_COLOR"] &&
    env["TERM"] !== "dumb" &&
    !own.includes("--no-color");
  const text = own.includes("--json")
    ? inertJsonText(errorAsJson(error), io.stderr.isTerminal)
    : errorAsText(error, color);
  // With stderr gone too, the exit code is all that is left to say it.
  await io.stderr.write(text).catch(() => undefined);
  return error.exitCode;
}

/** The object that scripts read from stderr under `--json`. */
export function errorAsJson(error: CcError): string {
  return `${JSON.stringify(error.toView())}\n`;
}

/** `cc: message`, then `hint: …`, and the stack of what is our own fault. */
export function errorAsText(error: CcError, color: boolean): string {
  const palette = createPalette(color);
  const lines = [`${palette.bad("cc:")} ${safeText(error.message)}`];
  if (error.hint !== undefined) lines.push(`${palette.faint("hint:")} ${safeText(error.hint)}`);
  if (error.code === "internal" && error.cause instanceof Error && error.cause.stack) {
    lines.push(safeText(error.cause.stack));
  }
  return `${lines.join("\n")}\n`;
}
