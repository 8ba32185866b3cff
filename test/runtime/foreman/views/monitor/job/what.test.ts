/** What a job runs, as one line for everybody who may look: no secret of it, however it is spelled. */
import { expect, test } from "bun:test";
import { whatRuns } from "../../../../../../src/runtime/foreman/views/monitor/job/what.ts";
import { commandWork } from "../../../../../support/specs.ts";
import { commandSpec } from "../../../rig.ts";

function lineOf(argv: string[], secrets: readonly string[]): string {
  const env = Object.fromEntries(
    secrets.map((value, at) => [`SECRET_${at}`, { value, secret: true }]),
  );
  return whatRuns(commandSpec({ env, work: commandWork(argv) }));
}

test("a secret is not shown, also where quotation marks change it", () => {
  expect(lineOf(["curl", "-H", "it's me", "{}"], ["it's me"])).toBe("curl -H '***' {}");
  expect(lineOf(["curl", "--key=abcd1234"], ["abcd1234"])).toBe("curl --key=***");
});

test("nor is what is left of one that contains another", () => {
  expect(lineOf(["login", "hunter22-and-more"], ["hunter22", "hunter22-and-more"])).toBe(
    "login ***",
  );
});
