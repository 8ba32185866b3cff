/**
 * Arguments are bytes, and the runtime turns what is no UTF-8 into U+FFFD. Such a word would name another
 * file at the worker than it did at the shell, so it is refused before anything is submitted.
 */
import { readFileSync } from "node:fs";
import { usageError } from "../../runtime/protocol/error.ts";

const REPLACEMENT = "\ufffd";

/** @throws CcError `not_utf8`, exit 2. */
export function refuseMangledWords(words: readonly string[]): void {
  const mangled = words.find((word) => word.includes(REPLACEMENT));
  if (mangled === undefined || isOurCommandLineText()) return;
  throw usageError(
    "not_utf8",
    `The argument "${mangled}" is not UTF-8 text, and would reach a task changed.`,
    "Rename the file, or let the command find it: cc submit --shell -- 'CMD *'",
  );
}

/** Somebody may have meant the character itself. Where nobody can tell, the word is refused. */
function isOurCommandLineText(): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(readFileSync("/proc/self/cmdline"));
    return true;
  } catch {
    return false;
  }
}
