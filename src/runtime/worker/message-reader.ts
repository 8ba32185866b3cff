/** Turns what the foreman says into the agent's events, and brings code to whoever waits for it. */
import type { Logger } from "../platform/logger.ts";
import { expandIndexes } from "../protocol/columns.ts";
import { asAssignmentId } from "../protocol/ids.ts";
import type { Message, MessageOf } from "../protocol/messages.ts";
import type { WorkerEvent } from "./agent-loop.ts";
import type { Bundles } from "./code/bundles.ts";
import type { JobPlans } from "./job-plans.ts";
import type { WorkerLogs } from "./logs/worker-logs.ts";
import type { OutputUploads } from "./outputs/output-uploads.ts";

export interface MessageReaderParts {
  readonly post: (event: WorkerEvent) => void;
  readonly plans: JobPlans;
  readonly bundles: Bundles;
  readonly logs: Pick<WorkerLogs, "onAcknowledged">;
  readonly outputs: Pick<OutputUploads, "onAck">;
  readonly logger: Logger;
}

export function createMessageReader(parts: MessageReaderParts): (message: Message) => void {
  const { post, bundles, logger } = parts;
  return (message) => {
    switch (message.type) {
      case "assign_task":
        post(readAssignment(message, parts));
        return;
      case "task_result_ack":
        if (message.stale) logger.warn("results are refused as stale", countHeld(message.stale));
        post({ type: "reportsAcknowledged", seq: message.seq });
        return;
      case "task_log_ack":
        parts.logs.onAcknowledged(message.log_seq, message.pause_ms ?? 0);
        return;
      case "revoke_task":
        post({
          type: "tasksRevoked",
          request: message.request,
          assignmentId: asAssignmentId(message.assignment),
          indexes: message.index,
        });
        return;
      case "cancel_task":
        post({
          type: "tasksCancelled",
          assignmentId: asAssignmentId(message.assignment),
          indexes: message.index,
          reason: message.reason,
        });
        return;
      case "heartbeat_echo":
        post({ type: "beatEchoed", beat: message.beat });
        return;
      case "drain":
        logger.info(message.undo ? "the foreman wants this worker to stay" : "worker drains", {
          by: "cc drain",
        });
        post({ type: "drainOrdered", undo: message.undo });
        return;
      case "goodbye":
        logger.warn("the foreman ends the session", { reason: message.reason });
        post({ type: "sessionEnded" });
        return;
      case "output_chunk_ack":
        parts.outputs.onAck(message);
        return;
      case "blob_chunk":
        bundles.onChunk(message);
        return;
      case "blob_done":
        bundles.onDone(message);
        return;
      case "error":
        // Without a request the link has told it already.
        if (message.request !== undefined && !bundles.onError(message)) {
          logger.warn("the foreman refuses a request", { code: message.code });
        }
        return;
      default:
        logger.warn("the foreman says what no worker needs", { type: message.type });
    }
  };
}

function readAssignment(
  message: MessageOf<"assign_task">,
  { plans, logger }: MessageReaderParts,
): WorkerEvent {
  const { count } = message;
  const assignmentId = asAssignmentId(message.assignment);
  // The schema has checked that there is one of them.
  const indexes = message.index ?? { first: message.first_index as number };
  const plan = plans.planOf(message);
  if (typeof plan === "string") {
    logger.error("an assignment cannot be used", { job: message.job_id, reason: plan });
    const listed = expandIndexes(indexes, count);
    return { type: "assignmentRefused", assignmentId, indexes: listed, reason: plan };
  }
  return {
    type: "tasksAssigned",
    assignmentId,
    job: plan.agentJob,
    priority: message.priority,
    count,
    indexes,
    attempts: message.attempt,
    timeoutMs: message.timeout_ms,
    values: message.input,
  };
}

function countHeld(held: readonly { readonly index: Uint32Array }[]): { readonly tasks: number } {
  return { tasks: held.reduce((sum, { index }) => sum + index.length, 0) };
}
