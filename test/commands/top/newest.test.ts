import { expect, test } from "bun:test";
import { createNewest } from "../../../src/commands/top/newest.ts";

test("what was put before is taken at once", async () => {
  const newest = createNewest<number>();
  newest.put(1);
  expect(await newest.take()).toBe(1);
});

test("a taker waits for the next value", async () => {
  const newest = createNewest<number>();
  const taken = newest.take();
  newest.put(2);
  expect(await taken).toBe(2);
});

test("a slow taker gets the newest value and misses those between", async () => {
  const newest = createNewest<number>();
  for (const value of [1, 2, 3]) newest.put(value);
  expect(await newest.take()).toBe(3);
  const next = newest.take();
  newest.put(4);
  expect(await next).toBe(4);
});

test("an end is heard by who waits, and by everybody after", async () => {
  const newest = createNewest<number>();
  const waiting = newest.take();
  newest.fail(new Error("gone"));
  newest.fail(new Error("gone twice"));
  newest.put(1);
  expect(waiting).rejects.toThrow("gone");
  expect(newest.take()).rejects.toThrow(/^gone$/);
});
