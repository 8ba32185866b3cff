/** The keys with which this account proves itself: whether they can be used, and only by it. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Paths } from "../../runtime/platform/paths.ts";
import { readKeyFile } from "../../runtime/transport/key-files.ts";
import { type Check, type CheckSection, failed, finding, ok, warning } from "./check.ts";

const OTHERS_MAY_ANYTHING = 0o077;

export interface KeyRequest {
  readonly paths: Paths;
  /** The key that was named by flag, variable or configuration. */
  readonly keyFile: string | undefined;
  readonly cwd: string;
}

export async function checkKeys({ paths, keyFile, cwd }: KeyRequest): Promise<CheckSection> {
  const named = keyFile === undefined ? [] : [resolve(cwd, keyFile)];
  const checks = [
    ...named.map((path) => finding("key_file", () => checkNamed(path))),
    finding("keys_folder", () => checkFolder(paths.keysFolder)),
    finding("local_admin_key", () => checkLocal("local_admin_key", paths.localAdminKey, "client")),
    finding("local_worker_key", () =>
      checkLocal("local_worker_key", paths.localWorkerKey, "worker"),
    ),
  ];
  return { title: "keys", checks: await Promise.all(checks) };
}

function checkNamed(path: string): Check {
  const { role } = readKeyFile(path);
  return ok("key_file", `${path}: a ${role}'s key, readable by this account alone`, { path });
}

function checkFolder(path: string): Check {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return ok("keys_folder", `${path}: made when first needed`, { path });
  const mode = (facts.mode & 0o777).toString(8).padStart(4, "0");
  if ((facts.mode & OTHERS_MAY_ANYTHING) === 0) {
    return ok("keys_folder", `${path}: this account's alone (mode ${mode})`, { path, mode });
  }
  const text = `${path}: others may enter it (mode ${mode}, expected 0700)`;
  return warning("keys_folder", text, `chmod 700 ${path}`, { path, mode });
}

function checkLocal(name: string, path: string, role: "client" | "worker"): Check {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    return ok(name, `${path}: made when first needed`, { path });
  }
  const key = readKeyFile(path);
  if (key.role === role) return ok(name, `${path}: a ${role}'s key (mode 0600)`, { path });
  return failed(
    name,
    `${path} holds a ${key.role}'s key, expected a ${role}'s`,
    `Move it away; the next cc foreman makes a new one: mv ${path} ${path}.old`,
    { path },
  );
}
