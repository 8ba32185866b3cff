/** Groups of errors in a few words: what failed, where most of it failed, and which tasks to look at. */
import type { ErrorGroupRowView } from "../../../runtime/protocol/monitor-views.ts";

/** What a shell's exit codes above 128 mean, where the number alone tells few people. */
const SIGNALS: Readonly<Record<number, string>> = {
  129: "hangup",
  130: "interrupted",
  132: "illegal instruction",
  134: "aborted",
  135: "bus error",
  136: "arithmetic fault",
  137: "killed",
  139: "segfault",
  141: "closed pipe",
  143: "terminated",
};

/** `exit 137 (killed)`, `timeout`; "" where the message says it all, as of an ordinary exception. */
export function failureKind(code: string, exitCode: number | null): string {
  if (exitCode !== null && (code === "exit_status" || code === "out_of_memory")) {
    const reason = code === "out_of_memory" ? "out of memory" : SIGNALS[exitCode];
    return `exit ${exitCode}${reason === undefined ? "" : ` (${reason})`}`;
  }
  return code === "error" || code === "exit_status" ? "" : code;
}

/** The kind and the message, without saying the same twice. */
export function failureText(failure: {
  readonly code: string;
  readonly message: string;
  readonly exit_code?: number | null;
}): string {
  const kind = failureKind(failure.code, failure.exit_code ?? null);
  if (kind === "") return failure.message;
  return failure.message === "" || failure.message === kind ? kind : `${kind}: ${failure.message}`;
}

/** Enough failures that a worker's share of them means something. */
const SHARE_FAILURES_MIN = 5;
const SHARE_MIN = 0.6;
const NAMES_MAX = 3;

/** `w03 only`, `w03 75%`, `w03,w07`, `5 workers`. */
export function workerShare(group: ErrorGroupRowView): string {
  const [top] = group.by_worker;
  const names =
    group.by_worker.length >= group.workers.length
      ? group.by_worker.map(({ worker }) => worker)
      : group.workers;
  if (names.length === 0) return "";
  if (names.length === 1) return group.count > 1 ? `${names[0]} only` : (names[0] ?? "");
  if (
    top !== undefined &&
    group.count >= SHARE_FAILURES_MIN &&
    top.count / group.count >= SHARE_MIN
  )
    return `${top.worker} ${Math.floor((100 * top.count) / group.count)}%`;
  return names.length <= NAMES_MAX ? names.join(",") : `${names.length} workers`;
}

/** `#48211 #50233 ..`: indexes, since all are of one job; as many as fit in `width`. */
export function taskNumbers(group: ErrorGroupRowView, width: number): string {
  const ids = group.task_ids.length > 0 ? group.task_ids : [group.task_id];
  let text = "";
  let shown = 0;
  for (const id of ids) {
    const next = `${text === "" ? "" : `${text} `}${taskNumber(id)}`;
    const more = shown + 1 < group.count ? " ..".length : 0;
    if (next.length + more > width && shown > 0) break;
    text = next;
    shown += 1;
  }
  return shown < group.count ? `${text} ..` : text;
}

/** `17/48211` is `#48211` where the job is known. */
export const taskNumber = (taskId: string): string => `#${taskId.slice(taskId.indexOf("/") + 1)}`;
