/** What a job runs, in one line, with nothing that its submitter gave as a secret. */
import type { JobSpec } from "../../../../protocol/job-spec.ts";
import { shortened } from "./texts.ts";

/** Shorter ones would hide half of any text, and are no secrets. */
const SECRET_CHARACTERS_MIN = 4;

/** The command line, or the function's file. */
export function whatRuns(spec: JobSpec): string {
  const { work } = spec;
  if (work.kind === "function") return shortened(work.entry_file);
  const [script = ""] = work.argv;
  return shortened(withoutSecrets(spec, work.shell ? script : work.argv.map(quoted).join(" ")));
}

/** `ann@host:/folder`; null: it was not said. */
export function whereFrom({ submitted_from: from }: JobSpec): string | null {
  const { host, user, folder } = from;
  if (host === "") return null;
  return shortened(`${user === "" ? "" : `${user}@`}${host}${folder === "" ? "" : `:${folder}`}`);
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function withoutSecrets({ env }: JobSpec, text: string): string {
  let clean = text;
  for (const { value, secret } of Object.values(env)) {
    if (secret && value.length >= SECRET_CHARACTERS_MIN) clean = clean.replaceAll(value, "***");
  }
  return clean;
}
