import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";
import { BAD_INDEX, type BadFunction, expectFailure, runBadFunction } from "./bad-task.ts";
import { untilGone } from "./process-list.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld(1);
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

const failing = (bad: BadFunction, code: string, message: string | RegExp) =>
  expectFailure(runBadFunction(served, bad), code, message);

describe("a function that ends its process fails alone", () => {
  test(
    "by process.exit, whatever the status",
    async () => {
      await failing(
        { code: "process.exit(0);" },
        "exited",
        /ended with status 0 before the task did/,
      );
      await failing({ code: "process.exit(3);", isSync: true }, "exited", /ended with status 3/);
      await failing(
        { code: "setTimeout(() => process.exit(0), 5); await new Promise(() => {});" },
        "exited",
        /ended with status 0/,
      );
    },
    LONG,
  );

  test(
    "by a signal",
    async () => {
      for (const signal of ["SIGKILL", "SIGTERM", "SIGSEGV"]) {
        await failing(
          { code: `process.kill(process.pid, "${signal}"); await new Promise(() => {});` },
          "signal",
          `The task's process was ended by ${signal}.`,
        );
      }
      await failing({ code: "process.abort();" }, "signal", /SIGABRT/);
    },
    LONG,
  );

  test(
    "what it wrote to its own stdout and stderr is kept with the failure",
    async () => {
      const { error } = await failing(
        {
          also: 'import { writeSync } from "node:fs";',
          code: 'writeSync(1, "to one\\n"); writeSync(2, "to two\\n"); process.exit(9);',
        },
        "exited",
        /status 9/,
      );
      expect(error?.console).toBe("to one\nto two\n");
    },
    LONG,
  );
});

describe("a function that does not come to an end is ended by --timeout", () => {
  const flags = ["--timeout", "300ms"];
  const MESSAGE = "The task ran longer than its time-out of 0.3 s.";

  test(
    "where it waits for ever, and gets ctx.signal first",
    async () => {
      served.file("signalled.txt", "");
      const file = JSON.stringify(`${served.world.folder}/signalled.txt`);
      const { run_seconds: seconds } = await failing(
        {
          code: `ctx.signal.addEventListener("abort", () => appendFileSync(${file}, "aborted")); await new Promise(() => {});`,
          flags,
        },
        "timeout",
        MESSAGE,
      );
      expect(served.shell("cat signalled.txt")).toBe("aborted");
      expect(seconds).toBeWithin(0.3, 3);
    },
    LONG,
  );

  test(
    "where it blocks its event loop",
    () => failing({ code: "for (;;);", flags }, "timeout", MESSAGE),
    LONG,
  );

  test(
    "though it ignores SIGTERM, after five seconds more",
    async () => {
      const { run_seconds: seconds } = await failing(
        { code: 'process.on("SIGTERM", () => {}); await new Promise(() => {});', flags },
        "timeout",
        MESSAGE,
      );
      expect(seconds).toBeWithin(5, 9);
    },
    LONG,
  );
});

test(
  "a function that takes more memory than --mem ends as out_of_memory",
  async () => {
    const flags = ["--mem", "250M"];
    const MESSAGE = "The task's processes used more memory than the 250 MiB it asked for.";
    const grow = "kept.push(new Uint8Array(2 ** 20).fill(1));";
    await failing({ code: `const kept = []; for (;;) ${grow}`, flags }, "out_of_memory", MESSAGE);
    await failing(
      { code: `const kept = []; for (;;) { ${grow} await Bun.sleep(0); }`, flags },
      "out_of_memory",
      MESSAGE,
    );
  },
  LONG,
);

describe("a function that uses descriptors that it does not know harms nobody", () => {
  const also = 'import { closeSync, writeSync } from "node:fs";';
  const completing = async (code: string): Promise<void> => {
    const { bad, exitCode } = await runBadFunction(served, { also, code });
    expect({ status: bad.status, value: bad.value, attempts: bad.attempts, exitCode }).toEqual({
      status: "completed",
      value: 40,
      attempts: 1,
      exitCode: 0,
    });
  };

  test(
    "by writing to the first that is free at a program's start",
    async () => {
      await completing('writeSync(3, Buffer.from("garbage ".repeat(9))); return 40;');
      await completing("writeSync(3, Buffer.alloc(64, 0xff)); return 40;");
    },
    LONG,
  );

  test("by closing it", () => completing("closeSync(3); return 40;"), LONG);

  test(
    "by printing three megabytes past the console",
    async () => {
      const code =
        'for (let i = 0; i < 3000; i++) writeSync(1 + (i % 2), "x".repeat(1000)); return 40;';
      await completing(code);
    },
    LONG,
  );
});

describe("processes that a function leaves behind", () => {
  const also = 'import { spawn } from "node:child_process";';
  const spawning = (seconds: string) =>
    `spawn("sleep", ["${seconds}"], { detached: true, stdio: "ignore" }).unref();`;

  test(
    "end with its process when it crashes or times out",
    async () => {
      await failing({ also, code: `${spawning("311.1")} process.exit(1);` }, "exited", /status 1/);
      await untilGone("sleep 311.1");
      await failing(
        { also, code: `${spawning("311.2")} for (;;);`, flags: ["--timeout", "300ms"] },
        "timeout",
        /0\.3 s/,
      );
      await untilGone("sleep 311.2");
    },
    LONG,
  );

  test(
    "do not keep their job from ending",
    async () => {
      const { bad } = await runBadFunction(served, {
        also,
        code: `${spawning("311.3")} return 40;`,
      });
      expect(bad).toMatchObject({ index: BAD_INDEX, status: "completed", value: 40 });
    },
    LONG,
  );
});
