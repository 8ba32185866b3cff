/** What `cc doctor` finds: one line a check, with what to do about it. Types and small makers only. */
import { toCcError } from "../../runtime/protocol/error.ts";

/** `warning`: good to know, such as that no foreman runs. Only `failed` makes the exit code 1. */
export type CheckState = "ok" | "warning" | "failed";

export interface Check {
  /** One stable word for scripts. */
  readonly name: string;
  readonly state: CheckState;
  /** One line, without a full stop. */
  readonly text: string;
  /** What to type or to do; null when nothing is to be done. */
  readonly hint: string | null;
  /** More for `--json`, in snake_case. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface CheckSection {
  readonly title: string;
  readonly checks: readonly Check[];
}

type Facts = Readonly<Record<string, unknown>>;

export function ok(name: string, text: string, facts: Facts = {}): Check {
  return { name, state: "ok", text, hint: null, facts };
}

export function warning(name: string, text: string, hint: string, facts: Facts = {}): Check {
  return { name, state: "warning", text, hint, facts };
}

export function failed(name: string, text: string, hint: string, facts: Facts = {}): Check {
  return { name, state: "failed", text, hint, facts };
}

/** An error that a look at something ended with. */
export function failedBy(name: string, thrown: unknown): Check {
  const { code, message, hint } = toCcError(thrown);
  return {
    name,
    state: "failed",
    text: message.replace(/\.$/, ""),
    hint: hint ?? null,
    facts: { code },
  };
}

/** Runs one look; what it throws is its finding. */
export async function finding(name: string, look: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (thrown) {
    return failedBy(name, thrown);
  }
}
