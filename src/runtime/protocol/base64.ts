/**
 * Bytes as base64 text and back. Bun has the language's own methods; Node before 25 has only Buffer,
 * which forgives what is not base64, so the text is checked first.
 */

const HAS_OWN_METHODS = "fromBase64" in Uint8Array && "toBase64" in Uint8Array.prototype;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

export function toBase64(bytes: Uint8Array): string {
  if (HAS_OWN_METHODS) return bytes.toBase64();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** @throws SyntaxError when the text is not base64. */
export function fromBase64(text: string): Uint8Array {
  if (HAS_OWN_METHODS) return Uint8Array.fromBase64(text);
  if (!BASE64.test(text)) throw new SyntaxError("the text is not base64");
  return new Uint8Array(Buffer.from(text, "base64"));
}
