/**
 * What the tests of bad input share: a foreman without workers, so that whatever slipped through would
 * lie in its list for ever, and the check that a line was refused alike for people and for scripts.
 */
import { expect } from "bun:test";
import type { ErrorView } from "../../../src/runtime/protocol/error.ts";
import type { RunOptions } from "../../support/binary.ts";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";

export interface Refusal {
  readonly args: readonly string[];
  readonly code: string;
  /** The whole sentence. */
  readonly message: string;
  /** The whole hint, where the test is about it. */
  readonly hint?: string;
}

export const createIdleWorld = (): Promise<ServedWorld> => createServedWorld(0);

/** Each line ends with 2, prints nothing, says one sentence, and leaves no job behind. */
export async function expectRefused(
  served: ServedWorld,
  refusals: readonly Refusal[],
  options: RunOptions = {},
): Promise<void> {
  for (const refusal of refusals) await expectOneRefused(served, refusal, options);
  expect((await served.cc(["jobs", "--json"])).stdout).toBe("");
}

async function expectOneRefused(
  served: ServedWorld,
  { args, code, message, hint }: Refusal,
  options: RunOptions,
): Promise<void> {
  const [verb = "", ...words] = args;
  const [plain, json] = await Promise.all([
    served.cc(args, options),
    served.cc([verb, "--json", ...words], options),
  ]);
  const said = parseView(json.stderr);
  expect({ args, code: said.code, message: said.message }).toEqual({ args, code, message });
  if (hint !== undefined) expect({ args, hint: said.hint }).toEqual({ args, hint });
  expect(said.retryable).toBe(false);
  expect({ args, exitCode: plain.exitCode, stdout: plain.stdout, stderr: plain.stderr }).toEqual({
    args,
    exitCode: 2,
    stdout: "",
    stderr: `cc: ${message}\n${said.hint === undefined ? "" : `hint: ${said.hint}\n`}`,
  });
  expect({ args, exitCode: json.exitCode, stdout: json.stdout }).toEqual({
    args,
    exitCode: 2,
    stdout: "",
  });
}

function parseView(stderr: string): ErrorView {
  expect(stderr).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stderr) as ErrorView;
}
