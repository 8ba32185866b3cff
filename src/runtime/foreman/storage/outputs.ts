/**
 * Stdouts beyond the size of a value, put together: the files, the ledger of what they belong to, the way
 * in from workers and the way out to readers. A foreman without a folder for them, or one that only
 * looks at a store, takes none.
 */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";
import { CcError, toCcError } from "../../protocol/error.ts";
import { asAssignmentId, type BootId, type JobId } from "../../protocol/ids.ts";
import type { MessageOf } from "../../protocol/messages.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import { SETTLED_CANCELLED, SETTLED_NONE } from "../../scheduler/foreman/facts.ts";
import type { ForemanState } from "../../scheduler/foreman/machine.ts";
import { holderOf, taskAt } from "../../scheduler/foreman/selectors.ts";
import { type OutputName, openOutputFiles } from "../../store/output-files.ts";
import type { Channel } from "../../transport/channel.ts";
import { createOutputsDesk, type OutputsDesk } from "../clients/outputs-desk.ts";
import type { JobReader } from "../reading/job-reader.ts";
import type { Readers } from "../reading/readers.ts";
import { createOutputIntake, refuse } from "../workers/output-intake.ts";
import { createOutputLedger, sortOutputs } from "./output-ledger.ts";
import type { StorageGate } from "./storage-gate.ts";

export interface OutputsOptions {
  /** `artifacts` of the store. */
  readonly folder: string;
  /** Of all outputs together. */
  readonly bytesMax: number;
  /** Nothing is taken in, and nothing is removed. */
  readonly readOnly?: boolean;
}

export interface Outputs {
  readonly desk: OutputsDesk;
  onChunk(channel: Channel, bootId: BootId, chunk: MessageOf<"output_chunk">): void;
  /** Sees what was committed, while the machine stands at just that. */
  onCommitted(changes: readonly Change[]): void;
  drop(channel: Channel): void;
  bytesOf(jobId: JobId): number;
  /** Resolves when what was removed until now is off the disk. */
  removed(): Promise<void>;
  /** Resolves when nothing is left to remove. */
  stop(): Promise<void>;
}

export interface OutputsParts {
  readonly options: OutputsOptions;
  readonly state: ForemanState;
  readonly jobs: Pick<JobReader, "facts" | "foldOf" | "liveFacts">;
  readonly readers: Pick<Readers, "begin">;
  readonly gate: Pick<StorageGate, "refuseNew" | "onNoRoomForNew">;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  onFatal(error: CcError): void;
}

/** After the machine has its memory back and before anybody is let in. */
export async function openOutputs(parts: OutputsParts): Promise<Outputs> {
  const { options, state, logger } = parts;
  const files = openOutputFiles(options.folder);
  const isHeld = (name: OutputName): boolean => holderOfOutput(state, name) !== null;
  const found = options.readOnly
    ? (await files.list()).map((file) => ({ ...file, isRecorded: true }))
    : await sortOutputs(files, { isHeld, settledBy: (...task) => settledBy(parts, ...task) });
  const ledger = createOutputLedger({
    files,
    found,
    isHeld,
    onFault: (thrown) =>
      logger.warn("an output could not be removed", { reason: toCcError(thrown).message }),
  });
  const intake = createOutputIntake({
    ...parts,
    ledger,
    bytesMax: options.bytesMax,
    isHeldBy: (bootId, name) => holderOfOutput(state, name) === bootId,
  });
  const desk = createOutputsDesk({
    files,
    readers: parts.readers,
    find(...task) {
      const output = ledger.find(...task);
      return output?.state === "recorded" ? output : null;
    },
  });
  return {
    desk,
    onChunk: intake.onChunk,
    onCommitted(changes) {
      ledger.onCommitted(changes);
      intake.onCommitted();
    },
    drop: intake.drop,
    bytesOf: ledger.bytesOf,
    removed: ledger.removed,
    stop() {
      intake.stop();
      return ledger.removed();
    },
  };
}

const holderOfOutput = (state: ForemanState, name: OutputName): BootId | null =>
  holderOf(state, { ...name, assignmentId: asAssignmentId(name.assignment) });

/** The attempt whose end, other than a cancellation, is the task's; null: none is. */
async function settledBy(
  { state, jobs }: OutputsParts,
  jobId: JobId,
  index: number,
): Promise<number | null> {
  const live = jobs.liveFacts(jobId) === null ? null : taskAt(state, jobId, index);
  if (live !== null) {
    return live.state === "completed" || live.state === "failed" ? live.attempts : null;
  }
  const facts = await jobs.facts(jobId);
  if (facts === null) return null;
  const { status, attempt } = await jobs.foldOf(facts);
  const end = status[index] ?? SETTLED_NONE;
  return end === SETTLED_NONE || end === SETTLED_CANCELLED ? null : (attempt[index] ?? null);
}

/** Of a foreman that has nowhere to put them. */
export const NO_OUTPUTS: Outputs = {
  desk: {
    read: () => Promise.reject(noneKept()),
  },
  onChunk: (channel, _bootId, chunk) => refuse(channel, chunk, noneKept()),
  onCommitted: () => {},
  drop: () => {},
  bytesOf: () => 0,
  removed: () => Promise.resolve(),
  stop: () => Promise.resolve(),
};

const noneKept = (): CcError =>
  new CcError({
    code: "result_too_large",
    message: "This foreman keeps no output that is larger than a result may be.",
  });
