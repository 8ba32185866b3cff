import { describe, expect, test } from "bun:test";
import { CcError } from "../../../src/runtime/protocol/error.ts";
import {
  DURATION_MS_MAX,
  parseDecimal,
  parseDurationMs,
  parseInteger,
  parseNamedText,
  parsePercent,
  parseSizeBytes,
} from "../../../src/runtime/protocol/quantity.ts";

function refusal(act: () => unknown): CcError {
  try {
    act();
  } catch (error) {
    if (error instanceof CcError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("durations", () => {
  test.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1_500],
    ["0", 0],
    [" 3S ", 3_000],
  ])("%s is %d ms", (text, expected) => {
    expect(parseDurationMs(text, "--timeout")).toBe(expected);
  });

  test("a bare number is refused with the line that means seconds", () => {
    const error = refusal(() => parseDurationMs("30", "--timeout"));
    expect(error.message).toBe('--timeout: "30" has no unit.');
    expect(error.hint).toContain("--timeout 30s");
    expect(error.exitCode).toBe(2);
  });

  test.each(["", "s", "-5s", "5 s", "5x", "1e3s", "5s!"])("%p is no duration", (text) => {
    expect(refusal(() => parseDurationMs(text, "--delay")).code).toBe("bad_duration");
  });

  test("one beyond a bound is refused with flag, value and range", () => {
    expect(parseDurationMs("1s", "--lease", { min: 1_000 })).toBe(1_000);
    expect(refusal(() => parseDurationMs("999ms", "--lease", { min: 1_000 })).message).toBe(
      "--lease: 999ms is out of range; expected a value from 1s to 36525d.",
    );
    expect(parseDurationMs("36525d", "--delay")).toBe(DURATION_MS_MAX);
    expect(refusal(() => parseDurationMs("36526d", "--delay")).code).toBe("out_of_range");
  });
});

describe("sizes", () => {
  test.each([
    ["512M", 512 * 1024 ** 2],
    ["4G", 4 * 1024 ** 3],
    ["4GiB", 4 * 1024 ** 3],
    ["4gb", 4 * 1024 ** 3],
    ["1.5K", 1536],
    ["10B", 10],
    ["0", 0],
    ["1T", 1024 ** 4],
  ])("%s is %d bytes", (text, expected) => {
    expect(parseSizeBytes(text, "--mem")).toBe(expected);
  });

  test.each(["512", "", "M", "-1M", "1P"])("%p is refused", (text) => {
    expect(refusal(() => parseSizeBytes(text, "--mem")).code).toBe("bad_size");
  });
});

describe("numbers", () => {
  test("whole numbers keep their sign and their bounds", () => {
    expect(parseInteger("-10", "--priority", { min: -100, max: 100 })).toBe(-10);
    expect(parseInteger("+3", "--retries")).toBe(3);
    expect(refusal(() => parseInteger("101", "--priority", { min: -100, max: 100 })).message).toBe(
      "--priority: 101 is out of range; expected a value from -100 to 100.",
    );
    for (const text of ["1.0", "1e3", "0x10", "", "ten", "9007199254740993"]) {
      expect(refusal(() => parseInteger(text, "--retries")).code).toBe("bad_number");
    }
  });

  test("decimals take no exponent and no infinity", () => {
    expect(parseDecimal(".5", "--max-cpu")).toBe(0.5);
    for (const text of ["1e3", "Infinity", "NaN", "", "1,5"]) {
      expect(refusal(() => parseDecimal(text, "--max-cpu")).code).toBe("bad_number");
    }
  });

  test("a share has a per cent sign and stays within 0 and 100", () => {
    expect(parsePercent("7%", "--max-fails")).toBe(7);
    expect(parsePercent("7", "--max-fails")).toBeNull();
    expect(refusal(() => parsePercent("101%", "--max-fails")).code).toBe("out_of_range");
  });
});

test("a pair is split at the first equals sign", () => {
  expect(parseNamedText("A=b=c", "--env")).toEqual({ name: "A", value: "b=c" });
  expect(parseNamedText("A", "--env")).toEqual({ name: "A", value: null });
  expect(parseNamedText("A=", "--env")).toEqual({ name: "A", value: "" });
});

test("names that would reach an object's prototype are refused", () => {
  for (const text of ["__proto__=1", "constructor=1", "prototype", "=1"]) {
    expect(refusal(() => parseNamedText(text, "--metadata")).code).toBe("bad_pair");
  }
});
