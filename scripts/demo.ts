/**
 * `npm run demo`: builds the binary and runs the main job on real input, as a user would: a foreman,
 * two worker processes and `cc submit`, each a process of the compiled binary in a temporary home.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";

const root = resolve(import.meta.dirname, "..");
const binary = join(root, "dist", "cc");
const READY_DEADLINE_MS = 20_000;

async function main(): Promise<number> {
  await execa(process.execPath, [join(root, "scripts", "build-binary.ts")], { stdio: "inherit" });
  const home = mkdtempSync(join(tmpdir(), "cc-demo-"));
  const daemons: ChildProcess[] = [];
  try {
    return await showMainJob(home, daemons);
  } finally {
    for (const daemon of daemons.reverse()) await stop(daemon);
    rmSync(home, { recursive: true, force: true });
  }
}

async function showMainJob(home: string, daemons: ChildProcess[]): Promise<number> {
  const env = {
    ...process.env,
    HOME: home,
    XDG_CONFIG_HOME: "",
    XDG_STATE_HOME: "",
    XDG_CACHE_HOME: "",
  };
  const readyFile = join(home, "url");
  say(`cc foreman --port 0 --store ${home}/store`);
  const foreman = [
    "foreman",
    "--log-format",
    "pretty",
    "--port",
    "0",
    "--store",
    join(home, "store"),
    "--ready-file",
    readyFile,
  ];
  daemons.push(start(foreman, env));
  const url = await readWhenThere(home, readyFile);
  for (const id of ["demo-1", "demo-2"]) {
    say(`cc worker --id ${id} --foreman ${url} --slots 1`);
    daemons.push(
      start(
        ["worker", "--log-format", "pretty", "--id", id, "--foreman", url, "--slots", "1"],
        env,
      ),
    );
  }
  const files = inputFiles();
  say(`cc submit examples/word-count.ts -- ${files.length} files`);
  const words = [
    "submit",
    "--foreman",
    url,
    join(root, "examples", "word-count.ts"),
    "--",
    ...files,
  ];
  const { exitCode } = await execa(binary, words, {
    cwd: root,
    env,
    stdio: "inherit",
    reject: false,
  });
  return exitCode ?? 1;
}

/** Real text that every Debian machine has; elsewhere the project's own documents. */
function inputFiles(): string[] {
  const licenses = "/usr/share/common-licenses";
  const folder = existsSync(licenses) ? licenses : join(root, "docs");
  return readdirSync(folder).map((name) => join(folder, name));
}

function start(words: string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(binary, words, { env, stdio: ["ignore", "inherit", "inherit"] });
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, "close");
  daemon.kill("SIGTERM");
  await ended;
}

async function readWhenThere(folder: string, file: string): Promise<string> {
  const signal = AbortSignal.timeout(READY_DEADLINE_MS);
  const seen = new Promise<void>((done, fail) => {
    const watcher = watch(folder, { signal });
    watcher.on("change", () => {
      if (!existsSync(file)) return;
      watcher.close();
      done();
    });
    watcher.on("error", fail);
  });
  if (!existsSync(file)) await seen;
  for (;;) {
    const text = (await readFile(file, "utf8")).trim();
    if (text !== "") return text;
    if (signal.aborted) throw new Error(`the foreman wrote no address into ${file}`);
  }
}

function say(line: string): void {
  process.stderr.write(`\x1b[2m$ ${line}\x1b[0m\n`);
}

process.exit(await main());
