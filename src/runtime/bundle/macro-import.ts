/**
 * Finds imports of macros, which the bundler would run while it parses. Text search is enough: the
 * file is the author's own, and a macro written so that it is not found runs as its author anyway.
 */
import { type Position, START } from "./source-location.ts";

const MACRO_ATTRIBUTE = /\b(?:with|assert)\s*\{[^}]*?["']?type["']?\s*:\s*["'`]macro["'`]/;
const MACRO_SCHEME = /["'`]macro:/;

export function isMacroImport(text: string): boolean {
  return MACRO_ATTRIBUTE.test(text) || MACRO_SCHEME.test(text);
}

/** Where the macro is imported. */
export function macroPosition(text: string): Position {
  const match = MACRO_ATTRIBUTE.exec(text) ?? MACRO_SCHEME.exec(text);
  if (!match) return START;
  const before = text.slice(0, match.index).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
