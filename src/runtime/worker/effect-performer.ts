/** Does what the agent machine orders, at once and in order; what comes of it is posted as events. */
import { failpoint } from "../platform/failpoint.ts";
import type { Logger } from "../platform/logger.ts";
import { assertNever, toCcError } from "../protocol/error.ts";
import type { MessageOf } from "../protocol/messages.ts";
import type { AgentEffect } from "../scheduler/agent/events.ts";
import type { WorkerEvent } from "./agent-loop.ts";
import type { BatchCrew } from "./batch-crew.ts";
import { type Bundles, bundleRefusal } from "./code/bundles.ts";
import type { ForemanLink } from "./foreman-link.ts";
import type { WorkerLogs } from "./logs/worker-logs.ts";
import type { Spool } from "./spool/spool.ts";

export interface PerformerParts {
  readonly link: Pick<ForemanLink, "send" | "redial">;
  readonly crew: BatchCrew;
  readonly bundles: Pick<Bundles, "ensure">;
  readonly logs: Pick<WorkerLogs, "flush">;
  /** Null: results are kept in memory alone. */
  readonly spool: Spool | null;
  readonly logger: Logger;
  readonly post: (event: WorkerEvent) => void;
  /** Something could not be written. */
  readonly onStorageFault: () => void;
  /** Nothing is left to do. */
  readonly onStop: (reason: string) => void;
}

/** Before them leaves what the tasks have printed: who sees an end sees the log. */
const LAST_WORDS: ReadonlySet<string> = new Set(["task_result", "tasks_gone", "goodbye"]);

export function performEffect(effect: AgentEffect, parts: PerformerParts): void {
  const { link, crew, spool } = parts;
  switch (effect.type) {
    case "sendMessage":
      if (effect.message.type === "announce") logAcceptance(effect.message, parts.logger);
      if (effect.message.type === "task_result") failpoint("result-kept");
      if (LAST_WORDS.has(effect.message.type)) parts.logs.flush();
      link.send(effect.message);
      if (effect.message.type === "task_result") failpoint("result-sent");
      return;
    case "fetchBundle":
      fetchBundle(effect.sha256, parts);
      return;
    case "runBatch":
      failpoint("task-ordered");
      crew.run(effect.order);
      return;
    case "recallRows":
      crew.recall(effect.batchId);
      return;
    case "cancelRows":
      crew.cancelRows(effect.batchId, effect.rows, effect.reason);
      return;
    case "killBatch":
      crew.kill(effect.batchId);
      return;
    case "inspectBatch":
      crew.inspect(effect.batchId);
      return;
    case "spoolResult":
      spool?.keep(effect);
      return;
    case "dropSpooled":
      spool?.drop(effect.spoolIds);
      return;
    case "setSpooledAside":
      spool?.setAside(effect.spoolIds, effect.reason);
      return;
    case "redial":
      link.redial(effect.reason);
      return;
    case "stop":
      parts.onStop(effect.reason);
      return;
    default:
      assertNever(effect, "agent effect");
  }
}

function logAcceptance({ accepting, reason }: MessageOf<"announce">, logger: Logger): void {
  if (accepting) logger.info("tasks are accepted again");
  else logger.warn("no new tasks are accepted", { reason });
}

function fetchBundle(
  sha256: string,
  { bundles, logger, post, onStorageFault }: PerformerParts,
): void {
  bundles.ensure(sha256).then(
    () => post({ type: "bundleReady", sha256 }),
    (thrown: unknown) => {
      const { code, message } = toCcError(thrown);
      logger.error("code cannot be had", { code, reason: message });
      if (code === "worker_storage") onStorageFault();
      post({ type: "bundleFailed", sha256, reason: bundleRefusal(thrown) });
    },
  );
}
