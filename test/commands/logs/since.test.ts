import { expect, test } from "bun:test";
import { parseSince, sinceMs } from "../../../src/commands/logs/since.ts";

const at = (text: string): number => sinceMs(parseSince(text, "--since"), 1_700_000_000_000);

test("a time is a while ago, or an instant with or without a zone", () => {
  expect(at("10m")).toBe(1_700_000_000_000 - 600_000);
  expect(at("2026-11-22T14:00:00Z")).toBe(Date.UTC(2026, 10, 22, 14));
  expect(at("2026-11-22T14:00:00.5+02:00")).toBe(Date.UTC(2026, 10, 22, 12, 0, 0, 500));
  expect(at("2026-11-22")).toBe(new Date(2026, 10, 22).getTime());
  expect(at("2026-11-22 14:00")).toBe(new Date(2026, 10, 22, 14).getTime());
});

test("anything else is refused by the option's name", () => {
  for (const text of ["yesterday", "10", "2026-13-45", "-5m", ""]) {
    expect(() => parseSince(text, "--since")).toThrow(
      /--since .* is no time; expected a duration such as 10m, or /,
    );
  }
});
