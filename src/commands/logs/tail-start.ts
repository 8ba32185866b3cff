/** Where the last lines of a log begin: found from its end, however long the rest is. */
import type { Link } from "../../runtime/client/link.ts";
import { type LogPiece, piecesOf } from "../../runtime/client/log-lines.ts";
import { askLogs, type LogSubject } from "../../runtime/client/read-logs.ts";

export interface TailStart {
  readonly cursor: number;
  /** Lines from there on that are too many. */
  readonly skipLines: number;
}

const PAGE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export async function findTailStart(
  link: Link,
  subject: LogSubject,
  lineCount: number,
): Promise<TailStart> {
  let cursor: number | undefined;
  let found = 0;
  for (;;) {
    const position = { direction: "backward", cursor, bytesMax: PAGE_BYTES, wait: false } as const;
    const page = await link.run((connection) => askLogs(connection, subject, position));
    // At the end of all, and nothing of it is wanted.
    if (lineCount === 0) return { cursor: page.next_cursor, skipLines: 0 };
    const pieces = [...piecesOf(page)];
    if (cursor === undefined) found += isUnended(pieces.at(-1)) ? 1 : 0;
    for (const piece of pieces) found += linesIn(piece);
    cursor = page.first_cursor;
    if (page.at_start || found > lineCount) {
      return { cursor, skipLines: Math.max(0, found - lineCount) };
    }
  }
}

/** The pieces without their first lines. */
export function createLineSkipper(skipLines: number): (piece: LogPiece) => LogPiece | null {
  let left = skipLines;
  return (piece) => {
    if (left === 0) return piece;
    if (piece.stream === "gap") {
      left--;
      return null;
    }
    let from = 0;
    while (left > 0) {
      const end = piece.bytes.indexOf(NEWLINE, from);
      if (end < 0) return null;
      from = end + 1;
      left--;
    }
    return from === piece.bytes.byteLength ? null : { ...piece, bytes: piece.bytes.subarray(from) };
  };
}

function linesIn({ stream, bytes }: LogPiece): number {
  if (stream === "gap") return 1;
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

const isUnended = (piece: LogPiece | undefined): boolean =>
  piece !== undefined && piece.stream !== "gap" && piece.bytes.at(-1) !== NEWLINE;
