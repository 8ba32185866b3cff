/** What a job runs, in one line, with nothing that its submitter gave as a secret. */
import type { JobSpec } from "../../../../protocol/job-spec.ts";
import { shortened } from "./texts.ts";

/** Shorter ones would hide half of any text, and are no secrets. */
const SECRET_CHARACTERS_MIN = 4;

/** The command line, or the function's file. */
export function whatRuns(spec: JobSpec): string {
  const { work } = spec;
  if (work.kind === "function") return shortened(work.entry_file);
  const clean = secretRemover(spec);
  const [script = ""] = work.argv;
  return shortened(
    work.shell ? clean(script) : work.argv.map((word) => quoted(word, clean)).join(" "),
  );
}

/** `ann@host:/folder`; null: it was not said. */
export function whereFrom({ submitted_from: from }: JobSpec): string | null {
  const { host, user, folder } = from;
  if (host === "") return null;
  return shortened(`${user === "" ? "" : `${user}@`}${host}${folder === "" ? "" : `:${folder}`}`);
}

/** Quotation marks may change a secret, so it goes before they come. */
function quoted(word: string, clean: (text: string) => string): string {
  if (/^[\w@%+=:,./{}-]+$/.test(word)) return clean(word);
  return `'${clean(word).replaceAll("'", "'\\''")}'`;
}

/** The longest first: one secret may be a part of another. */
function secretRemover({ env }: JobSpec): (text: string) => string {
  const secrets = Object.values(env)
    .filter(({ value, secret }) => secret && value.length >= SECRET_CHARACTERS_MIN)
    .map(({ value }) => value)
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((clean, value) => clean.replaceAll(value, "***"), text);
}
