/** Which results name a stdout outside them; what cannot be read names none. */
import { expect, test } from "bun:test";
import { encodeCommandOutcome } from "../../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../../src/runtime/protocol/failure.ts";
import { storedStdoutOf } from "../../../src/runtime/protocol/stored-stdout.ts";

const storedStdout = { byteCount: 9_000_000, sha256: "ab".repeat(32), assignment: 7 };
const outcome = encodeCommandOutcome({
  exitCode: 0,
  signal: null,
  stdout: new Uint8Array(0),
  stderr: new Uint8Array(0),
  stderrDroppedBytes: 0,
  storedStdout,
});

test("a command's outcome names it, alone and behind a failure", () => {
  expect(storedStdoutOf(outcome)).toMatchObject(storedStdout);
  const failed = encodeFailure({ code: "exit_status", message: "no" }, outcome);
  expect(storedStdoutOf(failed)).toMatchObject(storedStdout);
});

test("a value that is cut off anywhere, or holds anything else, names none", () => {
  for (let length = 0; length < outcome.byteLength; length++) {
    expect(storedStdoutOf(outcome.slice(0, length))).toBeNull();
  }
  expect(storedStdoutOf(Uint8Array.of(5, 255, 255, 255, 255, 6))).toBeNull();
  expect(storedStdoutOf(Uint8Array.of(5, 2, 0, 0, 0, 0x7b, 0x7d, 6))).toBeNull();
});
