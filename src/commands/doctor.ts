/**
 * `cc doctor`: looks at the program, its settings and files, the way to the foreman and this machine.
 * It mends nothing and changes nothing, beyond the key that any verb makes before it asks a foreman.
 */
import { resolve } from "node:path";
import { findPaths } from "../runtime/platform/paths.ts";
import type { ExitCode } from "../runtime/protocol/error.ts";
import type { CommandContext } from "./command-context.ts";
import type { CheckSection } from "./doctor/check.ts";
import { checkForeman } from "./doctor/foreman-checks.ts";
import { checkKeys } from "./doctor/key-checks.ts";
import { checkMachine } from "./doctor/machine-checks.ts";
import { printChecks } from "./doctor/print-checks.ts";
import { checkProgram } from "./doctor/program-checks.ts";
import { checkSettings, findSetting } from "./doctor/settings-checks.ts";
import { checkStore, checkWholeStore } from "./doctor/store-checks.ts";
import type { DOCTOR_VERB } from "./tables/setup.ts";

type Context = CommandContext<typeof DOCTOR_VERB>;

export async function run(context: Context): Promise<ExitCode> {
  const { store } = context.values;
  const sections =
    store === undefined
      ? await checkEverything(context)
      : [await checkWholeStore(resolve(context.cwd, store))];
  await printChecks(context, sections);
  const isWrong = sections.some(({ checks }) => checks.some(({ state }) => state === "failed"));
  return isWrong ? 1 : 0;
}

/** In the order of the report; keys before the foreman, because asking it makes one. */
async function checkEverything(context: Context): Promise<readonly CheckSection[]> {
  const { env, cwd, values, origins, config } = context;
  const paths = findPaths(env);
  const { foreman, keyFile } = values;
  const store = findSetting(env, config, "store") ?? paths.defaultStore;
  const cacheFolder = findSetting(env, config, "cacheDir") ?? paths.cacheFolder;
  return [
    checkProgram(env, process.execPath),
    ...(config === null ? [] : [checkSettings({ env, config, values, origins })]),
    await checkKeys({ paths, keyFile, cwd }),
    await checkStore(resolve(cwd, store)),
    await checkForeman({ foreman, origin: origins.foreman.detail, keyFile, cwd, paths }),
    await checkMachine(resolve(cwd, cacheFolder)),
  ];
}
