/** Bounds a text by its bytes; never cuts a character in two. */

const encoder = new TextEncoder();

/** At most `bytesMax` bytes of UTF-8, ending in `…` when something was cut. */
export function truncateUtf8(text: string, bytesMax: number): string {
  // A UTF-16 unit takes at most three bytes: most texts need no counting.
  if (text.length * 3 <= bytesMax) return text;
  const head = text.slice(0, bytesMax);
  const bytes = encoder.encode(head);
  if (head.length === text.length && bytes.byteLength <= bytesMax) return text;
  const target = new Uint8Array(bytesMax - 3);
  const { read } = encoder.encodeInto(head, target);
  return `${head.slice(0, read)}…`;
}
