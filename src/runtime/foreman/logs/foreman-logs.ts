/** The foreman's logs, both doors of them: what workers send comes in, what readers ask for goes out. */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import type { CcError } from "../../protocol/error.ts";
import type { EventKind } from "../../protocol/event-kinds.ts";
import type { BootId } from "../../protocol/ids.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { EventAbout } from "../../scheduler/foreman/event-facts.ts";
import type { ForemanState } from "../../scheduler/foreman/state.ts";
import type { Store } from "../../store/store.ts";
import { createLogsDesk, type LogsDesk } from "../clients/logs-desk.ts";
import type { JobReader } from "../reading/job-reader.ts";
import { createLogSelections } from "../reading/log-selection.ts";
import type { StorageGate } from "../storage/storage-gate.ts";
import { createLogDesk, type LogDesk, type LogsParts } from "./log-desk.ts";

export interface ForemanLogs {
  readonly desk: LogDesk;
  readonly readers: LogsDesk;
  onCommitted(changes: readonly Change[]): void;
}

export interface ForemanLogsParts {
  readonly state: ForemanState;
  readonly store: Store;
  readonly logs: LogsParts;
  readonly gate: Pick<StorageGate, "isFull">;
  readonly jobs: JobReader;
  readonly clock: Clock;
  readonly logger: Logger;
  nowMs(): number;
  acknowledge(bootId: BootId, logSeq: number, pauseMs: number): void;
  record<Kind extends EventKind>(kind: Kind, about: EventAbout<Kind>): void;
  noSuchJob(id: number): CcError;
}

export function createForemanLogs(parts: ForemanLogsParts): ForemanLogs {
  const { state, store, gate, jobs, clock, logger, record } = parts;
  const desk = createLogDesk({
    state,
    store,
    logs: parts.logs,
    gate,
    clock,
    logger,
    nowMs: parts.nowMs,
    acknowledge: parts.acknowledge,
    onHeard(jobIds) {
      for (const jobId of jobIds) readers.wake(jobId);
    },
    onTrouble(trouble) {
      if (trouble.kind === "dropped") {
        record("logs_dropped", { body: { bytes: trouble.bytes, reason: trouble.reason } });
      } else if (trouble.kind === "removed") {
        record("logs_removed", { jobId: trouble.jobId, body: { bytes: trouble.bytes } });
      } else {
        record("logs_set_aside", { body: { path: trouble.path, reason: trouble.reason } });
      }
    },
  });
  const readers = createLogsDesk({
    logs: desk,
    selections: createLogSelections({ state, jobs, clock }),
    clock,
    logger,
    findJob: jobs.facts,
    noSuchJob: parts.noSuchJob,
  });

  return {
    desk,
    readers,
    onCommitted(changes) {
      desk.onCommitted(changes);
      for (const change of changes) {
        if (change.type === "jobRemoved") readers.forget(change.jobId);
      }
    },
  };
}
