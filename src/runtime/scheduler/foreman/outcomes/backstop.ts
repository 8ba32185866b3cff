/**
 * The foreman's own end of a time-out, for a worker that is alive but neither ended the task nor said
 * so. The attempt fails as `timeout`; its slot stays occupied until the worker says it is clear. Who was
 * not heard, because the line was cut or we ourselves stood still, may have said so long ago: what it
 * said is waited for first.
 */
import { encodeFailure } from "../../../protocol/failure.ts";
import { type CurrentStep, touchJob } from "../current-step.ts";
import { recordDurations } from "../placement/pace.ts";
import { pushAt } from "../queues/time-heap.ts";
import { isSilence } from "../sessions/serving.ts";
import { type Assignment, ROW_STARTED, type Session } from "../state.ts";
import { BACKSTOP_MS, backstopAtMs } from "../timers.ts";
import { attemptOfRow, closeIfEmpty, fenceRow, indexOfRow } from "./assignments.ts";
import { type Results, settleFailures } from "./failures.ts";
import { orderCancel } from "./settle.ts";

export function onBackstop(step: CurrentStep, assignment: Assignment, row: number): void {
  if (assignment.rows[row] !== ROW_STARTED) return;
  const dueAtMs = backstopAtMs(assignment, row);
  if (dueAtMs === null) return;
  // The time-out may have been changed meanwhile.
  const fromMs = Math.max(dueAtMs, audibleFromMs(step, assignment.session));
  if (fromMs > step.atMs) pushAt(step.state.timers, fromMs, { kind: "backstop", assignment, row });
  else endAttempt(step, assignment, row);
}

/** From when on a worker's silence about a task means something. */
function audibleFromMs({ state, atMs }: CurrentStep, session: Session): number {
  const heardAtMs = Math.max(session.connectedAtMs, session.lastHeartbeatAtMs ?? 0);
  const isSilent = !session.isConnected || isSilence(state, atMs - heardAtMs);
  return (isSilent ? atMs : session.audibleSinceMs) + BACKSTOP_MS;
}

function endAttempt(step: CurrentStep, assignment: Assignment, row: number): void {
  const { job, session } = assignment;
  const index = indexOfRow(assignment, row);
  const timeout = job.spec.timeout_seconds ?? 0;
  const runMs = step.atMs - (assignment.startedAtMs.get(row) ?? step.atMs);
  const attempt = attemptOfRow(assignment, row);
  fenceRow(assignment, row);
  orderCancel(step, assignment, Uint32Array.of(index), "its time is over");
  const value = encodeFailure({
    code: "timeout",
    message: `It ran longer than ${timeout} s, and its worker ${session.worker.workerId} did not end it.`,
  });
  const results: Results = {
    status: "failed",
    count: 1,
    indexes: { first: index },
    attempts: attempt,
    runUs: Math.min(0xffffffff, Math.round(runMs * 1000)),
    codes: ["timeout"],
    permanent: 0,
    values: { lengths: value.byteLength, data: value },
  };
  recordDurations(job, results.runUs, 1);
  settleFailures(step, job, session, results);
  session.worker.failed++;
  touchJob(step, job);
  closeIfEmpty(step, assignment);
}
