/** A command that `cc try` runs gets what a worker would give it. Output is kept here to be looked at. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnCommand } from "../../../src/commands/try/spawn-command.ts";
import type { Trial, TrialEnd } from "../../../src/commands/try/trial.ts";
import { createTrialFolder, type TrialFolder } from "../../../src/commands/try/trial-folder.ts";
import { commandTrial } from "./trials.ts";

let folder: TrialFolder;
beforeEach(() => {
  folder = createTrialFolder();
});
afterEach(() => folder.remove());

function spawn(trial: Trial): Promise<TrialEnd> {
  if (trial.work.kind !== "command") throw new Error("a command is spawned");
  const env = { PATH: process.env["PATH"], MINE: "private" };
  return spawnCommand(trial, trial.work, folder, { keepStdout: true, terminalSignals: false, env });
}

const textOf = ({ command }: TrialEnd): string =>
  Buffer.from(command?.stdout ?? new Uint8Array(0)).toString("utf8");

test("placeholders, folder and task variables are filled in", async () => {
  const script =
    'echo "$1 $CC_TASK_ID $CC_ATTEMPT $CC_SLOT $CC_INPUT $(cat "$CC_INPUT_FILE") [$MINE] $OUT $(pwd)"';
  const trial = commandTrial(
    { argv: ["sh", "-c", script, "x", "{/.}"] },
    { input: "a/b c.txt", env: { OUT: "{.}.png" } },
  );
  const end = await spawn(trial);
  expect(textOf(end)).toBe("b c 17/3 2 1 a/b c.txt a/b c.txt [] a/b c.png /\n");
  expect(end.failure).toBeNull();
});

test("the input goes to stdin where the job says so, and else stdin is empty", async () => {
  const given = await spawn(commandTrial({ argv: ["cat"], stdin: true }, { input: "line" }));
  expect(textOf(given)).toBe("line\n");
  const none = await spawn(commandTrial({ argv: ["cat", "-"] }, { input: "-" }));
  expect(textOf(none)).toBe("");
});

test("with scratch it runs in a folder of its own", async () => {
  const end = await spawn(commandTrial({ argv: ["sh", "-c", "pwd"], scratch: true }));
  expect(textOf(end)).toStartWith(`${folder.path}/`);
});

test("bytes that are no text are in the input file as they are", async () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0xfe);
  const work = { argv: ["sh", "-c", 'cat "$CC_INPUT_FILE"; echo "[$CC_INPUT]"'], stdin: true };
  const end = await spawn(commandTrial(work, { input: bytes }));
  expect(end.command?.stdout).toEqual(Buffer.concat([bytes, Buffer.from("[]\n")]));
});

test("a status, a signal and a command that is not there are told apart", async () => {
  const status = await spawn(commandTrial({ argv: ["sh", "-c", "exit 7"] }));
  expect(status).toMatchObject({
    failure: { code: "exit_status", message: "The command ended with status 7." },
    command: { exitCode: 7, signal: null },
    interrupted: false,
  });
  const signal = await spawn(commandTrial({ argv: ["sh", "-c", "kill -TERM $$"] }));
  expect(signal).toMatchObject({
    failure: { code: "signal" },
    command: { exitCode: null, signal: "SIGTERM" },
  });
  const missing = await spawn(commandTrial({ argv: ["no-such-command"] }));
  expect(missing).toMatchObject({ failure: { code: "command_not_found" }, command: null });
  const nowhere = await spawn(commandTrial({ argv: ["true"], cwd: "/no/such/folder" }));
  expect(nowhere).toMatchObject({ failure: { code: "no_such_cwd" }, command: null });
});
