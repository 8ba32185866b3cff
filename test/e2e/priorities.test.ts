/** Which job's tasks come first: by priority, and in turn where it is equal; judged by the order alone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GATED, openStage, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  await stage.worker("w1", ["--slots", "1"]);
}, SETUP_MS);
afterAll(() => stage.close());

/** Tasks that write down their turn. */
const turns = (name: string, count: number, ...options: string[]): Promise<string> =>
  stage.submit([...options, "--array", `1-${count}`, "--", "sh", "-c", `echo ${name} >> turns`]);

const MILLION = `
export function* inputs() {
  for (let n = 0; n < 1000000; n++) yield n;
}
export default (n: number) => {
  const until = performance.now() + 0.2;
  while (performance.now() < until);
  return n;
};
`;

test("urgent tasks go first, those of equal jobs take turns, low ones wait for all", async () => {
  const gate = stage.gate("held");
  const held = await stage.submit(["--", ...GATED, ":::", gate.path]);
  await gate.started();
  // All of them wait behind the one that occupies the only slot.
  const jobs = [
    await turns("large", 20),
    await turns("low", 2, "--priority", "low"),
    await turns("small", 1),
    await turns("urgent", 2, "--priority", "critical"),
  ];
  await gate.open();
  await stage.cc(["wait", held, ...jobs]);
  const order = readFileSync(join(stage.world.folder, "turns"), "utf8").trim().split("\n");
  expect(order).toHaveLength(25);
  expect(order.slice(0, 2)).toEqual(["urgent", "urgent"]);
  expect(order.slice(-2)).toEqual(["low", "low"]);
  // The small job does not wait for the large one that came first.
  expect(order.indexOf("small")).toBeLessThan(order.lastIndexOf("large"));
});

test("one task of the same rank is done while a million others are under way", async () => {
  stage.file("million.ts", MILLION);
  const big = await stage.submit(["million.ts"]);
  await stage.start(["results", big, "-f"]).untilStdout(/^0\n/);
  const small = await stage.cc(["submit", "--", "echo", "small"]);
  expect([small.stdout, small.exitCode]).toEqual(["small\n", 0]);
  const one = stage.file("one.ts", 'export default () => "one";');
  expect((await stage.cc(["submit", one])).stdout).toBe("one\n");
  const [job] = await stage.json(["jobs", big]);
  expect(job).toMatchObject({ state: "running", tasks: { total: 1_000_000, failed: 0 } });
  expect((await stage.cc(["cancel", big])).exitCode).toBe(0);
  expect((await stage.cc(["submit", "--", "echo", "free"])).stdout).toBe("free\n");
});

test("a job set to a higher priority overtakes what waits", async () => {
  const gate = stage.gate("held-again");
  const held = await stage.submit(["--", ...GATED, ":::", gate.path]);
  await gate.started();
  const first = await turns("first", 5);
  const second = await turns("second", 2);
  await stage.cc(["set", second, "--priority", "1"]);
  await gate.open();
  await stage.cc(["wait", held, first, second]);
  const order = readFileSync(join(stage.world.folder, "turns"), "utf8").trim().split("\n");
  expect(order.slice(25)).toEqual([
    ...["second", "second"],
    ...["first", "first", "first", "first", "first"],
  ]);
});
