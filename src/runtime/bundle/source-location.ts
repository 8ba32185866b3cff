/**
 * Names places in an author's files the way the author would: `job.ts:12:5`. Pure text work; it must
 * never fail, because it only serves messages about something that already did.
 */
import { isAbsolute, relative } from "node:path";

/** Relative to `cwd` for what lies under it, absolute for everything else. */
export function displayPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === "" || inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export const START: Position = { line: 1, column: 1 };

export function formatPlace(file: string, position: Position): string {
  return `${file}:${position.line}:${position.column}`;
}

/** Where `specifier` stands in quotes in `text`; the start of the file when it does not. */
export function findSpecifier(text: string, specifier: string): Position {
  const offsets = ['"', "'", "`"].map((quote) => text.indexOf(quote + specifier + quote));
  const found = offsets.filter((offset) => offset >= 0);
  return found.length === 0 ? START : positionAt(text, Math.min(...found));
}

/** Where a module exports `name`, as far as its text shows it; the start of the file otherwise. */
export function findExport(text: string, name: string): Position {
  const patterns =
    name === "default"
      ? [/\bexport\s+default\b/, /\bas\s+default\b/, /\bmodule\.exports\b|\bexports\.default\b/]
      : [
          new RegExp(
            `\\bexport\\s+(?:async\\s+)?(?:const|let|var|class|function\\s*\\*?)\\s*${name}\\b`,
          ),
          new RegExp(`\\bexport\\s*\\{[^}]*\\b${name}\\b`),
          new RegExp(`\\bexports\\.${name}\\b`),
        ];
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match) return positionAt(text, match.index);
  }
  return START;
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
