/**
 * Gets Node 24 for the tests that run on both runtimes, from its npm package into `.cache/node-24`. It
 * asks the registry once; later calls only look.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "./run-step.ts";

const INSTALL_TIMEOUT_MS = 300_000;

/** The path of a `node` of version 24; throws with the installer's output when it cannot be had. */
export async function installNode(root: string): Promise<string> {
  const folder = join(root, ".cache", "node-24");
  const name = `node-${process.platform}-${process.arch}`;
  const executable = join(folder, "node_modules", name, "bin", "node");
  if (existsSync(executable)) return executable;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, dependencies: { [name]: "24" } }),
  );
  const install = await runStep([process.execPath, "install", "--no-save"], {
    cwd: folder,
    timeoutMs: INSTALL_TIMEOUT_MS,
    quiet: true,
  });
  if (install.exitCode !== 0 || !existsSync(executable))
    throw new Error(`Node 24 cannot be installed into ${folder}:\n${install.output}`);
  return executable;
}
