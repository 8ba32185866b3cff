/**
 * Finds and ends every process of an attempt: those of its group and session, their descendants,
 * and whatever carries its token. What daemonises and clears its environment escapes (documented).
 * Never ends a process that is not of the given tree.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptToken, TokenCensus } from "./attempt-token.ts";
import { tokenNumber } from "./attempt-token.ts";
import { isGroupAlive } from "./libc.ts";
import {
  type ProcessEntry,
  readProcessTable,
  residentBytes,
  tokenOfProcess,
} from "./process-table.ts";

/** `leaderPid` was started in a group and session of its own. */
export interface ProcessTree {
  readonly leaderPid: number;
  readonly token: AttemptToken;
}

/** Between SIGTERM and SIGKILL; the contract's five seconds. */
export const KILL_AFTER_MS = 5_000;

const POLL_FIRST_MS = 5;
const POLL_LAST_MS = 100;
/** While the group still lives its full tree is looked up only so often. */
const FULL_SCAN_INTERVAL_MS = 250;

/** Members seen so far: number and start. A member stays one when its parent has gone. */
type KnownMembers = Map<number, number>;

/** All living processes of the tree, in no order. */
export function findTreeMembers(
  tree: ProcessTree,
  known: KnownMembers = new Map(),
): ProcessEntry[] {
  const table = readProcessTable();
  forgetReused(known, table);
  const isMember = new Set<number>();
  for (const entry of table) {
    const { pid, groupId, sessionId } = entry;
    const isKnown = known.has(pid) || known.has(groupId) || known.has(sessionId);
    if (isKnown || belongsTo(entry, tree)) isMember.add(pid);
  }
  addDescendants(table, isMember);
  const members = table.filter((entry) => !entry.isZombie && isMember.has(entry.pid));
  for (const { pid, startTicks } of members) known.set(pid, startTicks);
  return members;
}

/** Process numbers come again, within seconds where many processes start. */
function forgetReused(known: KnownMembers, table: readonly ProcessEntry[]): void {
  for (const { pid, startTicks } of table) {
    const ticksBefore = known.get(pid);
    if (ticksBefore !== undefined && ticksBefore !== startTicks) known.delete(pid);
  }
}

/** Resident memory of the whole tree, in bytes. */
export function treeResidentBytes(tree: ProcessTree): number {
  let total = 0;
  for (const { pid } of findTreeMembers(tree)) total += residentBytes(pid);
  return total;
}

/**
 * SIGTERM, after `killAfterMs` SIGKILL, and again until nothing of the tree lives; `0` kills at
 * once. Resolves when the tree is gone. Processes that changed to another account are left, since
 * nobody here may signal them.
 */
export async function endTree(tree: ProcessTree, killAfterMs: number): Promise<void> {
  const startedAtMs = performance.now();
  const known: KnownMembers = new Map();
  let pollMs = POLL_FIRST_MS;
  let scannedAtMs = Number.NEGATIVE_INFINITY;
  if (killAfterMs > 0) signalTree(tree, "SIGTERM", known);
  for (;;) {
    const nowMs = performance.now();
    const isTime = nowMs - startedAtMs >= killAfterMs;
    const mustScan = nowMs - scannedAtMs >= FULL_SCAN_INTERVAL_MS;
    if (isTime || mustScan || !isGroupAlive(tree.leaderPid)) {
      scannedAtMs = nowMs;
      const leftCount = isTime
        ? signalTree(tree, "SIGKILL", known)
        : findTreeMembers(tree, known).length;
      if (leftCount === 0) return;
    }
    await sleep(pollMs);
    pollMs = Math.min(pollMs * 2, POLL_LAST_MS);
  }
}

