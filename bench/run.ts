/**
 * `npm run bench`: builds the binary and measures it as `cc bench` does, five runs a figure. Arguments
 * are passed on: `npm run bench -- --only latency --runs 3`. `bench/store.ts` and `bench/scheduler.ts`
 * measure single rooms and are run by themselves.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

async function run(program: string, words: readonly string[]): Promise<number> {
  const child = spawn(program, words, { cwd: root, stdio: "inherit" });
  const [code] = await once(child, "close");
  return Number(code ?? 1);
}

const words = process.argv.slice(2);
const runs = words.includes("--runs") ? [] : ["--runs", "5"];
const built = await run(process.execPath, [join(root, "scripts", "build-binary.ts")]);
process.exit(
  built === 0 ? await run(join(root, "dist", "cc"), ["bench", ...runs, ...words]) : built,
);
