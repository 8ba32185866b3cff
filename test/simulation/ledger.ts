/**
 * What really ran: every execution that began anywhere, with its end. Workers write it down as it
 * happens, whoever hears of it; it is what results and attempts are measured against.
 */
import type { WorldOptions } from "./options.ts";
import { demand } from "./violation.ts";

export interface Execution {
  readonly jobId: number;
  readonly index: number;
  readonly attempt: number;
  readonly worker: string;
  readonly boot: string;
  readonly beganAtMs: number;
  /** `ended`: by order of the worker (cancel, abort, end of session); `killed`: with its worker. */
  end: "running" | "completed" | "failed" | "ended" | "killed";
  code: string | null;
  isPermanent: boolean;
}

export interface Ledger {
  begin(facts: Pick<Execution, "jobId" | "index" | "attempt" | "worker" | "boot">): Execution;
  of(jobId: number, index: number): readonly Execution[];
  find(jobId: number, index: number, attempt: number): Execution | null;
  /** Somebody asked for tasks of this job to run again, or took them back with force. */
  allowReruns(jobId: number): void;
  /** What runs at this moment on a worker. */
  running(worker: string): readonly Execution[];
  readonly count: number;
}

export interface LedgerParts {
  readonly options: WorldOptions;
  readonly nowMs: () => number;
  /** Limits as last known, and whether they ever changed. */
  limitsOf(
    jobId: number,
  ): { readonly retries: number; readonly maxCrashes: number; readonly isPatched: boolean } | null;
}

export const taskName = (jobId: number, index: number): string => `${jobId}/${index}`;

export function createLedger({ options, nowMs, limitsOf }: LedgerParts): Ledger {
  const executions = new Map<string, Execution[]>();
  const reruns = new Set<number>();
  let count = 0;

  function checkBegin(facts: Execution, before: readonly Execution[]): void {
    const name = taskName(facts.jobId, facts.index);
    const same = before.find(({ attempt }) => attempt === facts.attempt);
    demand(
      same === undefined,
      `attempt ${facts.attempt} begins on ${facts.worker}, and began on ${same?.worker} before`,
      name,
    );
    if (before.length === 0 || reruns.has(facts.jobId)) return;
    const limits = limitsOf(facts.jobId);
    if (limits && !limits.isPatched && limits.retries === 0 && limits.maxCrashes === 1) {
      demand(false, "it starts twice, with --retries 0 --max-crashes 1", name);
    }
    if (options.temper === "rough") return;
    const other = before.find(({ end }) => end !== "failed");
    demand(
      other === undefined,
      `attempt ${facts.attempt} begins on ${facts.worker}, though attempt ${other?.attempt} on ${other?.worker} (${other?.end}) was never lost`,
      name,
    );
  }

  return {
    begin(facts) {
      const name = taskName(facts.jobId, facts.index);
      const before = executions.get(name) ?? [];
      const execution: Execution = {
        ...facts,
        beganAtMs: nowMs(),
        end: "running",
        code: null,
        isPermanent: false,
      };
      checkBegin(execution, before);
      executions.set(name, [...before, execution]);
      count++;
      return execution;
    },
    of: (jobId, index) => executions.get(taskName(jobId, index)) ?? [],
    find: (jobId, index, attempt) =>
      executions.get(taskName(jobId, index))?.find((one) => one.attempt === attempt) ?? null,
    allowReruns: (jobId) => void reruns.add(jobId),
    running(worker) {
      const found: Execution[] = [];
      for (const list of executions.values()) {
        for (const one of list) if (one.worker === worker && one.end === "running") found.push(one);
      }
      return found;
    },
    get count() {
      return count;
    },
  };
}
