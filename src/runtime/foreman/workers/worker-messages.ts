/** How a worker's words become events, and the machine's columns become words. */
import { asAssignmentId, asJobId, type BootId } from "../../protocol/ids.ts";
import type { Message, MessageOf } from "../../protocol/messages.ts";
import type { HeldTasks } from "../../scheduler/foreman/events.ts";
import type { UnstampedEvent } from "../pump.ts";

/** The event that a report is; null for what is no report. */
export function reportEvent(bootId: BootId, message: Message): UnstampedEvent | null {
  switch (message.type) {
    case "task_result":
      return toAttemptsReported(bootId, message);
    case "task_started":
      return {
        type: "tasksStarted",
        bootId,
        seq: message.seq,
        ...heldOf(message),
        runningUs: message.running_us,
      };
    case "tasks_returned":
      return {
        type: "tasksReturned",
        bootId,
        seq: message.seq,
        revocation: message.request ?? null,
        ...heldOf(message),
        reason: message.reason,
      };
    case "tasks_gone":
      return { type: "tasksGone", bootId, seq: message.seq, ...heldOf(message) };
    case "announce": {
      const { offer, accepting, reason, draining = null } = message;
      return { type: "offerChanged", bootId, offer, accepting, reason, draining };
    }
    default:
      return null;
  }
}

export const heldOf = (held: {
  readonly assignment: number;
  readonly index: Uint32Array;
}): HeldTasks => ({
  assignmentId: asAssignmentId(held.assignment),
  indexes: held.index,
});

export const fromHeld = (
  held: HeldTasks,
): { assignment: number; index: Uint32Array<ArrayBuffer> } => ({
  assignment: held.assignmentId,
  index: new Uint32Array(held.indexes),
});

function toAttemptsReported(bootId: BootId, message: MessageOf<"task_result">): UnstampedEvent {
  return {
    type: "attemptsReported",
    bootId,
    seq: message.seq,
    assignmentId: asAssignmentId(message.assignment),
    jobId: asJobId(message.job_id),
    status: message.status,
    count: message.count,
    indexes: message.index ?? { first: message.first_index ?? 0 },
    attempts: message.attempt,
    runUs: message.run_us,
    codes: message.code ?? null,
    permanent: message.permanent ?? 0,
    values: message.value,
  };
}
