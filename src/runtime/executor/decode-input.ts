/**
 * Decodes a task's input. The usual small ones, whole numbers and short texts, without a detour: a
 * million tasks decode a million inputs.
 */
import { decodeValue, VALUE_JSON, VALUE_UNDEFINED } from "../protocol/value.ts";

/** Any whole number of so many digits is exact. */
const DIGITS_MAX = 15;
const ZERO = 0x30;
const NINE = 0x39;

/** `data` from `from` to `to` is one value, kind byte included. */
export function decodeInput(data: Uint8Array, from: number, to: number): unknown {
  const kind = data[from];
  if (kind === VALUE_JSON && to - from <= DIGITS_MAX + 1) {
    const number = readDigits(data, from + 1, to);
    if (number >= 0) return number;
  }
  if (kind === VALUE_UNDEFINED) return undefined;
  return decodeValue(data.subarray(from, to));
}

/** -1 when it is anything but digits. */
function readDigits(data: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const byte = data[at] as number;
    if (byte < ZERO || byte > NINE) return -1;
    number = number * 10 + (byte - ZERO);
  }
  return to > from ? number : -1;
}
