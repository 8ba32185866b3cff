/**
 * What a foreman's system calls say about durability: `strace` writes down, in order, what it received,
 * wrote to the write-ahead log, synced and sent. Read afterwards by rules that know nothing of the
 * program but the names of its acknowledgements.
 */
import { readFileSync } from "node:fs";
import { eventually } from "./cluster.ts";

const STRACE = Bun.which("strace") ?? "";
const CALLS =
  "fsync,fdatasync,write,pwrite64,pwritev,writev,sendto,sendmsg,read,recvfrom,recvmsg,readv";
/** Messages that tell a peer that something is kept. They are short; their names stand in front. */
const ACKNOWLEDGEMENT = /job_accepted|tasks_accepted|task_result_ack|job_status/;
const SHOWN_BYTES = 4_096;

/** Whether this machine has strace and lets us use it. */
export const canTrace: boolean = probe();

/** How to start a foreman so that its calls are written to the file. Its pid stays its own (-D). */
export function underTrace(file: string): { program: string; before: readonly string[] } {
  const options = ["-D", "-f", "-q", "-y", "-s", `${SHOWN_BYTES}`, "-e", `trace=${CALLS}`];
  return { program: STRACE, before: [...options, "-o", file] };
}

export interface AckOrder {
  /** Acknowledgements that were sent. */
  readonly ackCount: number;
  /** Sent while bytes of the write-ahead log were not synced. */
  readonly beforeSync: readonly string[];
  /** Sent although nothing was written and synced since the last receipt on the same connection. */
  readonly beforeCommit: readonly string[];
}

/** Reads the file once the traced process has ended. */
export async function readAckOrder(file: string, pid: number): Promise<AckOrder> {
  const end = new RegExp(`^${pid} +\\+\\+\\+ `, "m");
  await eventually("strace has written everything", () => end.test(readFileSync(file, "utf8")));
  return judgeCalls(readCalls(readFileSync(file, "utf8")));
}

interface Call {
  readonly name: string;
  readonly target: string;
  readonly line: string;
  readonly result: number;
}

/** In the order in which they were over; halves of one call are joined. */
function* readCalls(text: string): Generator<Call> {
  const begun = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = / <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      begun.set(pid, rest.slice(0, unfinished.index));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const whole = resumed ? `${begun.get(pid) ?? ""}${rest.slice(resumed[0].length)}` : rest;
    const [, name = "", target = ""] = /^(\w+)\((\d+<[^>]*>)/.exec(whole) ?? [];
    const result = Number(/ = (-?\d+)[^=]*$/.exec(whole)?.[1] ?? -1);
    if (name !== "") yield { name, target, line: whole, result };
  }
}

function judgeCalls(calls: Iterable<Call>): AckOrder {
  let unsynced = false;
  let syncCount = 0;
  let ackCount = 0;
  /** How many syncs there had been at the last receipt, by connection. */
  const syncsAtReceipt = new Map<string, number>();
  const beforeSync: string[] = [];
  const beforeCommit: string[] = [];
  for (const { name, target, line, result } of calls) {
    if (target.endsWith("-wal>")) {
      if (/sync$/.test(name)) {
        if (unsynced) syncCount++;
        unsynced = false;
      } else if (/write/.test(name)) unsynced = true;
    } else if (/^(read|recv)/.test(name)) {
      if (result > 0) syncsAtReceipt.set(target, syncCount);
    } else if (/<(socket|TCP)/.test(target) && ACKNOWLEDGEMENT.test(line)) {
      ackCount++;
      const shown = line.slice(0, 200);
      if (unsynced) beforeSync.push(shown);
      if (syncCount === syncsAtReceipt.get(target)) beforeCommit.push(shown);
    }
  }
  return { ackCount, beforeSync, beforeCommit };
}

function probe(): boolean {
  if (STRACE === "") return false;
  const { exitCode } = Bun.spawnSync([STRACE, "-f", "-o", "/dev/null", "true"], {
    timeout: 10_000,
  });
  return exitCode === 0;
}
