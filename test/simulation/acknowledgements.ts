/**
 * Stands at the foreman's door: whatever it acknowledges must be durable at that very moment, for
 * submissions, inputs and results alike. Also keeps what each worker's boot has reported and not heard
 * back of, since an acknowledgement covers everything up to its number.
 */
import { type IndexColumn, indexAt, u32At } from "../../src/runtime/protocol/columns.ts";
import type { Message, MessageOf } from "../../src/runtime/protocol/messages.ts";
import type { Channel } from "../../src/runtime/transport/channel.ts";
import type { Tap } from "./foreman-host.ts";
import { taskName } from "./ledger.ts";
import type { DurableRecord } from "./record.ts";
import { demand, type Watch } from "./violation.ts";

export interface Acknowledgements extends Tap {
  /** A boot says something, whether or not it ever arrives. */
  onWorkerSaid(boot: string, message: Message): void;
}

export function createAcknowledgements(record: DurableRecord, watch: Watch): Acknowledgements {
  /** By boot and number. */
  const reports = new Map<string, Map<number, MessageOf<"task_result">>>();
  const bootOf = new WeakMap<Channel, string>();
  /** Refused once; when they come again, they are only acknowledged. */
  const refused = new Set<string>();

  function judgeAcknowledged(boot: string, ack: MessageOf<"task_result_ack">): void {
    for (const { assignment, index } of ack.stale ?? []) {
      for (const each of index) refused.add(`${assignment} ${each}`);
    }
    const reported = reports.get(boot);
    for (const [seq, report] of reported ?? []) {
      if (seq > ack.seq) continue;
      reported?.delete(seq);
      judgeReport(report);
    }
  }

  function judgeReport(report: MessageOf<"task_result">): void {
    const { job_id: jobId, status, assignment } = report;
    const indexes: IndexColumn = report.index ?? { first: report.first_index ?? 0 };
    for (let row = 0; row < report.count; row++) {
      const index = indexAt(indexes, row);
      if (refused.has(`${assignment} ${index}`)) continue;
      const attempt = u32At(report.attempt, row);
      const task = record.task(jobId, index);
      if (task === null || task.cancelCount > 0 || task.reopenCount > 0) continue;
      demand(
        task.ended.get(attempt) === status,
        `the result of attempt ${attempt} (${status}) is acknowledged, and it is not recorded`,
        taskName(jobId, index),
      );
    }
  }

  function judgeInputs(jobId: number, nextIndex: number): void {
    const held = record.job(jobId)?.tasks.length ?? -1;
    demand(
      held >= nextIndex || record.removedJobs.has(jobId),
      `${nextIndex} inputs of job ${jobId} are acknowledged, and ${held} are durable`,
    );
  }

  return {
    onWorkerSaid(boot, message) {
      if (message.type !== "task_result") return;
      const known = reports.get(boot) ?? new Map<number, MessageOf<"task_result">>();
      known.set(message.seq, message);
      reports.set(boot, known);
    },
    heard(channel, message) {
      if (message.type === "worker_ready") bootOf.set(channel, message.boot_id);
    },
    said(channel, message) {
      watch.judge(() => {
        if (message.type === "job_accepted" || message.type === "tasks_accepted") {
          judgeInputs(message.job_id, message.next_index);
        } else if (message.type === "task_result_ack") {
          judgeAcknowledged(bootOf.get(channel) ?? "", message);
        }
      });
    },
  };
}
