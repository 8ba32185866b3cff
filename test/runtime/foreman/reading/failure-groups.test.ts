/** How failures are told apart, and that no value that a worker sends does harm. */
import { describe, expect, test } from "bun:test";
import {
  addFailure,
  createFailureGroups,
  type FailureGroups,
  GROUPS_MAX,
  groupsByCount,
  WORKERS_MAX,
} from "../../../../src/runtime/foreman/reading/failure-groups.ts";
import { encodeCommandOutcome } from "../../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../../../src/runtime/protocol/failure.ts";

const failure = (message: string, code = "error", stack?: string): Uint8Array =>
  encodeFailure({ code, message, stack });

function exited(exitCode: number): Uint8Array {
  const none = new Uint8Array(0);
  const end = { exitCode, signal: null, stdout: none, stderr: none, stderrDroppedBytes: 0 };
  const message = `The command ended with status ${exitCode}.`;
  return encodeFailure({ code: "exit_status", message }, encodeCommandOutcome(end));
}

/** Adds values one after the other, a task and a millisecond each. */
function groupsOf(values: readonly Uint8Array[], mayDecode = true): FailureGroups {
  const groups = createFailureGroups();
  values.forEach((value, index) => {
    const workerId = `w${index % 40}`;
    addFailure(groups, { index, workerId, atMs: 1_000 + index, value }, mayDecode);
  });
  return groups;
}

const told = (groups: FailureGroups): string[] =>
  groupsByCount(groups).map(({ count, code, message }) => `${count} ${code} ${message}`);

describe("failures", () => {
  test("are one group when only digits, paths and hex differ", () => {
    const groups = groupsOf([failure("disk 1 is full"), failure("disk 22 is full"), failure("no")]);
    expect(told(groups)).toEqual(["2 error disk 1 is full", "1 error no"]);
    expect(groups.lookedInto).toBe(3);
  });

  test("of commands are told apart by their exit code", () => {
    const found = groupsByCount(groupsOf([exited(1), exited(137), exited(1)]));
    expect(found.map(({ exitCode, count }) => [exitCode, count])).toEqual([
      [1, 2],
      [137, 1],
    ]);
  });

  test("are told apart by the place in the author's code", () => {
    const at = (line: number): Uint8Array =>
      failure("x", "error", `Error: x\n    at f (job.ts:${line}:5)`);
    const found = groupsByCount(groupsOf([at(3), at(3), at(4)]));
    expect(found.map(({ place, count }) => [place, count])).toEqual([
      ["job.ts:3:5", 2],
      ["job.ts:4:5", 1],
    ]);
  });

  test("name the newest tasks first, whatever the order in which they were read", () => {
    const groups = createFailureGroups();
    for (const index of [5, 1, 9, 3, 0, 7, 2, 8, 4, 6]) {
      const task = { index, workerId: "w1", atMs: 100 * index, value: failure("x") };
      addFailure(groups, task, true);
    }
    const [group] = groupsByCount(groups);
    expect(group?.newest.map(({ index }) => index)).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
    expect([group?.lastAtMs, group?.firstIndex]).toEqual([900, 5]);
  });

  test("have the same group names after they are read again", () => {
    const values = [failure("a"), failure("b"), failure("c")];
    const names = (order: readonly Uint8Array[]): string[] =>
      groupsByCount(groupsOf(order))
        .map(({ groupId }) => groupId)
        .sort();
    expect(names(values)).toEqual(names([...values].reverse()));
    expect(new Set(names(values)).size).toBe(3);
  });
});

describe("a flood", () => {
  test("of one and the same failure is decoded once", () => {
    const groups = createFailureGroups();
    const value = failure("always the same");
    const decoded = Array.from({ length: 1_000 }, (_, index) =>
      addFailure(groups, { index, workerId: "w1", atMs: 1, value: value.slice() }, true),
    );
    expect(decoded.filter(Boolean).length).toBe(1);
    expect(groups.lookedInto).toBe(1_000);
  });

  test("that nobody has time for is counted by code", () => {
    const groups = groupsOf([failure("a", "timeout"), failure("b", "timeout"), exited(3)], false);
    expect(groupsByCount(groups).map(({ count, code }) => [count, code])).toEqual([
      [2, "timeout"],
      [1, "exit_status"],
    ]);
    expect([groups.count, groups.lookedInto]).toEqual([3, 0]);
  });

  test("of all different failures from everywhere stays bounded and complete", () => {
    const word = (n: number): string => [...String(n)].map((c) => "abcdefghij"[Number(c)]).join("");
    const values = Array.from({ length: 500 }, (_, n) => failure(`it is ${word(n)}`.repeat(900)));
    const groups = groupsOf(values);
    expect(groups.byKey.size).toBe(GROUPS_MAX + 1);
    expect(groupsByCount(groups)[0]).toMatchObject({ code: "other", count: 500 - GROUPS_MAX });
    expect(groupsByCount(groups)[0]?.byWorker.size).toBe(WORKERS_MAX);
    expect(groups.bytes).toBeLessThan(3_000_000);
    expect(groups.count).toBe(500);
  });
});

describe("a value that is no failure", () => {
  const json = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text);
    const value = new Uint8Array(5 + bytes.byteLength);
    value[0] = 5;
    new DataView(value.buffer).setUint32(1, bytes.byteLength, true);
    value.set(bytes, 5);
    return value;
  };
  const hostile = [
    new Uint8Array(0),
    Uint8Array.of(5),
    Uint8Array.of(5, 255, 255, 255, 255),
    Uint8Array.of(1, 2, 3, 4, 5, 6),
    json("{"),
    json("null"),
    json('{"code":7,"message":{},"stack":[]}'),
    json('{"code":"__proto__","message":"__proto__"}'),
    json(`{"code":"${"x".repeat(5_000)}","message":"${"y".repeat(50_000)}"}`),
    json('{"code":"a\\u001b]0;b"}'),
  ];
  test.each([true, false])("is counted all the same (looked into: %p)", (mayDecode) => {
    const groups = groupsOf(hostile, mayDecode);
    expect(groups.count).toBe(hostile.length);
    for (const { code, message } of groups.byKey.values()) {
      expect(code.length).toBeLessThanOrEqual(64);
      expect(message.length).toBeLessThanOrEqual(8_192);
    }
  });
});
