/**
 * One value as `--format value` prints it: a string raw, bytes as they are, anything else as its JSON.
 */
import {
  VALUE_BYTES,
  VALUE_JSON,
  VALUE_TAGGED_JSON,
  VALUE_UNDEFINED,
} from "../../protocol/value.ts";
import { type ByteText, byteTextOf, utf8ByteText } from "./rows.ts";

const QUOTE = 0x22;

/** A line of its own; bytes have none, they may be a file's content. Nothing for `undefined`. */
export function valueLine(value: Uint8Array): ByteText {
  const text = valueText(value);
  if (text === null) return "";
  return value[0] === VALUE_BYTES ? text : `${text}\n`;
}

/** null for `undefined`, and for what is no value. */
export function valueText(value: Uint8Array): ByteText | null {
  switch (value[0]) {
    case VALUE_UNDEFINED:
      return null;
    case VALUE_JSON:
      return value[1] === QUOTE ? stringText(value) : byteTextOf(value.subarray(1));
    case VALUE_TAGGED_JSON:
    case VALUE_BYTES:
      return byteTextOf(value.subarray(1));
    default:
      return null;
  }
}

/** The string behind its JSON; one without escapes is the bytes between its quotes. */
function stringText(value: Uint8Array): ByteText {
  const inside = byteTextOf(value.subarray(2, value.byteLength - 1));
  if (!inside.includes("\\")) return inside;
  const json = Buffer.from(value.buffer, value.byteOffset + 1, value.byteLength - 1);
  return utf8ByteText(JSON.parse(json.toString("utf8")) as string);
}
