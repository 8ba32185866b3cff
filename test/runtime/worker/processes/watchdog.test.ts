import { describe, expect, test } from "bun:test";
import { createAttemptTokens } from "../../../../src/runtime/worker/processes/attempt-token.ts";
import { startWatchdog } from "../../../../src/runtime/worker/processes/watchdog-link.ts";
import { eventually, processesWith, uniqueSeconds } from "../processes.ts";

const fixtures = `${import.meta.dir}/../fixtures`;
const command = [process.execPath, `${fixtures}/watchdog-entry.ts`];

async function startDyingWorker(scripts: readonly string[]) {
  const worker = Bun.spawn(
    [process.execPath, `${fixtures}/dying-worker.ts`, JSON.stringify(scripts)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const reader = worker.stdout.getReader();
  const { value } = await reader.read();
  const { watchdogPid } = JSON.parse(new TextDecoder().decode(value)) as { watchdogPid: number };
  return { worker, watchdogPid };
}

/** As attempts are started: in a session of its own. */
function startMarked(token: string, seconds: string) {
  return Bun.spawn(["sleep", seconds], { detached: true, env: { CC_ATTEMPT_TOKEN: token } });
}

const isGone = (pid: number) => !processesWith("watchdog-entry.ts").includes(pid);

describe("the watchdog", () => {
  test("ends every tree after the worker was killed, then itself", async () => {
    const seconds = uniqueSeconds();
    const { worker, watchdogPid } = await startDyingWorker([
      `sleep ${seconds} & wait`,
      `trap '' TERM HUP; setsid sh -c 'sleep ${seconds}' & wait`,
      `(setsid sleep ${seconds} >/dev/null 2>&1 &); sleep ${seconds}`,
      `exec env -i /bin/sleep ${seconds}`,
    ]);
    expect(processesWith(`sleep\0${seconds}`).length).toBe(5);
    worker.kill("SIGKILL");
    await worker.exited;
    expect(await eventually(() => processesWith(seconds).length === 0, 2_000)).toBe(true);
    expect(await eventually(() => isGone(watchdogPid), 2_000)).toBe(true);
  }, 15_000);

  test("sweeps within two seconds what an ended attempt has left", async () => {
    const tokens = createAttemptTokens();
    const watchdog = startWatchdog({ command, tokens });
    const seconds = uniqueSeconds();
    const token = tokens.allocate();
    const daemon = startMarked(token, seconds);
    tokens.release(token);
    expect(await eventually(() => daemon.signalCode === "SIGKILL", 3_000)).toBe(true);
    await watchdog.close();
  });

  test("leaves running attempts alone and ends them when the link is closed", async () => {
    const tokens = createAttemptTokens();
    const watchdog = startWatchdog({ command, tokens });
    const ended = tokens.allocate();
    const running = startMarked(tokens.allocate(), "60");
    const leftover = startMarked(ended, "60");
    tokens.release(ended);
    await leftover.exited;
    expect(running.exitCode).toBeNull();
    await watchdog.close();
    await running.exited;
    expect(running.signalCode).toBe("SIGKILL");
  });

  test("that was killed is replaced, and its successor knows what runs", async () => {
    const tokens = createAttemptTokens();
    const restarted = Promise.withResolvers<number>();
    const watchdog = startWatchdog({ command, tokens, onRestart: restarted.resolve });
    const child = Bun.spawn(["sleep", "60"], { detached: true, env: {} });
    watchdog.add(child.pid);
    const firstPid = watchdog.pid;
    process.kill(firstPid, "SIGKILL");
    expect(await restarted.promise).not.toBe(firstPid);
    await watchdog.close();
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
  }, 10_000);
});
