/**
 * Faults that the simulator must find, each as a change of the source that only the simulator makes when
 * it loads the module: no switch for them exists in the program. `find` must occur exactly once, which a
 * test checks, so that none goes stale in silence.
 */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  readonly name: string;
  readonly meaning: string;
  readonly patches: readonly Patch[];
  /** The first seed that found it when it was last searched for. */
  readonly seed: number;
}

const FOREMAN = "src/runtime/scheduler/foreman";
const AGENT = "src/runtime/scheduler/agent";
const SHELL = "src/runtime/foreman";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "no-fence",
    meaning: "a result counts whoever holds the task by now",
    patches: [
      {
        file: `${FOREMAN}/outcomes/reports.ts`,
        find: "if (isLiveRow(rowState) && attemptOfRow(assignment, row) === u32At(event.attempts, i)) {",
        replace: "if (row >= 0) {",
      },
    ],
    seed: 5,
  },
  {
    name: "acknowledge-before-commit",
    meaning: "effects are performed before their changes are durable",
    patches: [
      {
        file: `${SHELL}/pump.ts`,
        find: "if (changes.length > 0) await commit(changes);\n    parts.onCommitted(changes);\n    for (const effect of effects) parts.perform(effect);",
        replace:
          "parts.onCommitted(changes);\n    for (const effect of effects) parts.perform(effect);\n    if (changes.length > 0) await commit(changes);",
      },
    ],
    seed: 1,
  },
  {
    name: "forget-back-off",
    meaning: "a failed task is tried again at once",
    patches: [
      {
        file: `${FOREMAN}/outcomes/failures.ts`,
        find: "const backoffMs = planBackoffMs(step.state, job, failureCount);",
        replace: "const backoffMs = 0 * planBackoffMs(step.state, job, failureCount);",
      },
    ],
    seed: 3,
  },
  {
    name: "forget-back-off-at-restart",
    meaning: "after a restart tasks do not wait for the end of their back-off",
    patches: [
      {
        file: `${FOREMAN}/jobs/revive.ts`,
        find: "if (notBeforeMs !== null && notBeforeMs > state.nowMs) delayTask(",
        replace: "if (notBeforeMs !== null && notBeforeMs < 0) delayTask(",
      },
    ],
    seed: 70,
  },
  {
    name: "count-losses-twice",
    meaning: "a lost worker gives its task two points",
    patches: [
      {
        file: `${FOREMAN}/outcomes/setbacks.ts`,
        find: "column[index] = Math.min(0xffff, (column[index] as number) + 1);",
        replace: "column[index] = Math.min(0xffff, (column[index] as number) + 2);",
      },
    ],
    seed: 1,
  },
  {
    name: "losses-count-as-failures",
    meaning: "a lost worker costs a retry",
    patches: [
      {
        file: `${FOREMAN}/outcomes/setbacks.ts`,
        find: "(isCrash ? setbacks.crashed : setbacks.lost).push(index);",
        replace:
          "trouble.failures[index] = (trouble.failures[index] as number) + 1;\n  (isCrash ? setbacks.crashed : setbacks.lost).push(index);",
      },
    ],
    seed: 20,
  },
  {
    name: "lose-revoked-tasks",
    meaning: "a worker that is asked for tasks back forgets them and returns none",
    patches: [
      {
        file: `${AGENT}/commands.ts`,
        find: 'removeWaitingRows(state, assignment, rows, REPORTED);\n  returnTasks(state, { assignment, rows, reason: "revoked", request }, atMs, effects);',
        replace:
          'removeWaitingRows(state, assignment, rows, SETTLED);\n  returnTasks(state, { assignment, rows: [], reason: "revoked", request }, atMs, effects);',
      },
    ],
    seed: 1,
  },
  {
    name: "adopt-wrong-attempt",
    meaning: "after a restart a running task counts as one attempt less",
    patches: [
      {
        file: `${FOREMAN}/recovery.ts`,
        find: "tasks.attempt[index] = attempt;",
        replace: "tasks.attempt[index] = attempt - 1;",
      },
    ],
    seed: 3,
  },
  {
    name: "lose-a-cancel",
    meaning: "the cancellation of a job is acknowledged and never stored",
    patches: [
      {
        file: `${FOREMAN}/outcomes/settle.ts`,
        find: "markRestCancelled(job, seq);\n  step.changes.push({",
        replace: "markRestCancelled(job, seq);\n  ([] as unknown[]).push({",
      },
    ],
    seed: 5,
  },
  {
    name: "settle-twice",
    meaning: "a task stays with its worker after its result is in",
    patches: [
      {
        file: `${FOREMAN}/outcomes/reports.ts`,
        find: "leaveRow(assignment, row);\n        passed[passedCount++] = i;",
        replace: "passed[passedCount++] = i;",
      },
    ],
    seed: 1,
  },
  {
    name: "drop-the-inventory",
    meaning: "a worker that comes back presents nothing",
    patches: [
      {
        file: `${AGENT}/session.ts`,
        find: "inventory: inventoryOf(state),",
        replace: "inventory: [],",
      },
    ],
    seed: 5,
  },
  {
    name: "forget-assignments",
    meaning: "after a restart the foreman does not know who has which task",
    patches: [
      {
        file: `${FOREMAN}/recovery.ts`,
        find: "for (const facts of stored.assignments) takeAssignment(step, facts);",
        replace: "",
      },
    ],
    seed: 3,
  },
  {
    name: "forget-submissions",
    meaning: "the same idempotency key makes a second job",
    patches: [
      {
        file: `${FOREMAN}/jobs/jobs.ts`,
        find: "if (known !== undefined) answerKnown(",
        replace: "if (known !== undefined && known < 0) answerKnown(",
      },
    ],
    seed: 1,
  },
  {
    name: "forget-unacknowledged-results",
    meaning: "a worker does not send again what was not acknowledged",
    patches: [
      {
        file: `${AGENT}/session.ts`,
        find: "for (const report of state.unacknowledged) sendReport(report, atMs, effects);",
        replace: "",
      },
    ],
    seed: 5,
  },
  {
    name: "busy-counts-as-done",
    meaning: "a commit that found the store busy is not tried again",
    patches: [
      {
        file: `${SHELL}/pump.ts`,
        find: 'if (outcome === "ok") return;',
        replace: 'if (outcome !== "full") return;',
      },
    ],
    seed: 2,
  },
  {
    name: "own-sleep-kills-all",
    meaning: "a foreman that was suspended declares every worker lost",
    patches: [
      {
        file: `${FOREMAN}/machine.ts`,
        find: "const hasStoodStill = stoodMs > leaseMs / 2;",
        replace: "const hasStoodStill = stoodMs > leaseMs * 1e9;",
      },
    ],
    seed: 106,
  },
  {
    name: "leases-never-end",
    meaning: "a worker whose heartbeats stay out is waited for without end",
    patches: [
      {
        file: `${FOREMAN}/sessions/sessions.ts`,
        find: "session.leaseEndsAtMs = step.atMs + step.state.options.leaseMs;\n  session.lastHeartbeatAtMs",
        replace: "session.leaseEndsAtMs = Number.POSITIVE_INFINITY;\n  session.lastHeartbeatAtMs",
      },
    ],
    seed: 15,
  },
  {
    name: "hasty-time-outs",
    meaning: "silence of a worker that cannot be heard is a time-out (found by this simulator)",
    patches: [
      {
        file: `${FOREMAN}/outcomes/backstop.ts`,
        find: "const fromMs = Math.max(dueAtMs, audibleFromMs(step, assignment.session));",
        replace: "const fromMs = dueAtMs;",
      },
    ],
    seed: 106,
  },
  {
    name: "blame-ends-attempts",
    meaning: "a blame taken back ends the attempt under way (found by this simulator)",
    patches: [
      {
        file: `${FOREMAN}/sessions/session-loss.ts`,
        find: "written.push(isRunning ? { ...row, attempt: row.attempt - 1 } : row);",
        replace: "written.push(isRunning ? row : row);",
      },
    ],
    seed: 513,
  },
  {
    name: "late-failures-agree",
    meaning:
      "a late failure of a lost attempt is taken for a recorded one (found by this simulator)",
    patches: [
      {
        file: `${FOREMAN}/outcomes/stale.ts`,
        find: "(session?.isRecovered === true && waitsAgain(taskState))",
        replace: "waitsAgain(taskState)",
      },
    ],
    seed: 74,
  },
  {
    name: "dirty-reads",
    meaning: "readers see what is not committed (found by this simulator)",
    patches: [
      {
        file: `${SHELL}/reading/job-reader.ts`,
        find: "const live = committed.get(jobId);",
        replace: "const live = liveFacts(jobId);",
      },
      {
        file: `${SHELL}/reading/job-reader.ts`,
        find: "return seq < live.nextSettleSeq ? seq : 0;",
        replace: "return seq;",
      },
    ],
    seed: 75,
  },
  {
    name: "reuse-attempt-numbers",
    meaning:
      "a cancelled task's number is given again though it may have begun (found by this simulator)",
    patches: [
      {
        file: `${FOREMAN}/outcomes/settle.ts`,
        find: "troubleOf(tasks).isRecorded[index] = 1;\n      written.push(exceptionFacts(tasks, index, null));",
        replace: "tasks.attempt[index] = (tasks.attempt[index] as number) - 1;",
      },
    ],
    seed: 5,
  },
];
