/**
 * A worker's own piece of network: a namespace joined to this machine by a pair of virtual cables, which
 * can go dark without a word, as a machine does whose power or switch has failed. Needs root; where that
 * is missing, `canSeparate` is false and the tests say that they were skipped. Names and addresses
 * are unique to this process, and `close()` removes everything.
 */
import { randomInt } from "node:crypto";

export interface Island {
  /** Where a foreman listens (with `--insecure-plaintext`) so that the island reaches it. */
  readonly hostAddress: string;
  readonly islandAddress: string;
  /** The program and the first words that run a command on the island, with the same pid. */
  readonly program: string;
  readonly words: readonly string[];
  /** Packets vanish in both directions; nobody is told. */
  goDark(): void;
  comeBack(): void;
  close(): void;
}

const IP =
  ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].find((path) => Bun.which(path) !== null) ?? "";

/** Whether this process may make namespaces and cables. */
export const canSeparate: boolean = probe();

export function createIsland(): Island {
  const tag = randomInt(0x1000, 0xffff).toString(16);
  const name = `cc-test-${tag}`;
  const [here, there] = [`cch${tag}`, `cct${tag}`];
  // A private range that few use; a collision makes `ip` fail loudly, never disturb somebody.
  const network = `10.213.${randomInt(1, 250)}`;
  const base = randomInt(0, 60) * 4;
  const hostAddress = `${network}.${base + 1}`;
  const islandAddress = `${network}.${base + 2}`;
  const close = (): void => {
    // The cable goes with the namespace that holds its other end.
    tryIp("netns", "delete", name);
    tryIp("link", "delete", here);
    tryIp("route", "delete", "blackhole", `${islandAddress}/32`);
  };
  try {
    ip("netns", "add", name);
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    ip("address", "add", `${hostAddress}/30`, "dev", here);
    ip("link", "set", here, "up");
    ip("-n", name, "address", "add", `${islandAddress}/30`, "dev", there);
    ip("-n", name, "link", "set", there, "up");
    ip("-n", name, "link", "set", "lo", "up");
  } catch (thrown) {
    close();
    throw thrown;
  }
  return {
    hostAddress,
    islandAddress,
    program: IP,
    words: ["netns", "exec", name],
    goDark() {
      ip("route", "add", "blackhole", `${islandAddress}/32`);
      ip("-n", name, "route", "add", "blackhole", `${hostAddress}/32`);
    },
    comeBack() {
      ip("route", "delete", "blackhole", `${islandAddress}/32`);
      ip("-n", name, "route", "delete", "blackhole", `${hostAddress}/32`);
    },
    close,
  };
}

function probe(): boolean {
  if (IP === "") return false;
  try {
    createIsland().close();
    return true;
  } catch {
    return false;
  }
}

/** @throws Error with what `ip` said. */
function ip(...words: readonly string[]): void {
  const { exitCode, stderr } = run(words);
  if (exitCode !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr.toString().trim()}`);
}

function tryIp(...words: readonly string[]): void {
  run(words);
}

function run(words: readonly string[]) {
  return Bun.spawnSync([IP, ...words], { timeout: 10_000, stdout: "ignore", stderr: "pipe" });
}
