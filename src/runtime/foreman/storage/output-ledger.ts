/**
 * Which stdouts lie beside the store, how much they take, and when each goes. It looks at what was
 * committed and never into a result: a file stays while its attempt runs, and for good when that attempt
 * settled its task; everything else of it is removed. Memory is a few words a file, and files are larger
 * than VALUE_BYTES_MAX, so the quota bounds it.
 *
 *   arriving   its attempt runs, or its result is on the way
 *   recorded   its attempt's result is the task's
 *   gone       removed, or about to be once what is being written is written
 */
import { expandIndexes, u32At } from "../../protocol/columns.ts";
import { asJobId } from "../../protocol/ids.ts";
import type { Change } from "../../scheduler/foreman/changes.ts";
import type { OutputFile, OutputFiles, OutputName } from "../../store/output-files.ts";

export interface StoredOutputFile extends OutputName {
  /** On disk, from its first byte on without a gap. */
  byteCount: number;
  /** No byte follows; taken for true where an earlier foreman was told. */
  isWhole: boolean;
  state: "arriving" | "recorded" | "gone";
  /** Ends with what is being done to its file. */
  busy: Promise<unknown>;
}

export interface OutputLedger {
  find(jobId: number, index: number, assignment: number): StoredOutputFile | null;
  /** A new one, or the one that is there. */
  begin(name: OutputName): StoredOutputFile;
  /** What all of them take. */
  readonly byteCount: number;
  bytesOf(jobId: number): number;
  /** What lies behind may never have reached the disk, and comes again. */
  rewind(output: StoredOutputFile, toBytes: number): Promise<void>;
  /** Behind what it has; of a file that is gone nothing is written. */
  append(output: StoredOutputFile, parts: readonly Uint8Array[]): Promise<"ok" | "full">;
  remove(output: StoredOutputFile): void;
  /** Sees what was committed, while the machine stands at just that. */
  onCommitted(changes: readonly Change[]): void;
  /** Resolves when what was removed until now is off the disk. */
  removed(): Promise<void>;
}

export interface OutputLedgerParts {
  readonly files: Pick<OutputFiles, "write" | "remove" | "removeJob">;
  /** What lay there at the start and belongs to something. */
  readonly found: readonly (OutputFile & { readonly isRecorded: boolean })[];
  /** Whether the attempt runs under that assignment, as far as the machine knows. */
  isHeld(name: OutputName): boolean;
  /** A file could not be removed. */
  onFault(thrown: unknown): void;
}

