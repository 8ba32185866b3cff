// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/**
 * Sessions as a person has them at a shell. A text file is both the script and what must be seen: `$ `
 * begins a line that is typed, `% ` housekeeping that shows nothing, `! ` what came on stderr, and the
 * rest is stdout. Each session has a network of its own where the system allows it, so that the default
 * port is free whatever else runs on this machine.
 */
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { BINARY, type World } from "../support/binary.ts";

const SESSION_TIMEOUT_MS = 50_000;
const OWN_NETWORK = ["unshare", "-rn", "/bin/bash", "-c", 'ip link set lo up; exec "$@"', "bash"];
const canUnshare =
  Bun.spawnSync(["unshare", "-rn", "ip", "link", "set", "lo", "up"]).exitCode === 0;

const DRIVER = String.raw`
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
# Until the foreman that a command had started for itself has ended.
alone() { while [ -e "$XDG_STATE_HOME/crowdcompute/url" ]; do :; done; }
for line in "$@"; do
  eval "${"${line#??}"}" >"$HOME/out" 2>"$HOME/err" </dev/null
  code=$?
  case "$line" in "% "*) [ $code = 0 ] || cat "$HOME/err" >&2; continue ;; esac
  printf '%s\n' "$line"
  cat "$HOME/out"
  sed 's/^/! /' "$HOME/err"
  [ $code = 0 ] || printf '[exit %d]\n' $code
done
`;

export interface Session {
  /** What was seen. */
  readonly seen: string;
  /** What must be seen. */
  readonly expected: string;
}

/** Plays `sessions/NAME.txt` in one bash, in the world's folder, where `cc` is the binary. */
export async function playSession(world: World, name: string): Promise<Session> {
  const script = readFileSync(join(import.meta.dir, "sessions", `${name}.txt`), "utf8");
  const lines = script.split("\n").filter((line) => /^[$%] /.test(line));
  const seen = await play(world, lines);
  return {
    seen: normalised(seen, world),
    expected: script.replace(/^% .*\n/gm, ""),
  };
}

async function play(world: World, lines: readonly string[]): Promise<string> {
  const bin = join(world.env["HOME"] ?? "", "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(BINARY, join(bin, "cc"));
  const words = ["/bin/bash", "-c", DRIVER, "bash", ...lines];
  const child = Bun.spawn(canUnshare ? [...OWN_NETWORK, ...words] : words, {
    cwd: world.folder,
    env: { ...world.env, PATH: `${bin}:${world.env["PATH"]}` },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: SESSION_TIMEOUT_MS,
  });
  const [text, trouble] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  if (trouble !== "") throw new Error(`the session's shell complained:\n${trouble}\n${text}`);
  return text;
}

/** Without what differs from run to run: durations, instants, rates, names of machine and folders. */
function normalised(text: string, world: World): string {
  return text
    .replaceAll(world.folder, "FOLDER")
    .replaceAll(join(world.env["XDG_STATE_HOME"] ?? "", "crowdcompute"), "STORE")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\(code [0-9a-f]{12}\)/g, "(code HASH)")
    .replace(/by \S+ on \S+/g, "by OWNER on HOST")
    .replace(/ws:\/\/127\.0\.0\.1:\d+/g, "ws://URL")
    .replace(/\d+,\d{3} tasks cancelled/g, "N tasks cancelled")
    .replace(/on \d+ slots?/g, "on N slots")
    .replace(/--workers \d+(?= keeps| &)/g, "--workers N")
    .replace(/(?<![\w.])(\d+m\d\ds|\d+(\.\d+)?(µs|ms|s| min))(?!\w)/g, "T")
    .replace(/(?<![\w.])[\d.]+k?\/s(?!\w)/g, "R/s")
    .replace(new RegExp(`(?<![\\w-])${hostname()}(?!\\w)`, "g"), "HOST")
    .replace(/ {2,}/g, "  ")
    .replace(/(?<=^ID .*)OWNER .*$/gm, "OWNER")
    .replace(/ {2}\S+ {2}T ago$/gm, "")
    .replace(/ +$/gm, "");
}
