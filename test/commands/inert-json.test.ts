import { expect, test } from "bun:test";
import { inertJson, inertJsonStream } from "../../src/commands/inert-json.ts";
import { hostileTexts } from "../support/monitor/hostile-texts.ts";

test("JSON to a terminal steers nothing and reads back the same; to a pipe it is untouched", () => {
  for (const text of hostileTexts(200)) {
    const shown = inertJson({ text }, true);
    expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    expect(JSON.parse(shown)).toEqual({ text });
    expect(inertJson({ text }, false)).toBe(JSON.stringify({ text }));
  }
});

test("so do lines of JSON in bytes, each on its line", async () => {
  const written: string[] = [];
  const streamTo = (isTerminal: boolean) =>
    inertJsonStream({
      isTerminal,
      columnCount: 80,
      closed: new AbortController().signal,
      write: async (chunk) => void written.push(Buffer.from(chunk).toString()),
    });
  const lines = '{"a":"\u009b31mé"}\n{"b":"\u202e"}\n';
  await streamTo(true).write(Buffer.from(lines));
  await streamTo(false).write(Buffer.from(lines));
  expect(written).toEqual(['{"a":"\\u009b31mé"}\n{"b":"\\u202e"}\n', lines]);
});
