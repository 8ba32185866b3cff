/** Why an executor is stopped, and what that and its death mean for the row that ran. Pure. */
import type { Failure } from "../../protocol/failure.ts";
import {
  describeBrokenChannel,
  describeDeath,
  describeMemory,
  type ExecutorDeath,
} from "./executor-failure.ts";
import type { RunningRow } from "./executor-ledger.ts";

export type StopCause =
  | { readonly kind: "cancelled"; readonly running: RunningRow }
  | { readonly kind: "timeout"; readonly running: RunningRow; readonly timeoutMs: number }
  | { readonly kind: "out_of_memory"; readonly bytesMax: number }
  | { readonly kind: "broken_channel" }
  | { readonly kind: "ended" };

export function describeEnd(cause: StopCause | null, death: ExecutorDeath): Failure {
  if (cause?.kind === "out_of_memory") return describeMemory(cause.bytesMax, death.console);
  if (cause?.kind === "broken_channel") return describeBrokenChannel(death);
  return describeDeath(death);
}

export function describeFailedStart({ exitCode, signal, directOutput }: ExecutorDeath): string {
  const end = signal === null ? `with status ${exitCode}` : `by ${signal}`;
  const said = directOutput.trim().split("\n").at(-1) ?? "";
  return `the executor ended ${end} at its start${said === "" ? "" : `: ${said}`}`;
}
