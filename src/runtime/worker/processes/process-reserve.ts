/**
 * Keeps some of the account's processes for the worker itself. A limit of processes (`ulimit -u`) counts
 * what tasks fork and the worker's own threads together, and a runtime that cannot start a thread
 * aborts. So a task's limit lies a little below the worker's. Root has no such limit.
 */
import { readFileSync } from "node:fs";
import { limitProcesses } from "./libc.ts";

const RESERVED_MAX = 64;
const RESERVED_SHARE = 0.25;
const UNLIMITED = 2n ** 64n - 1n;

interface Limits {
  readonly soft: bigint;
  readonly hard: bigint;
  readonly ofTasks: bigint;
}

const limits = readLimits();

/**
 * Starts a process of a task. Our own limit is the lower one meanwhile, because a task inherits it at
 * once and may fork before we can set its own; then it is the task's for good.
 */
export function spawnWithReserve<Child extends { readonly pid: number }>(
  spawn: () => Child,
): Child {
  if (limits === null) return spawn();
  const { soft, hard, ofTasks } = limits;
  limitProcesses(0, ofTasks, hard);
  try {
    const child = spawn();
    limitProcesses(child.pid, ofTasks, ofTasks);
    return child;
  } finally {
    limitProcesses(0, soft, hard);
  }
}

/** Null where there is no limit that holds. */
function readLimits(): Limits | null {
  if (process.getuid?.() === 0) return null;
  try {
    const text = readFileSync("/proc/self/limits", "latin1");
    const found = /^Max processes\s+(\d+)\s+(\d+|unlimited)/m.exec(text);
    if (found === null) return null;
    const soft = Number(found[1]);
    const ofTasks = Math.ceil(soft - Math.min(RESERVED_MAX, soft * RESERVED_SHARE));
    const hard = found[2] === "unlimited" ? UNLIMITED : BigInt(found[2] ?? soft);
    return { soft: BigInt(soft), hard, ofTasks: BigInt(ofTasks) };
  } catch {
    // Not Linux.
    return null;
  }
}
