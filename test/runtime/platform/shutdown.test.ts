import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { exitCodeOfSignal, watchStopSignals } from "../../../src/runtime/platform/shutdown.ts";

describe("stop signals", () => {
  test("ask for an orderly end first and end the process at once the second time", async () => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "stop-twice.fixture.ts")], {
      stdout: "pipe",
      stderr: "inherit",
      timeout: 20_000,
    });
    const reader = child.stdout.getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe("ready\n");
    child.kill("SIGTERM");
    expect(await read()).toBe("first SIGTERM\n");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
  }, 30_000);

  test("tell the second apart where that is wanted, and stop being watched", async () => {
    const heard: string[] = [];
    const { promise: second, resolve } = Promise.withResolvers<void>();
    const { promise: first, resolve: hearFirst } = Promise.withResolvers<void>();
    const unwatch = watchStopSignals({
      signals: ["SIGHUP"],
      onFirst: (signal) => {
        heard.push(`first ${signal}`);
        hearFirst();
      },
      onSecond: (signal) => {
        heard.push(`second ${signal}`);
        resolve();
      },
    });
    process.kill(process.pid, "SIGHUP");
    await first;
    process.kill(process.pid, "SIGHUP");
    await second;
    unwatch();
    expect(heard).toEqual(["first SIGHUP", "second SIGHUP"]);
    expect(process.listenerCount("SIGHUP")).toBe(0);
  });

  test("map to the codes of a shell", () => {
    expect(exitCodeOfSignal("SIGTERM")).toBe(143);
    expect(exitCodeOfSignal("SIGINT")).toBe(130);
  });
});
