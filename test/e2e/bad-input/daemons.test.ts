/** What is wrong with a daemon's flags ends it at once with 64, and never with a loop of refusals. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ServedWorld } from "../submit-support.ts";
import { createIdleWorld } from "./refusals.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createIdleWorld();
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

async function expectUsage(args: readonly string[], sentence: string, env = {}): Promise<void> {
  const run = await served.cc(args, { env });
  expect({ args, exitCode: run.exitCode, stdout: run.stdout }).toEqual({
    args,
    exitCode: 64,
    stdout: "",
  });
  expect(run.stderr).toStartWith(`cc: ${sentence}\n`);
}

test(
  "a worker's",
  async () => {
    const long = "x".repeat(300);
    const offer = (option: string): string =>
      `${option}: too many or too long; expected at most 256 names of at most 256 characters.`;
    const queues = Array.from({ length: 300 }, (_, i) => `q${i}`).join(",");
    await expectUsage(["worker", "--slot", "3"], "cc worker has no option --slot.");
    await expectUsage(
      ["worker", "--slots", "0"],
      "--slots: 0 is out of range; expected a value from 1 to 4096.",
    );
    await expectUsage(["worker", "--queues", "a b"], '--queues: "a b" is no pattern of queues.');
    await expectUsage(["worker", "--queues", queues], offer("--queues"));
    await expectUsage(["worker", "--role", long], offer("--role"));
    await expectUsage(["worker", "--label", "disk"], '--label: "disk" has no "=".');
    await expectUsage(
      ["worker", "--label", `a=${long}`],
      "--label a: it has 300 characters; expected 0 to 256 characters.",
    );
    await expectUsage(["worker"], 'CC_SLOTS: "many" is not a whole number from 1 to 4096.', {
      CC_SLOTS: "many",
    });
    expect((await served.cc(["workers", "--json"])).stdout).toBe("");
  },
  LONG,
);

test(
  "a foreman's",
  async () => {
    await expectUsage(
      ["foreman", "--port", "99999"],
      "--port: 99999 is out of range; expected a value from 0 to 65535.",
    );
    await expectUsage(["foreman", "--lease", "1"], '--lease: "1" has no unit.');
    await expectUsage(["foreman", "extra"], 'cc foreman does not take "extra".');
    await expectUsage(["foreman"], 'CC_PORT: "x" is not a whole number from 0 to 65535.', {
      CC_PORT: "x",
    });
  },
  LONG,
);
