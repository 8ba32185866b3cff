/**
 * What an attempt prints to the console: its last 64 KiB, in the shared cell, so that it can be shown
 * also when the attempt has killed its process. Printing costs a copy and no system call.
 */
import { CONSOLE_FROM, CONSOLE_RING_BYTES, CONSOLE_TOTAL, type SharedCell } from "./shared-cell.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Executor: what is printed from now on belongs to another attempt. */
export function beginConsole(cell: SharedCell): void {
  const { times } = cell;
  times[CONSOLE_FROM] = times[CONSOLE_TOTAL] as number;
}

/** Executor: appends; of a text longer than the ring its end. */
export function writeConsole(cell: SharedCell, text: string): void {
  const { console: ring, times } = cell;
  // More units than the ring has bytes cannot all stay; this bounds what is encoded.
  const bytes = encoder.encode(text.slice(-CONSOLE_RING_BYTES));
  const kept = bytes.subarray(Math.max(0, bytes.byteLength - CONSOLE_RING_BYTES));
  const skipped = text.length > CONSOLE_RING_BYTES ? text.length - CONSOLE_RING_BYTES : 0;
  const total = (times[CONSOLE_TOTAL] as number) + skipped + bytes.byteLength - kept.byteLength;
  const at = total % CONSOLE_RING_BYTES;
  const untilEnd = Math.min(kept.byteLength, CONSOLE_RING_BYTES - at);
  ring.set(kept.subarray(0, untilEnd), at);
  ring.set(kept.subarray(untilEnd), 0);
  times[CONSOLE_TOTAL] = total + kept.byteLength;
}

/** What the attempt has printed, with a first line that says how much is missing; "" for nothing. */
export function readConsole(cell: SharedCell): string {
  const { console: ring, times } = cell;
  const total = times[CONSOLE_TOTAL] as number;
  const printed = total - (times[CONSOLE_FROM] as number);
  if (!(printed > 0)) return "";
  const kept = Math.min(printed, CONSOLE_RING_BYTES);
  const bytes = new Uint8Array(kept);
  const from = (total - kept) % CONSOLE_RING_BYTES;
  const untilEnd = Math.min(kept, CONSOLE_RING_BYTES - from);
  bytes.set(ring.subarray(from, from + untilEnd), 0);
  bytes.set(ring.subarray(0, kept - untilEnd), untilEnd);
  const text = decoder.decode(bytes);
  return printed > kept ? `… ${printed - kept} bytes before this were dropped\n${text}` : text;
}
