/**
 * Decides which of several sources gives an option its value: flag, environment, configuration file,
 * default. The environment and the configuration file set connection and daemon options; job options are
 * settled in `job-options.ts`, because a job file stands between the flag and the configuration.
 */
import { type LoadedConfig, loadConfig } from "../runtime/platform/config.ts";
import type { ValueOrigin } from "./command-context.ts";
import { convertJson, convertTexts } from "./convert-value.ts";
import {
  environmentNameOf,
  flagNameOf,
  type OptionSpec,
  type OptionTable,
  type VerbTable,
} from "./option-table.ts";
import { FOREMAN_VERB, WORKER_VERB } from "./tables/daemons.ts";
import { CONNECTION_OPTIONS, JOB_OPTIONS } from "./tables/shared.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingsRequest {
  readonly given: ReadonlyMap<string, unknown>;
  readonly env: Environment;
  readonly cwd: string;
}

export interface Settings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, ValueOrigin>>;
  readonly config: LoadedConfig | null;
}

/** Throws a usage error or `bad_config` that names the flag, variable or file of the wrong value. */
export function settleOptions(table: VerbTable, request: SettingsRequest): Settings {
  const specs = Object.entries(table.options);
  const usesConfig = specs.some(([, spec]) => (spec.scope ?? "command") !== "command");
  const explicitPath = request.given.get("config");
  const config = usesConfig
    ? loadSettings(
        request.env,
        request.cwd,
        typeof explicitPath === "string" ? explicitPath : undefined,
      )
    : null;
  const values: Record<string, unknown> = {};
  const origins: Record<string, ValueOrigin> = {};
  for (const [key, spec] of specs) {
    const settled = request.given.has(key)
      ? { value: request.given.get(key), origin: flagOrigin(key) }
      : settleWithoutFlag(key, spec, { table, env: request.env, config });
    values[key] = settled.value;
    origins[key] = settled.origin;
  }
  return { values, origins, config };
}

/** Reads both configuration files and checks their names against the option tables. */
export function loadSettings(
  env: Environment,
  cwd: string,
  explicitPath: string | undefined,
): LoadedConfig {
  return loadConfig({
    env,
    cwd,
    explicitPath,
    knownOptions: {
      connection: Object.keys(CONNECTION_OPTIONS),
      foreman: daemonKeys(FOREMAN_VERB.options),
      worker: daemonKeys(WORKER_VERB.options),
      job: Object.keys(JOB_OPTIONS),
    },
  });
}

function daemonKeys(options: OptionTable): readonly string[] {
  return Object.keys(options).filter((key) => options[key]?.scope === "daemon");
}

export interface SettledValue {
  readonly value: unknown;
  readonly origin: ValueOrigin;
}

interface Sources {
  readonly table: VerbTable;
  readonly env: Environment;
  readonly config: LoadedConfig | null;
}

/** What an option is worth when no flag gives it. */
export function settleWithoutFlag(key: string, spec: OptionSpec, sources: Sources): SettledValue {
  if (spec.scope === "connection" || spec.scope === "daemon") {
    const variable = environmentNameOf(key);
    const text = sources.env[variable];
    if (text !== undefined && text !== "") {
      return {
        value: convertTexts(spec, environmentTexts(spec, text), variable),
        origin: { kind: "environment", detail: variable },
      };
    }
    const section = spec.scope === "connection" ? "connection" : sources.table.configSection;
    const entry = section === undefined ? undefined : sources.config?.entries[section].get(key);
    if (entry)
      return {
        value: convertJson(spec, entry.value, entry.origin),
        origin: { kind: "config", detail: entry.origin },
      };
  }
  return { value: defaultOf(spec), origin: { kind: "default", detail: spec.defaultText ?? "" } };
}

/** `CC_LABEL=rack=b,disk=ssd`: what may be repeated as a flag is separated by commas in a variable. */
function environmentTexts(spec: OptionSpec, text: string): readonly string[] {
  const repeats =
    spec.type === "pairs" ||
    spec.type === "environment" ||
    spec.type === "amounts" ||
    spec.type === "list";
  return repeats ? text.split(",").map((part) => part.trim()) : [text];
}

function defaultOf(spec: OptionSpec): unknown {
  if (spec.type === "boolean") return spec.negatable ? undefined : false;
  return "default" in spec ? spec.default : undefined;
}

export function flagOrigin(key: string): ValueOrigin {
  return { kind: "flag", detail: `--${flagNameOf(key)}` };
}

export interface ExplainedSetting {
  readonly section: "connection" | "foreman" | "worker";
  readonly key: string;
  readonly value: unknown;
  readonly origin: ValueOrigin;
}

/** Every connection and daemon option with the value it would have now, for `cc doctor`. */
export function explainSettings(
  env: Environment,
  config: LoadedConfig,
): readonly ExplainedSetting[] {
  const explain = (section: ExplainedSetting["section"], options: OptionTable, table: VerbTable) =>
    Object.entries(options)
      .filter(([, spec]) => spec.scope === (section === "connection" ? "connection" : "daemon"))
      .map(([key, spec]) => ({
        section,
        key,
        ...settleWithoutFlag(key, spec, { table, env, config }),
      }));
  return [
    ...explain("connection", CONNECTION_OPTIONS, WORKER_VERB),
    ...explain("foreman", FOREMAN_VERB.options, FOREMAN_VERB),
    ...explain("worker", WORKER_VERB.options, WORKER_VERB),
  ];
}
