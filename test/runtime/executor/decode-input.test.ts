import { expect, test } from "bun:test";
import { decodeInput } from "../../../src/runtime/executor/decode-input.ts";
import { ValueColumnBuilder } from "../../../src/runtime/protocol/columns.ts";
import { decodeValue, encodeValue } from "../../../src/runtime/protocol/value.ts";

test("an input decodes to what the value codec says, wherever it lies", () => {
  const values = [
    0,
    7,
    -7,
    1.5,
    1e21,
    123_456_789_012_345,
    1_234_567_890_123_456,
    Number.MAX_SAFE_INTEGER,
    "",
    "12",
    "text é",
    true,
    null,
    undefined,
    [1, "2"],
    { a: new Date(3) },
    new Uint8Array([1, 2]),
  ];
  const builder = new ValueColumnBuilder();
  for (const value of values) {
    builder.pushKind(0);
    encodeValue(value, builder);
    builder.pushKind(0);
    const { lengths, data } = builder.take();
    const length = typeof lengths === "number" ? lengths : (lengths[1] as number);
    const decoded = decodeInput(data, 1, 1 + length);
    expect(decoded).toEqual(value);
    expect(decoded).toEqual(decodeValue(data.subarray(1, 1 + length)));
  }
});
