import { afterEach, expect, test } from "bun:test";
import type { Clock } from "../../../../src/runtime/platform/clock.ts";
import { createHostProbe } from "../../../../src/runtime/worker/host/host-probe.ts";
import { type LoadSample, watchLoad } from "../../../../src/runtime/worker/host/load-monitor.ts";

/** Real time, but samples only when the test asks for one. */
function createSteppedClock() {
  let due: (() => void) | null = null;
  const clock: Clock = {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer(_, onTime) {
      due = onTime;
      return { cancel: () => (due = null) };
    },
    defer: (onTurn) => void setImmediate(onTurn),
  };
  return { clock, sample: () => due?.(), isArmed: () => due !== null };
}

const spinning: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const child of spinning.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

/** Leads a session of its own and has a child that does the work, as a shell's commands do. */
function startSpinning(): number {
  const child = Bun.spawn(["/bin/sh", "-c", "while :; do :; done & wait"], {
    detached: true,
    timeout: 20_000,
  });
  spinning.push(child);
  return child.pid;
}

function startMonitor(ownLeaderPids: readonly number[]) {
  const { clock, sample } = createSteppedClock();
  const samples: LoadSample[] = [];
  const end = watchLoad({
    probe: createHostProbe(),
    clock,
    intervalMs: 1,
    ownLeaderPids: () => ownLeaderPids,
    onSample: (taken) => samples.push(taken),
  });
  return { sample, samples, end };
}

test("CPU time of the worker's own tasks does not count as foreign, that of their children neither", async () => {
  const pid = startSpinning();
  // At the same time, because other programs run on this machine too.
  const stranger = startMonitor([]);
  const owner = startMonitor([pid]);
  for (let i = 0; i < 3; i++) {
    await Bun.sleep(300);
    stranger.sample();
    owner.sample();
  }
  stranger.end();
  owner.end();
  process.kill(-pid, "SIGKILL");
  const shares = stranger.samples.map(
    ({ foreignCpuPercent }, i) => foreignCpuPercent - (owner.samples[i]?.foreignCpuPercent ?? 0),
  );
  const oneCore = 100 / navigator.hardwareConcurrency;
  expect(Math.max(...shares)).toBeGreaterThan(oneCore * 0.2);
}, 20_000);

test("it stops when told to", () => {
  const { clock, isArmed } = createSteppedClock();
  const probe = createHostProbe();
  const end = watchLoad({ probe, clock, intervalMs: 1, ownLeaderPids: () => [], onSample() {} });
  expect(isArmed()).toBe(true);
  end();
  expect(isArmed()).toBe(false);
});
