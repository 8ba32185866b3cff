// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/** Tasks of an unprivileged worker that take every descriptor, every process and the disk. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, eventually, type Member, openCluster } from "./support/cluster.ts";
import { SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";

/**
 * Accounts of this test alone, without an entry anywhere: a limit of processes counts all that the account
 * has on the machine, also what another test left for a moment. It does not hold root.
 */
const FIRST_ACCOUNT = 200_000_000 + process.pid * 10;
let accountCount = 0;
const canChange =
  process.getuid?.() === 0 && Bun.which("setpriv") !== null && Bun.which("prlimit") !== null;

let cluster: Cluster;
let home: string;
let account: number;
beforeEach(async () => {
  cluster = await openCluster({ timing: SHORT_TIMING });
  account = FIRST_ACCOUNT + accountCount++;
  home = mkdtempSync(join(tmpdir(), "cc-nobody-"));
  chownSync(home, account, account);
}, SETUP_MS);
afterEach(async () => {
  await cluster.close();
  rmSync(home, { recursive: true, force: true });
});

/** A worker of the account's, within these limits. */
async function startLimited(...limits: readonly string[]): Promise<Member> {
  const key = join(home, "worker.key");
  const keys = join(cluster.world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys");
  copyFileSync(join(keys, "local-worker.key"), key);
  chownSync(key, account, account);
  chmodSync(key, 0o600);
  const env: Record<string, string> = {
    HOME: home,
    TMPDIR: join(home, "tmp"),
    PATH: "/usr/bin:/bin",
  };
  for (const name of ["CONFIG", "STATE", "CACHE"]) env[`XDG_${name}_HOME`] = join(home, name);
  mkdirSync(join(home, "tmp"));
  chownSync(join(home, "tmp"), account, account);
  return await cluster.worker("nobody", {
    slots: 2,
    args: ["--key-file", key],
    cwd: home,
    env,
    program: "/usr/bin/setpriv",
    before: [
      ...["--reuid", `${account}`, "--regid", `${account}`, "--clear-groups"],
      ...["prlimit", ...limits],
    ],
  });
}

function processesOfAccount(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, "latin1");
        return status.includes(`\nUid:\t${account}\t`) && !/^State:\tZ/m.test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}

test.skipIf(!canChange)(
  "a fork bomb reaches its worker's limit, ends with its time-out, and the worker works on",
  async () => {
    const worker = await startLimited("--nproc=120:120");
    const before = processesOfAccount().length;
    // A colon is no name for every shell.
    const bomb = "bomb() { bomb | bomb & }; bomb; sleep 600";
    const words = ["submit", "-q", "--json", "--cwd", "/", "--timeout", "2s", "--", "bash", "-c"];
    const run = await cluster.cc([...words, bomb]);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: "failed" });
    await eventually("nothing of it is left", () => processesOfAccount().length <= before);
    process.kill(worker.pid, 0);
    const after = await cluster.cc(["submit", "-q", "--cwd", "/", "--", "echo", "fine"]);
    expect(after.stdout).toBe("fine\n");
  },
  TEST_MS,
);

test.skipIf(!canChange)(
  "descriptors and file sizes end at the worker's limits inside the task, and its folder goes",
  async () => {
    const worker = await startLimited("--nofile=512:512", "--fsize=10000000:10000000");
    const open = 'i=0; while exec {fd}</dev/null; do i=$((i+1)); done 2>/dev/null; echo "$i"';
    const words = ["submit", "-q", "--json", "--scratch", "--", "bash", "-c"];
    const opened = JSON.parse((await cluster.cc([...words, open])).stdout);
    expect(opened.status).toBe("completed");
    expect(Number(opened.value)).toBeWithin(400, 512);
    const fill =
      "pwd; head -c 100000000 /dev/zero > large; mkdir -p deep/er; touch deep/er/file; exit 3";
    const filled = JSON.parse((await cluster.cc([...words, fill])).stdout);
    expect(filled).toMatchObject({ status: "failed", exit_code: 3 });
    const scratch = join(home, "CACHE", "crowdcompute", "scratch");
    const folder = String(filled.stdout).trim();
    expect(folder).toStartWith(scratch);
    await eventually(
      "its folder is gone",
      () => Bun.spawnSync(["test", "-e", folder]).exitCode === 1,
    );
    process.kill(worker.pid, 0);
  },
  TEST_MS,
);

test.skipIf(!canChange)(
  "a task that leaves no process for anybody else gives its neighbours back, not away",
  async () => {
    await startLimited("--nproc=60:60");
    // It holds every process there is until it is cancelled; what cannot start waits for it.
    const hoard = "for i in $(seq 200); do sleep 600 & done 2>/dev/null; sleep 600";
    const words = ["submit", "-dq", "--cwd", "/", "--", "bash", "-c", hoard];
    const hoarder = (await cluster.cc(words)).stdout.trim();
    await eventually("it has them all", () => processesOfAccount().length > 30);
    const waiting = cluster.start(["submit", "-q", "--cwd", "/", "--", "echo", "at last"]);
    expect((await cluster.cc(["cancel", hoarder])).exitCode).toBe(0);
    expect(await waiting.ended).toMatchObject({ exitCode: 0, stdout: "at last\n" });
  },
  TEST_MS,
);
