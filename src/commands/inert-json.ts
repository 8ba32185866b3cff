/**
 * JSON on its way out. Others chose names, reasons and messages: to a terminal what could steer it is
 * escaped in JSON's own way, so that it still reads back the same; to a pipe nothing is touched.
 */
import type { OutputStream } from "./command-context.ts";

/** C0 (but the end of a line), DEL and C1, the bidirectional controls, and Unicode's own line breaks. */
const STEERING = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

export const inertJson = (value: object, isTerminal: boolean): string =>
  inertJsonText(JSON.stringify(value), isTerminal);

/** The same for JSON that is a text already, also several lines of it. */
export function inertJsonText(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text;
  return text.replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Lines of JSON, as bytes, on their way to `stream`; each write holds whole lines. */
export function inertJsonStream(stream: OutputStream): Pick<OutputStream, "write"> {
  if (!stream.isTerminal) return stream;
  const decoder = new TextDecoder();
  return {
    write: (chunk) =>
      stream.write(inertJsonText(typeof chunk === "string" ? chunk : decoder.decode(chunk), true)),
  };
}
