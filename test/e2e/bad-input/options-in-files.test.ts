import { afterAll, beforeAll, describe, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ServedWorld } from "../submit-support.ts";
import { createIdleWorld, expectRefused } from "./refusals.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createIdleWorld();
  served.file("ok.ts", "export const inputs = [1];\nexport default (n: number) => n;\n");
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

describe("options in files are refused with file and line", () => {
  async function refuseOptions(options: string, code: string, message: string, hint?: string) {
    served.file(
      "own.ts",
      `// a job\nexport const options = ${options};\nexport default () => 1;\n`,
    );
    await expectRefused(served, [
      { args: ["submit", "own.ts"], code, message, ...(hint === undefined ? {} : { hint }) },
    ]);
  }

  test(
    "of a job file: wrong name, type and value",
    async () => {
      await refuseOptions(
        "{ retires: 3 }",
        "unknown_option",
        "own.ts:2:1: options.retires is no option of a job.",
        "Did you mean options.retries?",
      );
      await refuseOptions(
        '{ shell: "yes" }',
        "bad_type",
        'own.ts:2:1: options.shell: "yes" is not true or false.',
      );
      await refuseOptions(
        "{ env: 5 }",
        "bad_type",
        "own.ts:2:1: options.env: 5 is not an object of names and values.",
      );
      await refuseOptions(
        "{ timeout: 30 }",
        "bad_duration",
        'own.ts:2:1: options.timeout: "30" has no unit.',
        'Write "30s" for seconds; units are ms, s, m, h and d.',
      );
      await refuseOptions(
        "{ retries: -1 }",
        "out_of_range",
        "own.ts:2:1: options.retries: -1 is out of range; expected a value from 0 to 1000000.",
      );
      await refuseOptions(
        "[]",
        "options_not_object",
        "own.ts:2:1: The export options is an array, expected an object.",
      );
    },
    LONG,
  );

  test(
    "of crowdcompute.json: forbidden, unknown and wrong ones",
    async () => {
      const folder = join(served.world.folder, "project");
      mkdirSync(folder);
      const path = join(folder, "crowdcompute.json");
      const refuseProject = async (text: string, message: string) => {
        served.file("project/crowdcompute.json", text);
        await expectRefused(
          served,
          [{ args: ["submit", "../ok.ts"], code: "bad_config", message }],
          { cwd: folder },
        );
      };
      for (const key of ["foreman", "keyFile", "store", "cacheDir", "connection"]) {
        await refuseProject(
          JSON.stringify({ [key]: "/tmp/elsewhere" }),
          `${path}: "${key}" may not be set by a project's file, which holds job options only.`,
        );
      }
      await refuseProject('{"retires": 1}', `${path}: retires is no known option.`);
      await refuseProject('{"retries": 1', `${path} is not JSON: JSON Parse error: Expected '}'.`);
    },
    LONG,
  );
});
