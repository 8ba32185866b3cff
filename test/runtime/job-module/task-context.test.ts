import { expect, test } from "bun:test";
import {
  abortContext,
  createContext,
  createSetupContext,
  openedFolder,
} from "../../../src/runtime/job-module/task-context.ts";
import { createShared } from "./modules.ts";

test("a context tells the job, the task, the attempt, the metadata and what setup returned", () => {
  const setup = { model: 1 };
  const context = createContext(createShared({ metadata: { region: "eu" }, setup }), 3, 2);
  expect(context.job).toEqual({ id: 17, name: "primes", queue: "math.primes" });
  expect(context.task).toEqual({ id: "17/3", index: 3 });
  expect(context.attempt).toBe(2);
  expect(context.metadata).toEqual({ region: "eu" });
  expect(context.setup).toBe(setup);
});

test("nothing of ours shows in what an author prints or serialises", () => {
  expect(JSON.stringify(createContext(createShared(), 3, 2))).toBe('{"attempt":2}');
});

test("random numbers depend on seed and index alone, not on the attempt", () => {
  const draw = (seed: number, index: number, attempt: number) => {
    const context = createContext(createShared({ seed }), index, attempt);
    return [context.random(), context.random(), context.random()];
  };
  expect(draw(1, 2, 1)).toEqual(draw(1, 2, 9));
  expect(draw(1, 2, 1)).not.toEqual(draw(2, 1, 1));
  expect(draw(1, 2, 1)).not.toEqual(draw(1, 3, 1));
});

test("random and log may be taken out of the context", () => {
  const lines: string[] = [];
  const { random, log } = createContext(createShared({ log: (line) => lines.push(line) }), 0, 1);
  expect(random()).toBeWithin(0, 1);
  log("%d of %s", 1, "two", { three: 3 });
  expect(lines).toEqual(["1 of two { three: 3 }"]);
});

test("the folder is made when first asked for, once", () => {
  const opened: string[] = [];
  const openFolder = (index: number, attempt: number) => {
    opened.push(`${index}-${attempt}`);
    return `/scratch/${index}-${attempt}`;
  };
  const context = createContext(createShared({ openFolder }), 3, 2);
  expect(openedFolder(context)).toBeUndefined();
  expect([context.dir, context.dir]).toEqual(["/scratch/3-2", "/scratch/3-2"]);
  expect(openedFolder(context)).toBe("/scratch/3-2");
  expect(opened).toEqual(["3-2"]);
});

test("the signal tells the reason, also to a task that asks for it afterwards", () => {
  const early = createContext(createShared(), 0, 1);
  const { signal } = early;
  expect(signal.aborted).toBe(false);
  for (const context of [early, createContext(createShared(), 1, 1)]) {
    abortContext(context, "cancelled: wrong data");
    abortContext(context, "a later reason");
    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toBe("cancelled: wrong data");
  }
  expect(signal.reason).toBe("cancelled: wrong data");
});

test("setup gets what belongs to no task", () => {
  const lines: string[] = [];
  const { signal } = new AbortController();
  const context = createSetupContext(createShared({ log: (line) => lines.push(line) }), signal);
  context.log("ready");
  expect(Object.keys(context)).toEqual(["job", "metadata", "signal", "log"]);
  expect(lines).toEqual(["ready"]);
});
