import { expect, test } from "bun:test";
import { createReducer } from "../../../src/runtime/job-module/reducer.ts";
import { createModule } from "./modules.ts";

test("a job file without reduce has no reducer", () => {
  expect(createReducer(createModule({ initial: 0 }))).toBeNull();
});

test("values are folded from initial, with their index", () => {
  const reduce = (total: unknown, value: unknown, index: number) => `${total} ${index}:${value}`;
  const reducer = createReducer(createModule({ reduce, initial: "start" }));
  expect(reducer?.total()).toBe("start");
  expect(reducer?.add("a", 0)).toBeUndefined();
  expect(reducer?.add("b", 5)).toBeUndefined();
  expect(reducer?.total()).toBe("start 0:a 5:b");
});

test("without initial the first value is the first total", () => {
  const reduce = (total: unknown, value: unknown) => Number(total) + Number(value);
  const reducer = createReducer(createModule({ reduce }));
  expect(reducer?.total()).toBeUndefined();
  for (const value of [10, 2, 3]) reducer?.add(value, 0);
  expect(reducer?.total()).toBe(15);
});

test("initial may be undefined on purpose", () => {
  const reduce = (total: unknown, value: unknown) => [total, value];
  const reducer = createReducer(createModule({ reduce, initial: undefined }));
  reducer?.add(1, 0);
  expect(reducer?.total()).toEqual([undefined, 1]);
});

test("reduce may be asynchronous", async () => {
  const reduce = async (total: unknown, value: unknown) => Number(total) + Number(value);
  const reducer = createReducer(createModule({ reduce, initial: 1 }));
  await reducer?.add(2, 0);
  await reducer?.add(3, 1);
  expect(reducer?.total()).toBe(6);
});

test.each([
  [
    "throws",
    () => {
      throw new RangeError("too many");
    },
  ],
  ["rejects", () => Promise.reject(new RangeError("too many"))],
])("a reduce that %s names the task whose result it got", async (_, reduce) => {
  const reducer = createReducer(createModule({ reduce, initial: 0 }));
  const add = async () => await reducer?.add(1, 7);
  expect(add()).rejects.toMatchObject({
    code: "reduce_failed",
    exitCode: 2,
    message: expect.stringMatching(/reduce threw at the result of task 7: RangeError: too many$/),
  });
});
