/**
 * The roles in which this program starts itself: `--internal-role=NAME` as the first word. They are no
 * part of the command line's contract, load nothing of it, and start in a few milliseconds.
 */

const ROLES: Readonly<Record<string, () => Promise<void>>> = {
  /** Runs the tasks of one slot. */
  executor: async () => (await import("../runtime/executor/main.ts")).runExecutor(),
  /** Ends what a killed worker left behind. */
  watchdog: async () => (await import("../runtime/worker/processes/watchdog.ts")).runWatchdog(),
};

/** Resolves when the role is done; an unknown one is a mixed installation. */
export async function runInternalRole(name: string): Promise<void> {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
  if (role === undefined) {
    console.error(
      `cc: this version has no internal role "${name}"; is more than one version installed here?`,
    );
    process.exit(70);
  }
  await role();
}
