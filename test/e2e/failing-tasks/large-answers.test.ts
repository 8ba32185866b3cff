/** What a foreman answers must fit a frame, however much there is to say. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld(2);
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

test(
  "thousands of tasks that failed with long messages can be listed, explained and retried",
  async () => {
    served.file(
      "long.ts",
      [
        "export const inputs = Array.from({ length: 3000 }, (_, i) => i);",
        'export default (n: number) => { throw new Error("x".repeat(8000) + n); };',
      ].join("\n"),
    );
    const run = await served.cc(["submit", "-q", "--max-fails", "none", "long.ts"]);
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 1, stdout: "" });
    const list = await served.cc(["tasks", "last", "--json"]);
    expect(list.exitCode).toBe(0);
    const rows = list.stdout.trimEnd().split("\n");
    expect(rows.map((line) => JSON.parse(line).index)).toEqual(
      Array.from({ length: 3000 }, (_, i) => i),
    );
    expect(await served.cc(["why", "last"])).toMatchObject({ exitCode: 0, stderr: "" });
    const retry = await served.cc([
      "retry",
      "last",
      "-q",
      "--where",
      "code=error",
      "-o",
      "/dev/null",
    ]);
    expect({ exitCode: retry.exitCode, stderr: retry.stderr }).toEqual({ exitCode: 1, stderr: "" });
  },
  LONG,
);

test(
  "results go along with inputs of the largest size",
  async () => {
    served.file(
      "large.ts",
      [
        'export const inputs = Array.from({ length: 5 }, () => "x".repeat(8 * 2 ** 20 - 3));',
        "export default (text: string) => text.length;",
      ].join("\n"),
    );
    const run = await served.cc(["submit", "-q", "--tag", "-o", "tagged.txt", "large.ts"]);
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    const length = 8 * 2 ** 20 - 3;
    expect(served.shell("awk '{ print length($1), $2 }' tagged.txt")).toBe(
      `${length} ${length}\n`.repeat(5),
    );
  },
  LONG,
);
