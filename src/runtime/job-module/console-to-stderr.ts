/**
 * Sends `console.*` of user code that runs in the submitter to stderr, because stdout carries results
 * and nothing else. It must leave `console.error` and its like alone: they go there already.
 */
import { Console } from "node:console";
import process from "node:process";

const STDOUT_METHODS = [
  "log",
  "info",
  "debug",
  "dir",
  "dirxml",
  "table",
  "group",
  "groupCollapsed",
  "groupEnd",
  "count",
  "countReset",
  "timeEnd",
  "timeLog",
  "time",
] as const;

/** Lasts until the returned function is called. */
export function redirectConsoleToStderr(
  stderr: NodeJS.WritableStream = process.stderr,
): () => void {
  const replacement = new Console({ stdout: stderr, stderr });
  const originals = STDOUT_METHODS.map((name) => [name, console[name]] as const);
  for (const name of STDOUT_METHODS) {
    Object.assign(console, { [name]: replacement[name].bind(replacement) });
  }
  return () => {
    for (const [name, original] of originals) Object.assign(console, { [name]: original });
  };
}
