/**
 * Reads the configuration files: the user's `config.json` and a project's `./crowdcompute.json`. It checks
 * names, not values: those are checked where the option tables are. A project's file may set job options
 * only, so that a foreign folder can never choose an address, a key or a store.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CcError } from "../protocol/error.ts";
import { nearestName } from "./nearest-name.ts";
import { findPaths } from "./paths.ts";

export const CONFIG_SECTIONS = ["connection", "foreman", "worker", "job"] as const;
export type ConfigSection = (typeof CONFIG_SECTIONS)[number];

/** The option names that each section may hold, in camelCase. */
export type KnownOptions = Readonly<Record<ConfigSection, readonly string[]>>;

export interface ConfigEntry {
  readonly value: unknown;
  /** File and place, for messages: `/home/u/.config/crowdcompute/config.json: connection.foreman`. */
  readonly origin: string;
}

export type ConfigEntries = Readonly<Record<ConfigSection, ReadonlyMap<string, ConfigEntry>>>;

export interface LoadedConfig {
  readonly entries: ConfigEntries;
  /** Every file that was looked for, and whether it was there. */
  readonly files: readonly { readonly path: string; readonly found: boolean }[];
}

export interface ConfigRequest {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `--config FILE`; it must exist, the default file need not. */
  readonly explicitPath: string | undefined;
  readonly knownOptions: KnownOptions;
}

/** Loads both files; throws `bad_config` for what cannot be read, parsed or is not known. */
export function loadConfig(request: ConfigRequest): LoadedConfig {
  const userPath = userConfigPath(request);
  const projectPath = join(request.cwd, "crowdcompute.json");
  const user = readConfigFile(userPath, request.explicitPath !== undefined);
  const project = readConfigFile(projectPath, false);
  const entries = {
    connection: new Map<string, ConfigEntry>(),
    foreman: new Map<string, ConfigEntry>(),
    worker: new Map<string, ConfigEntry>(),
    job: new Map<string, ConfigEntry>(),
  };
  if (user) collectUserFile(user, userPath, request.knownOptions, entries);
  if (project) collectProjectFile(project, projectPath, request.knownOptions, entries.job);
  return {
    entries,
    files: [
      { path: userPath, found: user !== null },
      { path: projectPath, found: project !== null },
    ],
  };
}

function userConfigPath({ env, cwd, explicitPath }: ConfigRequest): string {
  return explicitPath === undefined ? findPaths(env).configFile : resolve(cwd, explicitPath);
}

type JsonObject = Readonly<Record<string, unknown>>;

function readConfigFile(path: string, mustExist: boolean): JsonObject | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!mustExist && (code === "ENOENT" || code === "ENOTDIR")) return null;
    throw badConfig(
      `The configuration file ${path} cannot be read (${code ?? String(error)}).`,
      undefined,
      error,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badConfig(`${path} is not JSON: ${(error as Error).message}.`, undefined, error);
  }
  if (!isObject(value)) throw badConfig(`${path} must hold one JSON object.`);
  return value;
}

function collectUserFile(
  file: JsonObject,
  path: string,
  known: KnownOptions,
  entries: Record<ConfigSection, Map<string, ConfigEntry>>,
): void {
  for (const [name, value] of Object.entries(file)) {
    const section = CONFIG_SECTIONS.find((candidate) => candidate === name);
    if (section === undefined)
      throw badConfig(`${path}: "${name}" is no section.`, sectionHint(name, known));
    if (!isObject(value)) throw badConfig(`${path}: "${name}" must be an object of options.`);
    collectOptions(value, `${path}: ${name}.`, known[section], entries[section]);
  }
}

/** Someone who writes an option at the top level wants to know where it belongs. */
function sectionHint(name: string, known: KnownOptions): string {
  const home = CONFIG_SECTIONS.find((section) => known[section].includes(name));
  if (home !== undefined) return `Write it as {"${home}": {"${name}": …}}.`;
  const near = nearestName(name, CONFIG_SECTIONS);
  return near === null ? `Sections are ${CONFIG_SECTIONS.join(", ")}.` : `Did you mean "${near}"?`;
}

function collectProjectFile(
  file: JsonObject,
  path: string,
  known: KnownOptions,
  job: Map<string, ConfigEntry>,
): void {
  for (const name of Object.keys(file)) {
    if (known.job.includes(name)) continue;
    const elsewhere = CONFIG_SECTIONS.find(
      (section) => section === name || known[section].includes(name),
    );
    if (elsewhere === undefined) continue;
    throw badConfig(
      `${path}: "${name}" may not be set by a project's file, which holds job options only.`,
      "Put it into ~/.config/crowdcompute/config.json or on the command line.",
    );
  }
  collectOptions(file, `${path}: `, known.job, job);
}

function collectOptions(
  options: JsonObject,
  place: string,
  known: readonly string[],
  into: Map<string, ConfigEntry>,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      const near = nearestName(name, known);
      throw badConfig(
        `${place}${name} is no known option.`,
        near === null ? `Known are ${known.join(", ")}.` : `Did you mean "${near}"?`,
      );
    }
    into.set(name, { value, origin: `${place}${name}` });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badConfig(message: string, hint?: string, cause?: unknown): CcError {
  return new CcError({ code: "bad_config", message, hint, exitCode: 2, cause });
}