export function createOutputLedger(parts: OutputLedgerParts): OutputLedger {
  const { files } = parts;
  /** An empty set is a folder in which nothing is left. */
  const jobs = new Map<number, Set<StoredOutputFile>>();
  /** Of those that arrive. */
  const underAssignment = new Map<number, Set<StoredOutputFile>>();
  let byteCount = 0;
  let removals: Promise<void> = Promise.resolve();

  for (const { isRecorded, ...file } of parts.found) {
    const state = isRecorded ? "recorded" : "arriving";
    enter({ ...file, isWhole: true, state, busy: Promise.resolve() });
  }

  function enter(output: StoredOutputFile): StoredOutputFile {
    byteCount += output.byteCount;
    addTo(jobs, output.jobId, output);
    if (output.state === "arriving") addTo(underAssignment, output.assignment, output);
    return output;
  }

  function find(jobId: number, index: number, assignment: number): StoredOutputFile | null {
    for (const output of jobs.get(jobId) ?? []) {
      if (output.index === index && output.assignment === assignment) return output;
    }
    return null;
  }

  /** From the books at once, from the disk as soon as nothing is being written to it. */
  function remove(output: StoredOutputFile): void {
    if (output.state === "gone") return;
    output.state = "gone";
    byteCount -= output.byteCount;
    jobs.get(output.jobId)?.delete(output);
    takeFrom(underAssignment, output.assignment, output);
    later([output], () => files.remove(output));
  }

  /** Once nothing is done to these any more; a write would make a file anew. */
  function later(outputs: readonly StoredOutputFile[], act: () => Promise<void>): void {
    const idle = Promise.allSettled(outputs.map(({ busy }) => busy));
    removals = Promise.all([removals, idle.then(act).catch(parts.onFault)]).then(() => {});
  }

  /** After what is being done to it. */
  function inTurn<Value>(output: StoredOutputFile, act: () => Promise<Value>): Promise<Value> {
    const done = output.busy.then(act);
    output.busy = done.catch(() => {});
    return done;
  }

  function removeJob(jobId: number): void {
    const outputs = jobs.get(jobId);
    if (outputs === undefined) return;
    for (const output of [...outputs]) {
      output.state = "gone";
      byteCount -= output.byteCount;
      takeFrom(underAssignment, output.assignment, output);
    }
    jobs.delete(jobId);
    later([...outputs], () => files.removeJob(jobId));
  }

  function onSettled({ settlement }: Extract<Change, { type: "settled" }>): void {
    const outputs = jobs.get(settlement.jobId);
    if (outputs === undefined || settlement.status === "cancelled") return;
    const { indexes, count, attempts } = settlement;
    const rows = new Map([...expandIndexes(indexes, count)].map((index, row) => [index, row]));
    for (const output of outputs) {
      const row = rows.get(output.index);
      if (row === undefined || u32At(attempts, row) !== output.attempt || !output.isWhole) continue;
      output.state = "recorded";
      takeFrom(underAssignment, output.assignment, output);
    }
  }

  function onReopened({ jobId, indexes, count }: Extract<Change, { type: "reopened" }>): void {
    const outputs = jobs.get(jobId);
    if (outputs === undefined) return;
    const reopened = new Set(expandIndexes(indexes, count));
    for (const output of [...outputs]) {
      if (output.state === "recorded" && reopened.has(output.index)) remove(output);
    }
  }

  /** Of a job or an assignment of which something has ended. */
  function removeUnheld(outputs: ReadonlySet<StoredOutputFile> | undefined): void {
    for (const output of [...(outputs ?? [])]) {
      if (output.state === "arriving" && !parts.isHeld(output)) remove(output);
    }
  }

  return {
    find,
    begin: (name) =>
      find(name.jobId, name.index, name.assignment) ??
      enter({ ...name, byteCount: 0, isWhole: false, state: "arriving", busy: Promise.resolve() }),
    get byteCount() {
      return byteCount;
    },
    bytesOf(jobId) {
      let total = 0;
      for (const output of jobs.get(jobId) ?? []) total += output.byteCount;
      return total;
    },
    rewind: (output, toBytes) =>
      inTurn(output, async () => {
        if (output.state === "gone") return;
        output.isWhole = false;
        byteCount -= output.byteCount - toBytes;
        output.byteCount = toBytes;
      }),
    append: (output, chunks) =>
      inTurn(output, async () => {
        if (output.state === "gone") return "ok";
        const outcome = await files.write(output, output.byteCount, chunks);
        // Removed meanwhile: it counts no more.
        if (outcome === "full" || isGone(output)) return outcome;
        for (const chunk of chunks) {
          output.byteCount += chunk.byteLength;
          byteCount += chunk.byteLength;
        }
        return outcome;
      }),
    remove,
    onCommitted(changes) {
      if (jobs.size === 0) return;
      for (const change of changes) {
        if (change.type === "settled") onSettled(change);
        else if (change.type === "reopened") onReopened(change);
        else if (change.type === "jobRemoved") removeJob(change.jobId);
      }
      if (underAssignment.size === 0) return;
      for (const change of changes) {
        if (change.type === "assignmentShrunk") {
          removeUnheld(underAssignment.get(change.assignmentId));
        } else if (change.type === "settled") removeUnheld(jobs.get(change.settlement.jobId));
        else if (change.type === "attemptsEnded" || change.type === "restCancelled") {
          removeUnheld(jobs.get(change.jobId));
        }
      }
    },
    removed: () => removals,
  };
}

/** Asked anew after a wait. */
const isGone = ({ state }: StoredOutputFile): boolean => state === "gone";

function addTo<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const held = map.get(key);
  if (held) held.add(value);
  else map.set(key, new Set([value]));
}

function takeFrom<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const held = map.get(key);
  if (!held?.delete(value)) return;
  if (held.size === 0) map.delete(key);
}

/** What each file at the start belongs to; what belongs to nothing is removed. */
export async function sortOutputs(
  files: Pick<OutputFiles, "list" | "remove" | "removeEmptyFolders">,
  parts: {
    isHeld(name: OutputName): boolean;
    /** The attempt whose end, other than a cancellation, settled the task; null: none has. */
    settledBy(jobId: ReturnType<typeof asJobId>, index: number): Promise<number | null>;
  },
): Promise<(OutputFile & { readonly isRecorded: boolean })[]> {
  const kept: (OutputFile & { readonly isRecorded: boolean })[] = [];
  for (const file of await files.list()) {
    if (parts.isHeld(file)) kept.push({ ...file, isRecorded: false });
    else if ((await parts.settledBy(asJobId(file.jobId), file.index)) === file.attempt) {
      kept.push({ ...file, isRecorded: true });
    } else await files.remove(file);
  }
  await files.removeEmptyFolders();
  return kept;
}
