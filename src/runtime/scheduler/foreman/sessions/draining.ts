/**
 * `cc drain WORKER` and `--undo`. The worker alone knows whether it drains: it keeps that over a
 * foreman's restart and says so after each connection. So an order is repeated until the worker has
 * said that it follows, and only then is the request answered.
 *
 * A session's drain: null -> ordered (`drainOrder`) -> requested (`draining`) -> the worker leaves, or
 * -> undo ordered -> null. `stopping` (a signal, a limit) leads nowhere but out.
 */
import type { WorkerId } from "../../../protocol/ids.ts";
import { type CurrentStep, type EventOf, recordEvent, refuse, reply } from "../current-step.ts";
import type { DrainOrder, Session, Worker } from "../state.ts";

/** More people who drain one worker at the same moment are a mistake in a loop. */
const DRAIN_TOKENS_MAX = 1_000;

export function onDrainRequested(step: CurrentStep, event: EventOf<"drainRequested">): void {
  const { token, workerId, undo } = event;
  const worker = step.state.workers.get(workerId);
  if (!worker) {
    const message = `There is no worker "${workerId}".`;
    refuse(step, token, { code: "no_such_worker", message, hint: "cc workers" });
    return;
  }
  const session = step.state.sessions.get(worker.bootId);
  if (!session?.isConnected) {
    refuse(step, token, notConnected(worker, session !== undefined));
    return;
  }
  const { draining, drainOrder } = session;
  if (undo && draining === "stopping") refuse(step, token, cannotStay(workerId));
  else if (drainOrder?.undo === undo) join(step, drainOrder, token);
  else if (drainOrder === null && undo === (draining === null)) {
    const note = `worker ${workerId} is ${undo ? "not draining" : "draining already"}`;
    reply(step, token, { type: "done", note });
  } else order(step, session, { undo, tokens: [token] });
}

/** It was told on a connection that has ended, and may never have heard it. */
export function repeatDrainOrder(step: CurrentStep, session: Session): void {
  if (session.drainOrder !== null) tell(step, session, session.drainOrder.undo);
}

/** What the worker says of itself, which may answer an order. */
export function noteDraining(
  step: CurrentStep,
  session: Session,
  draining: Session["draining"],
): void {
  const { workerId } = session.worker;
  const before = session.draining;
  session.draining = draining;
  if (before === null && draining !== null) {
    const requested = draining === "requested";
    const body = { requested, reason: session.reason, held: session.heldTasks };
    recordEvent(step, "worker_draining", { workerId, body });
  }
  if (before !== null && draining === null) {
    recordEvent(step, "worker_drain_undone", { workerId, body: {} });
  }
  const { drainOrder } = session;
  if (drainOrder === null) return;
  if (drainOrder.undo === (draining === null)) answer(step, session, drainOrder);
  else if (drainOrder.undo && draining === "stopping") {
    session.drainOrder = null;
    for (const token of drainOrder.tokens) refuse(step, token, cannotStay(workerId));
  }
}

/** The session is over: a drain has come to its end that way too, staying has not. */
export function endDrainOrder(step: CurrentStep, session: Session, isOrderly: boolean): void {
  const { drainOrder, worker } = session;
  if (drainOrder === null) return;
  session.drainOrder = null;
  for (const token of drainOrder.tokens) {
    if (isOrderly && !drainOrder.undo) reply(step, token, { type: "done", note: null });
    else refuse(step, token, notConnected(worker, false));
  }
}

function order(step: CurrentStep, session: Session, drainOrder: DrainOrder): void {
  const overtaken = session.drainOrder;
  session.drainOrder = drainOrder;
  for (const token of overtaken?.tokens ?? []) {
    const note = `overtaken by another request about worker ${session.worker.workerId}`;
    reply(step, token, { type: "done", note });
  }
  tell(step, session, drainOrder.undo);
}

function join(step: CurrentStep, { tokens }: DrainOrder, token: number): void {
  if (tokens.length < DRAIN_TOKENS_MAX) tokens.push(token);
  else reply(step, token, { type: "done", note: "the worker has been told and has not answered" });
}

function tell(step: CurrentStep, { bootId, connectionSeq }: Session, undo: boolean): void {
  step.effects.push({ type: "drainSession", bootId, connectionSeq, undo });
}

function answer(step: CurrentStep, session: Session, drainOrder: DrainOrder): void {
  session.drainOrder = null;
  for (const token of drainOrder.tokens) reply(step, token, { type: "done", note: null });
}

function notConnected({ workerId }: Worker, mayReturn: boolean) {
  const message = mayReturn
    ? `Worker ${workerId} is not connected at this moment; it may come back.`
    : `Worker ${workerId} is not connected.`;
  return { code: "worker_not_connected", message, hint: `cc why ${workerId}` };
}

function cannotStay(workerId: WorkerId) {
  const message = `Worker ${workerId} stops because of a signal or a limit of its own, which cannot be undone from here.`;
  return {
    code: "worker_stopping",
    message,
    hint: `cc worker --id ${workerId}, once it has ended`,
  };
}
