/**
 * Where this account's files lie, by the XDG rules. It decides names only; whoever needs a folder
 * makes it. A missing home is an error only for those who ask for a path below it.
 */
import { readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { CcError } from "../protocol/error.ts";

export interface Paths {
  /** Keys and the user's configuration. */
  readonly configFolder: string;
  readonly configFile: string;
  readonly keysFolder: string;
  readonly localAdminKey: string;
  readonly localWorkerKey: string;
  /** What must outlive a restart. */
  readonly stateFolder: string;
  /** The store of a foreman that was given none. */
  readonly defaultStore: string;
  /** What may be deleted at any time. */
  readonly cacheFolder: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PROGRAM_FOLDER = "crowdcompute";

/** @throws CcError `no_home` where neither XDG variables nor HOME nor the account give a folder. */
export function findPaths(env: Environment): Paths {
  const configFolder = baseFolder(env, "XDG_CONFIG_HOME", ".config");
  const stateFolder = baseFolder(env, "XDG_STATE_HOME", join(".local", "state"));
  const keysFolder = join(configFolder, "keys");
  return {
    configFolder,
    configFile: join(configFolder, "config.json"),
    keysFolder,
    localAdminKey: join(keysFolder, "local-admin.key"),
    localWorkerKey: join(keysFolder, "local-worker.key"),
    stateFolder,
    defaultStore: stateFolder,
    cacheFolder: baseFolder(env, "XDG_CACHE_HOME", ".cache"),
  };
}

/** The name under which this account's submissions stand. */
export function accountName(env: Environment): string {
  const uid = process.geteuid?.() ?? null;
  // Bun's userInfo() takes the name from USER, which says nothing in a service or a container.
  const listed = uid === null ? null : nameInAccountTable(uid);
  return listed ?? (env["USER"] || env["LOGNAME"] || env["USERNAME"] || `uid-${uid ?? 0}`);
}

/** A container may run under a number that has no entry. */
function nameInAccountTable(uid: number): string | null {
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , id] = line.split(":");
      if (name && id === String(uid)) return name;
    }
  } catch {
    // No such file on this system: the environment has to do.
  }
  return null;
}

/** The XDG rules ignore a relative path in their variables. */
function baseFolder(env: Environment, variable: string, belowHome: string): string {
  const given = env[variable];
  const base = given && isAbsolute(given) ? given : join(homeFolder(env, variable), belowHome);
  return join(base, PROGRAM_FOLDER);
}

function homeFolder(env: Environment, variable: string): string {
  const home = env["HOME"] || accountHome();
  if (home !== null && isAbsolute(home)) return home;
  throw new CcError({
    code: "no_home",
    message: `This account has no home folder (HOME is ${JSON.stringify(env["HOME"] ?? "")}), so there is no place for CrowdCompute's files.`,
    hint: `Set HOME, or ${variable} to a folder of yours.`,
    exitCode: 78,
  });
}

function accountHome(): string | null {
  try {
    return userInfo().homedir || homedir();
  } catch {
    return null;
  }
}
