import { describe, expect, test } from "bun:test";
import { ValueColumnBuilder, valueAt } from "../../../src/runtime/protocol/columns.ts";
import { VALUE_DEPTH_MAX } from "../../../src/runtime/protocol/limits.ts";
import { decodeValue, encodeValue, valueAsJson } from "../../../src/runtime/protocol/value.ts";

function encoded(value: unknown): Uint8Array {
  const builder = new ValueColumnBuilder();
  encodeValue(value, builder);
  return valueAt(builder.take(), 0);
}

const carried = (value: unknown): unknown => decodeValue(encoded(value));

describe("values that are carried", () => {
  test.each([
    ["null", null],
    ["a number", 12.5],
    ["minus zero", -0],
    ["not a number", Number.NaN],
    ["infinity", Number.NEGATIVE_INFINITY],
    ["text with every plane", "é ✓ 😀 \u0000 \u2028"],
    ["undefined", undefined],
    ["a bigint", 12345678901234567890n],
    ["a date", new Date("2026-01-02T03:04:05.678Z")],
    ["bytes", new Uint8Array([0, 255, 7])],
    ["a map with any keys", new Map<unknown, unknown>([[{ a: 1 }, new Set([1n])]])],
    ["undefined inside", { a: undefined, b: [undefined, 1] }],
    ["an author's own tag", { $date: "not ours" }],
    ["an author's doubled tag", { $$date: { $map: 1 } }],
    ["several dollar keys", { $a: 1, $b: 2 }],
    ["nested structures", { a: [{ b: new Date(0), c: [new Uint8Array([1])] }] }],
    ["an object without prototype", Object.assign(Object.create(null), { a: 1 })],
  ])("%s", (_, value) => {
    expect(carried(value)).toEqual(value);
  });

  test("a key named __proto__ is a key and no prototype", () => {
    const value = carried(JSON.parse('{"__proto__": {"admin": true}, "at": [{"$bigint": "1"}]}'));
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.keys(value as object)).toContain("__proto__");
  });

  test("a Buffer arrives as plain bytes of its own", () => {
    const value = carried(Buffer.from("abc"));
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
  });

  test("plain values are their JSON text, and stay so on the way out", () => {
    expect(valueAsJson(encoded({ a: 1 }))).toBe('{"a":1}');
    expect(valueAsJson(encoded(new Uint8Array([1, 2])))).toBe('{"$bytes":"AQI="}');
    expect(valueAsJson(encoded(undefined))).toBe('{"$undefined":true}');
  });
});

describe("values that cannot be carried are named by their place", () => {
  class Point {
    x = 1;
  }
  const cycle: { self?: unknown } = {};
  cycle.self = { back: cycle };

  test.each([
    ["a function", { rows: [0, { f: () => 1 }] }, "at .rows[1].f is a function"],
    ["a symbol", [Symbol("s")], "at [0] is a symbol"],
    ["a cycle", cycle, "at .self.back is a cycle"],
    ["a class instance", { at: new Point() }, "at .at is an instance of Point"],
    ["an invalid date", new Date(Number.NaN), "an invalid Date"],
    ["a map's value", new Map([["k", () => 1]]), "at [0].value is a function"],
    ["a promise", Promise.resolve(1), "an instance of Promise"],
  ])("%s", (_, value, message) => {
    expect(() => encoded(value)).toThrow(message);
  });

  test("deeper than the limit", () => {
    let deep: unknown = 1;
    for (let i = 0; i <= VALUE_DEPTH_MAX + 1; i++) deep = [deep];
    expect(() => encoded(deep)).toThrow(`deeper than ${VALUE_DEPTH_MAX}`);
  });

  test("the builder is as it was before", () => {
    const builder = new ValueColumnBuilder();
    encodeValue("kept", builder);
    expect(() => encodeValue(() => 1, builder)).toThrow();
    expect(builder.count).toBe(1);
    expect(decodeValue(valueAt(builder.take(), 0))).toBe("kept");
  });
});
