/** `--since`: how long ago, or an instant. */
import { type CcError, usageError } from "../../runtime/protocol/error.ts";
import { parseDurationMs } from "../../runtime/protocol/quantity.ts";

export type Since =
  | { readonly kind: "ago"; readonly durationMs: number }
  | { readonly kind: "at"; readonly atMs: number };

/** As RFC 3339 has it; without a zone it is this machine's time. */
const INSTANT = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?$/;

/** @throws CcError `bad_since` (exit 2) */
export function parseSince(text: string, flag: string): Since {
  if (!INSTANT.test(text)) return { kind: "ago", durationMs: durationOf(text, flag) };
  const atMs = Date.parse(text.includes(":") ? text : `${text}T00:00:00`);
  if (Number.isFinite(atMs)) return { kind: "at", atMs };
  throw noTime(text, flag);
}

/** A duration's own refusal would not say that an instant is taken, too. */
function durationOf(text: string, flag: string): number {
  try {
    return parseDurationMs(text, flag);
  } catch {
    throw noTime(text, flag);
  }
}

const noTime = (text: string, flag: string): CcError =>
  usageError(
    "bad_since",
    `${flag} "${text}" is no time; expected a duration such as 10m, or 2026-11-22T14:00:00Z.`,
  );

export const sinceMs = (since: Since, nowMs: number): number =>
  since.kind === "at" ? since.atMs : nowMs - since.durationMs;
