/**
 * A fault of the monitor itself, wherever it happens, gives the terminal back, says what it was on the normal
 * screen, and ends with 70. Needs a build that throws on demand.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { buildFaultyMonitor, PLACES_OF_THROWS } from "./support/faulty-build.ts";
import { expectRestored, IN_SHELL } from "./support/restored.ts";
import { openTopStage, SETUP_MS, type TopStage } from "./support/top-stage.ts";

let stage: TopStage;
let program: string;
beforeAll(async () => {
  stage = await openTopStage();
  program = await buildFaultyMonitor(stage.world.folder);
}, SETUP_MS);
afterEach(() => stage.closeTerminals());
afterAll(() => stage?.close());

describe("the terminal is as before after a throw in", () => {
  for (const place of PLACES_OF_THROWS) {
    test(`the ${place}`, async () => {
      const env = { CC_TEST_THROW: place };
      const terminal = await stage.openLive({ shell: IN_SHELL, program, env });
      terminal.keys("9");
      await expectRestored(terminal, 70);
      expect(terminal.screen()).toContain(`thrown in ${place}`);
      expect(terminal.screen()).toContain("fault of CrowdCompute itself");
    });
  }

  test("none of them, without the key", async () => {
    const env = { CC_TEST_THROW: "handler" };
    const terminal = await stage.openLive({ shell: IN_SHELL, program, env });
    terminal.keys("j", "q");
    await expectRestored(terminal, 0);
  });
});
