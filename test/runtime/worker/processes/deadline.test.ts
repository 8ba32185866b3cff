import { expect, test } from "bun:test";
import { startDeadline } from "../../../../src/runtime/worker/processes/deadline.ts";

test("a deadline passes once, and not before its time", async () => {
  const startedAtMs = performance.now();
  let count = 0;
  await new Promise<void>((resolve) => {
    startDeadline(30, () => {
      count++;
      resolve();
    });
  });
  expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(30);
  await Bun.sleep(40);
  expect(count).toBe(1);
});

test("a cancelled deadline never passes, nor does one of fifty days at once", async () => {
  let count = 0;
  const cancels = [10, 50 * 86_400_000].map((durationMs) =>
    startDeadline(durationMs, () => {
      count++;
    }),
  );
  cancels[0]?.();
  await Bun.sleep(40);
  cancels[1]?.();
  expect(count).toBe(0);
});
