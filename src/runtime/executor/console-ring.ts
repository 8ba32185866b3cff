/**
 * What an attempt has printed, as its failure shows it: the last 64 KiB, out of the ring from which its log
 * is sent, so that it can be shown also when the attempt has killed its process.
 */
import { KEPT_OUTPUT_BYTES } from "../protocol/limits.ts";
import { RING_END } from "./piece-ring.ts";
import { CONSOLE_FROM, type SharedCell } from "./shared-cell.ts";

const decoder = new TextDecoder();

/** Executor: what is printed from now on belongs to another attempt. */
export function beginConsole({ times, log }: SharedCell): void {
  times[CONSOLE_FROM] = log.state[RING_END] as number;
}

/** With a first line that says how much is missing; "" for nothing. */
export function readConsole({ times, log }: SharedCell): string {
  const { bytes: ring } = log;
  const total = log.state[RING_END] as number;
  const printed = total - (times[CONSOLE_FROM] as number);
  if (!(printed > 0)) return "";
  const kept = Math.min(printed, KEPT_OUTPUT_BYTES);
  const bytes = new Uint8Array(kept);
  const from = (total - kept) % ring.byteLength;
  const untilEnd = Math.min(kept, ring.byteLength - from);
  bytes.set(ring.subarray(from, from + untilEnd), 0);
  bytes.set(ring.subarray(0, kept - untilEnd), untilEnd);
  const text = decoder.decode(bytes);
  return printed > kept ? `… ${printed - kept} bytes before this were dropped\n${text}` : text;
}
