/** `cc workers`: who is connected, what they offer and do, and what becomes of them in the list. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GATED, openStage, plain, SETUP_MS, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, SETUP_MS);
afterAll(() => stage.close());

const screen = async (...args: string[]): Promise<string> =>
  plain((await stage.cc(args)).stdout, stage.world);

/** Without the columns that depend on the machine's load and the time since the last heartbeat. */
function stable(table: string): string {
  return table.replace(/ {2}(-|\d+%) {2}(-|\d+%) {2}(\d+ {2}\d+) {2}(-|T ago)/g, "  $3");
}

describe("cc workers", () => {
  test("without any says what to type", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["workers"]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr: "no workers: cc worker\n",
      exitCode: 0,
    });
  });

  test("shows slots in use, what was done, pauses, and who has left", async () => {
    const offered = [
      "--queues",
      "left.*",
      "--resource",
      "gpu=2",
      "--label",
      "rack=b",
      "--role",
      "r",
    ];
    const left = await stage.worker("left", ["--slots", "3", ...offered]);
    await stage.worker("right", ["--slots", "2", "--queues", "right.*"]);
    await stage.cc(["submit", "-q", "--queue", "right.now", "--", "echo", ":::", "a", "b", "c"]);
    const gate = stage.gate("held");
    const job = await stage.submit([
      "--queue",
      "left.now",
      "-c",
      "2",
      "--",
      ...GATED,
      ":::",
      gate.path,
    ]);
    await gate.started();
    await stage.cc(["pause", "right"]);

    expect(stable(await screen("workers"))).toBe(
      `WORKER  STATE  SLOTS  WAITING  CPU  MEM  COMPLETED  FAILED  HEARTBEAT  JOBS  NOTE
left  up  2/3  0  0  0  ${job}
right  paused  0/2  0  3  0
`,
    );
    expect((await stage.cc(["workers", "-q"])).stdout).toBe("left\nright\n");
    expect((await stage.cc(["workers", "--limit", "1", "-q"])).stdout).toBe("left\n");
    expect(await screen("workers", "left")).toMatch(
      new RegExp(
        [
          "^worker  left",
          "state  up",
          `why  Worker left holds 1 task of job ${job} on 3 slots\\.`,
          "slots  2 busy of 3, 0 tasks waiting there",
          "machine  CPU \\S+, memory \\S+",
          "tasks  0 completed, 0 failed",
          `jobs  ${job}`,
          "queues  left\\.\\*",
          "roles  r",
          "labels  rack=b",
          "resources  gpu=2",
          "memory  [\\d.]+ GiB",
          "host  HOST, [a-z0-9-]+, process \\d+, version \\S+",
        ].join("\\n"),
      ),
    );
    const [row] = await stage.json(["workers", "left"]);
    expect(row).toMatchObject({
      schema: "crowdcompute/v1",
      worker_id: "left",
      state: "up",
      slots: 3,
      busy_slots: 2,
      running: 1,
      offer: { queues: ["left.*"], labels: { rack: "b" }, resources: { gpu: 2 }, roles: ["r"] },
      jobs: [Number(job)],
    });

    await gate.open();
    await stage.cc(["wait", job]);
    left.kill("SIGTERM");
    expect((await left.ended).exitCode).toBe(0);
    const states = (await stage.json(["workers"])).map((each) => [
      each["worker_id"],
      each["state"],
    ]);
    expect(states).toEqual([
      ["left", "gone"],
      ["right", "paused"],
    ]);
  });

  test("of an unknown name is refused with exit 2", async () => {
    const { stdout, stderr, exitCode } = await stage.cc(["workers", "nobody"]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr: 'cc: There is no worker "nobody".\nhint: cc workers\n',
      exitCode: 2,
    });
  });
});
