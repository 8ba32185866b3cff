/**
 * Which results go to disk as well, so that they outlive this process: those of attempts that ran long,
 * and on leaving whatever a foreman that is away has not acknowledged. The next boot of the worker
 * presents them under their old assignments. What must never happen is that a result waits for the
 * disk: it is sent at once and spooled beside that.
 */
import { u32At } from "../../protocol/columns.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { AgentEffect } from "./events.ts";
import type { AgentState, Report, ReportMessage, SpooledResult } from "./state.ts";

/** A rerun of less costs no more than the disk's work for it. */
export const SPOOL_AFTER_MS = 5_000;

export function isWorthSpooling({ options }: AgentState, message: ReportMessage): boolean {
  const { spoolAfterUs = Number.POSITIVE_INFINITY } = options;
  if (message.type !== "task_result") return false;
  for (let row = 0; row < message.count; row++) {
    if (u32At(message.run_us, row) >= spoolAfterUs) return true;
    // One number stands for all.
    if (typeof message.run_us === "number") return false;
  }
  return false;
}

export function spoolReport(state: AgentState, report: Report, effects: AgentEffect[]): void {
  const { message } = report;
  const { foremanId } = state;
  if (message.type !== "task_result" || foremanId === null || report.spoolId !== null) return;
  report.spoolId = state.nextSpoolId++;
  effects.push({ type: "spoolResult", spoolId: report.spoolId, foremanId, message });
}

/** This process ends and nobody has heard them; the next one may say them in time. */
export function spoolUnheard(state: AgentState, effects: AgentEffect[]): void {
  if (state.options.spoolAfterUs === undefined) return;
  for (const report of state.unacknowledged) spoolReport(state, report, effects);
}

export function dropSpooled(reports: readonly Report[], effects: AgentEffect[]): void {
  const spoolIds = reports.flatMap(({ spoolId }) => (spoolId === null ? [] : [spoolId]));
  if (spoolIds.length > 0) effects.push({ type: "dropSpooled", spoolIds });
}

/** What earlier boots left, for the foreman it belongs to; the rest is put aside. */
export function takeSpooled(
  state: AgentState,
  foremanId: string,
  effects: AgentEffect[],
): SpooledResult[] {
  const own: SpooledResult[] = [];
  const foreign: number[] = [];
  for (const spooled of state.spooled) {
    if (spooled.foremanId === foremanId) own.push(spooled);
    else foreign.push(spooled.spoolId);
  }
  state.spooled = [];
  if (foreign.length > 0) {
    const reason = "they belong to another foreman";
    effects.push({ type: "setSpooledAside", spoolIds: foreign, reason });
  }
  return own;
}

/** Results of earlier boots that wait for their acknowledgement, for the inventory. */
export function spooledTasks(state: AgentState): MessageOf<"task_result">[] {
  return state.unacknowledged.flatMap(({ message, assignment }) =>
    assignment === null && message.type === "task_result" ? [message] : [],
  );
}
