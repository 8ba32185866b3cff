import { describe, expect, test } from "bun:test";
import { createAttemptTokens } from "../../../../src/runtime/worker/processes/attempt-token.ts";
import {
  parseProcessList,
  parseStat,
  readProcessTable,
  tokenOfProcess,
} from "../../../../src/runtime/worker/processes/process-table.ts";
import {
  endTree,
  findTreeMembers,
  killAllAttempts,
  sweepLeftovers,
  treeResidentBytes,
} from "../../../../src/runtime/worker/processes/process-tree.ts";
import { eventually, processesWith, uniqueSeconds } from "../processes.ts";

function startMarked(script: string, token: string) {
  return Bun.spawn(["/bin/sh", "-c", script], {
    detached: true,
    env: { PATH: "/usr/bin:/bin", CC_ATTEMPT_TOKEN: token },
    stdio: ["ignore", "ignore", "ignore"],
  });
}

describe("the process table", () => {
  test("reads names with spaces and brackets", () => {
    const stat = `42 (a) b (c)) S 7 8 9 0 -1 ${"0 ".repeat(13)}777 0 0\n`;
    expect(parseStat(stat)).toEqual({
      pid: 42,
      parentPid: 7,
      groupId: 8,
      sessionId: 9,
      startTicks: 777,
      isZombie: false,
    });
  });

  test("reads what ps prints where there is no /proc", () => {
    const entry = { parentPid: 1, groupId: 10, sessionId: 10, startTicks: 0 };
    expect(parseProcessList("   10     1    10   10 Ss\n   11 1 10 10 Z+\n\n")).toEqual([
      { pid: 10, ...entry, isZombie: false },
      { pid: 11, ...entry, isZombie: true },
    ]);
  });

  test("knows this process", () => {
    const own = readProcessTable().find(({ pid }) => pid === process.pid);
    expect(own).toMatchObject({ parentPid: process.ppid, isZombie: false });
  });

  test("finds a token by its prefix and only as a whole variable", async () => {
    const tokens = createAttemptTokens();
    const token = tokens.allocate();
    const child = startMarked("sleep 60", token);
    const other = Bun.spawn(["sleep", "60"], { env: { XCC_ATTEMPT_TOKEN: token } });
    // A process in the middle of its exec has no environment to show.
    const isFound = () => tokenOfProcess(child.pid, tokens.prefix) === token;
    expect(await eventually(isFound, 2_000)).toBe(true);
    expect(tokenOfProcess(other.pid, tokens.prefix)).toBeNull();
    expect(tokenOfProcess(child.pid, createAttemptTokens().prefix)).toBeNull();
    child.kill("SIGKILL");
    other.kill("SIGKILL");
    await Promise.all([child.exited, other.exited]);
  });
});

describe("a tree", () => {
  test("holds the group, sessions made below it and daemons, and nothing of its neighbour", async () => {
    const tokens = createAttemptTokens();
    const [seconds, otherSeconds] = [uniqueSeconds(), uniqueSeconds()];
    const [token, otherToken] = [tokens.allocate(), tokens.allocate()];
    const script = `(setsid sleep ${seconds} &); sleep ${seconds} & wait`;
    const child = startMarked(script, token);
    const other = startMarked(`sleep ${otherSeconds} & wait`, otherToken);
    const tree = { leaderPid: child.pid, token };
    const isUp = () =>
      processesWith(`sleep\0${seconds}`).length === 2 &&
      processesWith(`sleep\0${otherSeconds}`).length === 1;
    expect(await eventually(isUp, 5_000)).toBe(true);

    const found = findTreeMembers(tree).map(({ pid }) => pid);
    const expected = [child.pid, ...processesWith(`sleep\0${seconds}`)];
    expect(found.sort()).toEqual(expected.sort());
    expect(treeResidentBytes(tree)).toBeGreaterThan(300_000);

    await endTree(tree, 5_000);
    expect(findTreeMembers(tree)).toEqual([]);
    expect(processesWith(`sleep\0${otherSeconds}`).length).toBe(1);
    await endTree({ leaderPid: other.pid, token: otherToken }, 0);
    expect(processesWith(otherSeconds)).toEqual([]);
    await Promise.all([child.exited, other.exited]);
  });

  test("that forks while it is killed is gone in the end", async () => {
    const tokens = createAttemptTokens();
    const token = tokens.allocate();
    const seconds = uniqueSeconds();
    const step = `setsid sleep ${seconds} & sleep 0.02`;
    const script = `trap '' TERM; for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5; do ${step}; done; done`;
    const child = startMarked(script, token);
    expect(await eventually(() => processesWith(seconds).length > 5, 5_000)).toBe(true);
    await endTree({ leaderPid: child.pid, token }, 50);
    expect(processesWith(seconds)).toEqual([]);
    await child.exited;
  }, 20_000);
});

describe("a sweep", () => {
  test("kills what released attempts left, and leaves live ones and later ones alone", async () => {
    const tokens = createAttemptTokens();
    const seconds = [uniqueSeconds(), uniqueSeconds(), uniqueSeconds()] as const;
    const start = (sleepSeconds: string) => {
      const token = tokens.allocate();
      return { token, child: startMarked(`exec sleep ${sleepSeconds}`, token) };
    };
    const ended = start(seconds[0]);
    const live = start(seconds[1]);
    tokens.release(ended.token);
    const census = tokens.census();
    const later = start(seconds[2]);
    const isUp = () => seconds.every((text) => processesWith(`sleep\0${text}`).length === 1);
    expect(await eventually(isUp, 5_000)).toBe(true);

    expect(sweepLeftovers(census)).toBe(1);
    await ended.child.exited;
    expect(ended.child.signalCode).toBe("SIGKILL");
    expect(processesWith(`sleep\0${seconds[1]}`).length).toBe(1);
    expect(processesWith(`sleep\0${seconds[2]}`).length).toBe(1);
    for (const { child } of [live, later]) {
      child.kill("SIGKILL");
      await child.exited;
    }
  });
});

describe("killing all attempts", () => {
  test("spares the rest of a session that a token was carried into", async () => {
    const tokens = createAttemptTokens();
    const token = tokens.allocate();
    const seconds = uniqueSeconds();
    const script = `CC_ATTEMPT_TOKEN=${token} sleep ${seconds} & sleep ${seconds} & wait`;
    const leader = Bun.spawn(["/bin/sh", "-c", script], { detached: true, env: {} });
    const isUp = () => processesWith(`sleep\0${seconds}`).length === 2;
    expect(await eventually(isUp, 5_000)).toBe(true);
    expect(killAllAttempts(tokens.prefix, [])).toBe(1);
    expect(await eventually(() => !isUp(), 5_000)).toBe(true);
    expect(processesWith(`sleep\0${seconds}`).length).toBe(1);
    expect(killAllAttempts(tokens.prefix, [leader.pid])).toBe(2);
    await leader.exited;
  });
});
