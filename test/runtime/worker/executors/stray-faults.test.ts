import { afterEach, describe, expect, test } from "bun:test";
import { eventually } from "../processes.ts";
import { startTestExecutor, summary, type TestExecutor } from "../test-executor.ts";

const executors: TestExecutor[] = [];
afterEach(async () => {
  await Promise.all(executors.splice(0).map((executor) => executor.close()));
});

function start(source: string): TestExecutor {
  const executor = startTestExecutor(source, {});
  executors.push(executor);
  return executor;
}

describe("a task", () => {
  test("is blamed for what its callbacks throw while it waits", async () => {
    const executor = start(
      "export default async (x) => { if (x === 1) setTimeout(() => { throw new Error('stray'); }, 5); await Bun.sleep(50); return x; };",
    );
    expect(summary(await executor.run([0, 1, 2]))).toEqual([
      [0, 0],
      [1, "error: stray"],
      [2, 2],
    ]);
  });

  test("never fails for what an ended one has left behind: that is noted with its number", async () => {
    const executor = start(
      `export default async (x) => {
         if (x === 1) setTimeout(() => { throw new Error('thrown late'); }, 30);
         if (x === 1) setTimeout(async () => { throw new Error('rejected late'); }, 30);
         if (x !== 1) await Bun.sleep(60);
         return x;
       };`,
    );
    expect(summary(await executor.run([0, 1, 2, 3]))).toEqual([0, 1, 2, 3].map((x) => [x, x]));
    expect(await eventually(() => executor.notices.length === 2, 4_000)).toBe(true);
    expect(executor.notices[0]).toMatch(/after task \d+\/1 had ended: Error: thrown late/);
    expect(executor.notices[1]).toContain("rejected late");
  });

  test("may handle a rejection later than it came", async () => {
    const executor = start(
      `export default async (x) => {
         const other = Promise.reject(new Error('handled'));
         await Bun.sleep(20);
         return await other.catch(() => x);
       };`,
    );
    expect(summary(await executor.run([7]))).toEqual([[0, 7]]);
  });

  test("that waits for what will not come is failed by what was rejected meanwhile", async () => {
    const executor = start(
      `export default (x) => new Promise((resolve) => {
         void (async () => { await Bun.sleep(5); if (x === 1) throw new Error('no answer'); resolve(x); })();
       });`,
    );
    expect(summary(await executor.run([0, 1, 2]))).toEqual([
      [0, 0],
      [1, "error: no answer"],
      [2, 2],
    ]);
  });

  test("is not blamed for what was thrown when no task ran: that is noted", async () => {
    const executor = start(
      "export default () => { setTimeout(() => { throw new Error('afterwards'); }, 20); return 1; };",
    );
    expect(summary(await executor.run([0]))).toEqual([[0, 1]]);
    expect(await eventually(() => executor.notices.length > 0, 2_000)).toBe(true);
    expect(executor.notices[0]).toContain("afterwards");
    expect(summary(await executor.run([0]))).toEqual([[0, 1]]);
  });
});
