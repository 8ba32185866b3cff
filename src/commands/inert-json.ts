/**
 * JSON on its way out. Others chose names, reasons and messages: to a terminal what could steer it is
 * escaped in JSON's own way, so that it still reads back the same; to a pipe nothing is touched.
 */

/** C0, DEL and C1, the bidirectional controls, and Unicode's own line breaks. */
const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

export function inertJson(value: object, isTerminal: boolean): string {
  const text = JSON.stringify(value);
  if (!isTerminal) return text;
  return text.replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
