/** `cc foreman --backup DIR`: copies the store, beside a running foreman or without one, and ends. */
import { resolve } from "node:path";
import { findPaths } from "../runtime/platform/paths.ts";
import { safeLine } from "../runtime/platform/safe-text.ts";
import { CcError, type ExitCode } from "../runtime/protocol/error.ts";
import { backupStore } from "../runtime/store/sqlite/backup-store.ts";
import { storageCorrupt } from "../runtime/store/storage-error.ts";
import { formatBytes } from "../tui/text/amounts.ts";
import type { CommandContext } from "./command-context.ts";
import type { FOREMAN_VERB } from "./tables/daemons.ts";

type Context = CommandContext<typeof FOREMAN_VERB>;

/** What a copy has use for; everything else belongs to a foreman that runs. */
const OPTIONS_OF_BACKUP = new Set([
  "backup",
  "store",
  "config",
  "logFormat",
  "logLevel",
  "noColor",
]);

/** @throws CcError `backup_alone` (64) and those of `backupStore`. */
export async function runBackup(context: Context, folder: string): Promise<ExitCode> {
  refuseOthers(context);
  const { values, env, cwd, io } = context;
  const store = resolve(cwd, values.store ?? findPaths(env).defaultStore);
  const copy = await backupStore(store, resolve(cwd, folder));
  await io.stderr.write(
    `copied ${safeLine(copy.store)} to ${safeLine(copy.target)} (${formatBytes(copy.byteCount)}, without the logs of tasks)\n`,
  );
  const [problem] = copy.problems;
  // The copy stays: what can be read of a damaged store is worth having.
  if (problem !== undefined) throw storageCorrupt(copy.store, problem);
  return 0;
}

function refuseOthers({ origins }: Context): void {
  for (const [name, { kind, detail }] of Object.entries(origins)) {
    if (kind !== "flag" || OPTIONS_OF_BACKUP.has(name)) continue;
    throw new CcError({
      code: "backup_alone",
      message: `${detail} has no meaning beside --backup, which copies the store and ends.`,
      hint: "cc foreman --backup DIR [--store DIR]",
      exitCode: 64,
    });
  }
}
