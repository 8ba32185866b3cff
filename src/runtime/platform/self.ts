/**
 * How this program starts itself again. On Linux the binary goes through `/proc/self/exe`, so that an
 * upgrade on disk never mixes two versions in one installation that runs.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Files inside a compiled binary live under a made-up root. */
const EMBEDDED_ROOT = /^(?:\/\$bunfs\/|[A-Za-z]:[\\/]~BUN[\\/])/;

export const isCompiled: boolean = EMBEDDED_ROOT.test(fileURLToPath(import.meta.url));

/** The command that runs this program with `args`; the first word is an absolute path. */
export function selfCommand(args: readonly string[]): [string, ...string[]] {
  if (!isCompiled) return [process.execPath, developmentEntry(), ...args];
  return [process.platform === "linux" ? "/proc/self/exe" : process.execPath, ...args];
}

/** From `src/runtime/platform/` to `src/cli.ts`. */
function developmentEntry(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return join(here, "..", "..", "cli.ts");
}
