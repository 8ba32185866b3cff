/**
 * `cc pause WORKER` and `cc resume WORKER`. A paused worker gets nothing new and gives back what
 * waits; with `--now` also what runs, which then starts elsewhere under a new attempt number.
 */

import { type CurrentStep, type EventOf, recordEvent, refuse, reply } from "../current-step.ts";
import { fenceLeft, indexOfRow } from "../outcomes/assignments.ts";
import { abortAttempt, closeSetbacks, openSetbacks } from "../outcomes/setbacks.ts";
import { orderCancel } from "../outcomes/settle.ts";
import { revokeSession } from "../placement/revocation.ts";
import { type Assignment, ROW_PINNED, ROW_STARTED } from "../state.ts";
import { noteServing } from "./serving.ts";
import { writeWorker } from "./workers.ts";

export function onWorkerPaused(step: CurrentStep, event: EventOf<"workerPaused">): void {
  const { token, workerId, paused, now } = event;
  const worker = step.state.workers.get(workerId);
  if (!worker) {
    const message = `There is no worker "${workerId}".`;
    refuse(step, token, { code: "no_such_worker", message, hint: "cc workers" });
    return;
  }
  const session = step.state.sessions.get(worker.bootId);
  const note =
    worker.isPaused === paused
      ? `worker ${workerId} was ${paused ? "" : "not "}paused already`
      : null;
  if (worker.isPaused !== paused) {
    worker.isPaused = paused;
    noteServing(step.state);
    writeWorker(step, worker);
    recordEvent(step, paused ? "worker_paused" : "worker_resumed", { workerId, body: { now } });
  }
  worker.isGivingBack = paused && (now || worker.isGivingBack);
  if (session && paused) revokeSession(step, session);
  if (session && worker.isGivingBack) {
    for (const assignment of [...session.assignments.values()]) abortBegun(step, assignment);
  }
  if (session && !paused) step.roomySessions.add(session);
  reply(step, token, { type: "done", note });
}

/**
 * What is known to have begun, or was asked for and not returned. The worker ends the processes; until
 * it says so their slots stay occupied.
 */
export function abortBegun(step: CurrentStep, assignment: Assignment): void {
  // A task that may start once only is let finish.
  if (assignment.job.spec.max_crashes === 1) return;
  const setbacks = openSetbacks(assignment);
  const indexes: number[] = [];
  for (let row = 0; row < assignment.count; row++) {
    const rowState = assignment.rows[row];
    if (rowState !== ROW_STARTED && rowState !== ROW_PINNED) continue;
    abortAttempt(step, setbacks, row);
    fenceLeft(assignment, row);
    indexes.push(indexOfRow(assignment, row));
  }
  if (indexes.length > 0) {
    orderCancel(step, assignment, Uint32Array.from(indexes), "its worker was paused");
  }
  closeSetbacks(step, setbacks);
}