/** Returns how many could be signalled. */
function signalTree(tree: ProcessTree, signal: "SIGTERM" | "SIGKILL", known: KnownMembers): number {
  // Looked up first: a signalled parent leaves its children to init, where descent ends.
  const members = findTreeMembers(tree, known);
  signalProcess(-tree.leaderPid, signal);
  let signalledCount = 0;
  for (const { pid, groupId } of members) {
    // The group has its signal; many programs take a second SIGTERM for "abort at once".
    const isInGroup = groupId === tree.leaderPid;
    const sent = signalProcess(pid, isInGroup && signal === "SIGTERM" ? 0 : signal);
    if (sent === "sent") signalledCount++;
  }
  return signalledCount;
}

/**
 * Kills what released attempts have left behind; returns how many. Numbers above the census are of
 * attempts that began after it was taken and are left alone.
 */
export function sweepLeftovers(census: TokenCensus): number {
  const live = new Set(census.live);
  return killByToken(census.prefix, (token) => {
    const number = tokenNumber(token);
    return number <= census.allocated && !live.has(number);
  });
}

/** Kills every process that holds a token with this prefix; returns how many. */
function killByToken(prefix: string, isCondemned: (token: string) => boolean): number {
  let killedCount = 0;
  for (const { pid, isZombie } of readProcessTable()) {
    if (isZombie || pid === process.pid) continue;
    const token = tokenOfProcess(pid, prefix);
    if (token !== null && isCondemned(token) && signalProcess(pid, "SIGKILL") === "sent") {
      killedCount++;
    }
  }
  return killedCount;
}

/**
 * Kills all that the attempts of a dead worker have left: the trees of `leaderPids`, whatever holds a
 * token with the prefix, and the groups, sessions and descendants of both. Returns how many; call it
 * until it finds none.
 */
export function killAllAttempts(prefix: string, leaderPids: readonly number[]): number {
  const table = readProcessTable().filter(({ pid }) => pid !== process.pid);
  const marked = new Set(leaderPids);
  for (const { pid } of table) if (tokenOfProcess(pid, prefix) !== null) marked.add(pid);
  const sessions = sessionsOfAttempts(table, marked);
  const isMember = new Set<number>();
  for (const { pid, groupId, sessionId } of table) {
    if (marked.has(pid) || marked.has(groupId) || sessions.has(sessionId)) isMember.add(pid);
  }
  addDescendants(table, isMember);
  const members = table.filter(({ pid, isZombie }) => !isZombie && isMember.has(pid));
  return members.filter(({ pid }) => signalProcess(pid, "SIGKILL") === "sent").length;
}

/**
 * Attempts lead sessions of their own. Where the leader lives and is not marked, somebody has carried
 * our token into a session that is not ours, and the rest of that session must live.
 */
function sessionsOfAttempts(
  table: readonly ProcessEntry[],
  marked: ReadonlySet<number>,
): ReadonlySet<number> {
  const alive = new Set(table.map(({ pid }) => pid));
  const sessions = new Set<number>();
  for (const { pid, sessionId } of table) {
    if (!marked.has(pid)) continue;
    if (marked.has(sessionId) || !alive.has(sessionId)) sessions.add(sessionId);
  }
  return sessions;
}

function belongsTo(entry: ProcessEntry, tree: ProcessTree): boolean {
  const { leaderPid, token } = tree;
  return (
    entry.pid === leaderPid ||
    entry.groupId === leaderPid ||
    entry.sessionId === leaderPid ||
    (!entry.isZombie && tokenOfProcess(entry.pid, token) === token)
  );
}

/** Parents may follow their children in the table (numbers wrap), hence the repetition. */
function addDescendants(table: readonly ProcessEntry[], isMember: Set<number>): void {
  for (let sizeBefore = -1; sizeBefore !== isMember.size; ) {
    sizeBefore = isMember.size;
    for (const { pid, parentPid } of table) if (isMember.has(parentPid)) isMember.add(pid);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): "sent" | "gone" | "refused" {
  try {
    process.kill(pid, signal);
    return "sent";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "refused";
  }
}
