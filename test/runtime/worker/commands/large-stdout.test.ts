import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCommandOutcome } from "../../../../src/runtime/protocol/command-outcome.ts";
import { decodeFailure } from "../../../../src/runtime/protocol/failure.ts";
import { VALUE_BYTES_MAX } from "../../../../src/runtime/protocol/limits.ts";
import type { CommandEnd } from "../../../../src/runtime/worker/commands/command-end.ts";
import { startCommand } from "../../../../src/runtime/worker/commands/command-process.ts";
import type {
  OutputRefusal,
  OutputUpload,
  UploadEnd,
} from "../../../../src/runtime/worker/outputs/output-upload.ts";
import { createHost, eventually, processesWith, shell, uniqueSeconds } from "../processes.ts";

const host = createHost();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-large-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Somebody who takes it, as slowly as the test says, and perhaps never says that all is kept. */
function createTaker({ neverEnds = false } = {}) {
  const ended = Promise.withResolvers<UploadEnd>();
  let room: PromiseWithResolvers<void> | null = null;
  let byteCount = 0;
  let last = new Uint8Array(0);
  let refused: (refusal: OutputRefusal) => void = () => {};
  let isFinished = false;
  const upload: OutputUpload = {
    push(bytes) {
      byteCount += bytes.byteLength;
      last = bytes.slice(-4);
      return room?.promise;
    },
    finish() {
      isFinished = true;
      if (room === null && !neverEnds) keep();
      return ended.promise;
    },
    abandon: () => end({ kind: "abandoned" }),
  };
  const keep = () =>
    end({ kind: "kept", stored: { byteCount, assignment: 5, sha256: "ab".repeat(32) } });
  function end(how: UploadEnd) {
    room?.resolve();
    room = null;
    ended.resolve(how);
  }
  return {
    openUpload(onRefused: (refusal: OutputRefusal) => void) {
      refused = onRefused;
      return upload;
    },
    get byteCount() {
      return byteCount;
    },
    get isFinished() {
      return isFinished;
    },
    last: () => new TextDecoder().decode(last),
    hold() {
      room = Promise.withResolvers<void>();
    },
    release() {
      room?.resolve();
      room = null;
      if (isFinished) keep();
    },
    refuse(refusal: OutputRefusal) {
      end({ kind: "refused", refusal });
      refused(refusal);
    },
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  expect(await eventually(isTrue, 10_000)).toBe(true);
}

type Taker = ReturnType<typeof createTaker>;
const start = (
  script: string,
  { openUpload }: Taker,
  limits: Partial<{ timeoutMs: number }> = {},
) => startCommand({ ...shell(script, limits), openUpload }, host);

function failureOf(end: CommandEnd) {
  return end.kind === "failed" ? decodeFailure(end.value) : null;
}

describe("a stdout larger than a value", () => {
  test("goes to whoever takes it from its first byte on, and the result names it", async () => {
    const taker = createTaker();
    const end = await start("head -c 20000000 /dev/zero; printf last; echo err >&2", taker).ended;
    expect([taker.byteCount, taker.last()]).toEqual([20_000_004, "last"]);
    if (end.kind !== "completed") throw new Error(`expected completed, got ${end.kind}`);
    const { storedStdout, stdout, stderr } = decodeCommandOutcome(end.value);
    expect(storedStdout).toMatchObject({ byteCount: 20_000_004, assignment: 5 });
    expect([stdout.byteLength, new TextDecoder().decode(stderr)]).toEqual([0, "err\n"]);
  });

  test("up to the size of a value is nobody else's matter", async () => {
    const taker = createTaker();
    const end = await start(`head -c ${VALUE_BYTES_MAX} /dev/zero`, taker).ended;
    expect([end.kind, taker.byteCount]).toEqual(["completed", 0]);
  });

  test("is that of a failed command and of one whose time was over, too", async () => {
    const failed = failureOf(await start("head -c 9000000 /dev/zero; exit 3", createTaker()).ended);
    expect(failed?.failure.code).toBe("exit_status");
    expect(decodeCommandOutcome(failed?.commandOutcome as Uint8Array).storedStdout).toBeDefined();
    const late = await start("yes", createTaker(), { timeoutMs: 500 }).ended;
    expect(failureOf(late)?.failure.code).toBe("timeout");
    const outcome = decodeCommandOutcome(failureOf(late)?.commandOutcome as Uint8Array);
    expect(outcome.storedStdout?.byteCount).toBeGreaterThan(VALUE_BYTES_MAX);
  });

  test("holds the command up while it is not taken", async () => {
    const taker = createTaker();
    taker.hold();
    const marker = join(folder, "printed");
    const running = start(`head -c 40000000 /dev/zero; touch ${marker}`, taker);
    await until(() => taker.byteCount > VALUE_BYTES_MAX);
    expect(existsSync(marker)).toBe(false);
    expect(taker.byteCount).toBeLessThan(VALUE_BYTES_MAX + 1024 * 1024);
    taker.release();
    expect((await running.ended).kind).toBe("completed");
    expect([existsSync(marker), taker.byteCount]).toEqual([true, 40_000_000]);
  });

  test("loses nothing of what a command that has ended left in its pipe, however late it is taken", async () => {
    const taker = createTaker();
    taker.hold();
    const seconds = uniqueSeconds();
    const go = join(folder, "go");
    const script = `head -c ${VALUE_BYTES_MAX + 1} /dev/zero
      until [ -e ${go} ]; do sleep 0.01; done; printf '%050000d' 1; true ${seconds}`;
    const running = start(script, taker);
    await until(() => taker.byteCount === VALUE_BYTES_MAX + 1);
    writeFileSync(go, "");
    await until(() => processesWith(seconds).length === 0);
    // Longer than a pipe is given to run dry after its command's end.
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 700);
    await promise;
    taker.release();
    expect((await running.ended).kind).toBe("completed");
    expect(taker.byteCount).toBe(VALUE_BYTES_MAX + 50_001);
  });

  test("that is refused for its size ends the command, with the refusal's words", async () => {
    const taker = createTaker();
    const running = start("yes", taker);
    await until(() => taker.byteCount > 0);
    taker.refuse({ code: "result_too_large", message: "No more room for it." });
    const end = failureOf(await running.ended);
    expect(end?.failure).toEqual({ code: "result_too_large", message: "No more room for it." });
  });

  test("of a task that is not ours any more ends the command, and the task goes back", async () => {
    const taker = createTaker();
    const running = start("yes", taker);
    await until(() => taker.byteCount > 0);
    taker.refuse({ code: "stale_attempt", message: "Not yours." });
    expect(await running.ended).toMatchObject({ kind: "refused", error: { code: "aborted" } });
  });

  test("is given up with its command, also when that has ended already", async () => {
    const taker = createTaker();
    const endless = start("yes", taker);
    await until(() => taker.byteCount > 0);
    taker.hold();
    endless.cancel();
    expect((await endless.ended).kind).toBe("cancelled");
    const silent = createTaker({ neverEnds: true });
    const ended = start("head -c 9000000 /dev/zero", silent);
    await until(() => silent.isFinished);
    ended.cancel();
    expect((await ended.ended).kind).toBe("cancelled");
  });
});
