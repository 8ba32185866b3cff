/** Which configuration files there are, and where each value that is not a default came from. */
import type { ConfigSection, LoadedConfig } from "../../runtime/platform/config.ts";
import type { ValueOrigin } from "../command-context.ts";
import { settleJobOptions } from "../job-options.ts";
import { type ExplainedSetting, explainSettings } from "../settings.ts";
import { type Check, type CheckSection, failedBy, ok } from "./check.ts";

export interface SettingsRequest {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: LoadedConfig;
  /** Of this command line's own options. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, ValueOrigin>>;
}

export function checkSettings(request: SettingsRequest): CheckSection {
  return {
    title: "settings",
    checks: [...request.config.files.map(describeFile), ...listSettings(request)],
  };
}

function describeFile({ path, found }: LoadedConfig["files"][number]): Check {
  return ok("config_file", found ? `read ${path}` : `no ${path}`, { path, found });
}

function listSettings(request: SettingsRequest): readonly Check[] {
  const { env, config } = request;
  try {
    const settings = explainSettings(env, config).map((setting) => withFlag(setting, request));
    const chosen = settings.filter(({ origin }) => origin.kind !== "default");
    const count = settings.length - chosen.length;
    const rest = ok("defaults", `${count} settings have their defaults (--json lists them)`, {
      settings: settings.filter((setting) => !chosen.includes(setting)).map(factsOf),
    });
    const shown = chosen.map((setting) => describeSetting(setting, typedValue(setting, request)));
    return [...shown, ...listJobOptions(config), rest];
  } catch (thrown) {
    const found = failedBy("setting", thrown);
    return [{ ...found, hint: found.hint ?? "Mend it where it stands, or take it out." }];
  }
}

/** A flag of this call beats what any other call would see. */
function withFlag(setting: ExplainedSetting, { values, origins }: SettingsRequest) {
  const origin = origins[setting.key];
  if (setting.section !== "connection" || origin?.kind !== "flag") return setting;
  return { ...setting, value: values[setting.key], origin };
}

/** As it stands where it came from: `5s`, not 5000. */
function typedValue({ section, key, value, origin }: ExplainedSetting, request: SettingsRequest) {
  if (origin.kind === "environment") return request.env[origin.detail] ?? "";
  if (origin.kind === "config") return request.config.entries[section].get(key)?.value;
  return value;
}

type Setting = Omit<ExplainedSetting, "section"> & { readonly section: ConfigSection };

function describeSetting(setting: Setting, typed: unknown): Check {
  const { section, key, origin } = setting;
  const text = `${section}.${key} = ${JSON.stringify(typed)}, from ${origin.detail}`;
  return ok("setting", text, factsOf(setting));
}

const factsOf = ({ section, key, value, origin }: Setting) => ({
  section,
  key,
  value: value ?? null,
  origin: origin.kind,
  detail: origin.detail,
});

/** @throws CcError `bad_config` for a value that no job could have. */
function listJobOptions(config: LoadedConfig): readonly Check[] {
  const settled: Readonly<Record<string, unknown>> = settleJobOptions({
    values: {},
    config,
    jobFile: null,
  });
  return [...config.entries.job].map(([key, { value, origin }]) => {
    const from = { kind: "config", detail: origin } as const;
    // Reports are shown to others, and variables are where secrets stand.
    if (key === "env")
      return describeSetting({ section: "job", key, value: "***", origin: from }, "***");
    return describeSetting({ section: "job", key, value: settled[key], origin: from }, value);
  });
}

/** The path that a variable or the configuration gives a daemon; null without one, or a wrong one. */
export function findSetting(
  env: SettingsRequest["env"],
  config: LoadedConfig | null,
  key: "store" | "cacheDir",
): string | null {
  if (config === null) return null;
  try {
    const value = explainSettings(env, config).find((setting) => setting.key === key)?.value;
    return typeof value === "string" ? value : null;
  } catch {
    // The list of settings says what is wrong with them.
    return null;
  }
}
