// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/**
 * Without any server. Each script runs in a network of its own where the system allows it, so that the
 * default port is free whatever else runs on this machine.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, createWorld, type World } from "../support/binary.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
}, 180_000);
afterEach(() => world.close());

const LONG = 60_000;
const canUnshare =
  Bun.spawnSync(["unshare", "-rn", "ip", "link", "set", "lo", "up"]).exitCode === 0;

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a bash script in which `$CC` is the binary. */
async function script(text: string): Promise<Ran> {
  const inside = ["/bin/bash", "-c", text];
  const prefix = ["unshare", "-rn", "/bin/bash", "-c", 'ip link set lo up; exec "$@"', "bash"];
  const child = Bun.spawn(canUnshare ? [...prefix, ...inside] : inside, {
    cwd: world.folder,
    env: { ...world.env, CC: BINARY },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 40_000,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { stdout, stderr, exitCode: await child.exited };
}

/** Processes of this world's foremen and workers that are still there. */
function leftOver(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = Bun.spawnSync(["cat", `/proc/${pid}/environ`]).stdout.toString();
      const isOurs = environment.includes(`XDG_STATE_HOME=${world.env["XDG_STATE_HOME"]}`);
      if (isOurs) found.push(pid);
    } catch {
      // It has just ended.
    }
  }
  return found;
}

async function untilNothingIsLeft(): Promise<void> {
  for (let tries = 0; tries < 100 && leftOver().length > 0; tries++) await Bun.sleep(50);
  expect(leftOver()).toEqual([]);
}

describe("without any server", () => {
  test(
    "a job runs here, is said to, and can be looked at, waited for and retried afterwards",
    async () => {
      writeFileSync(
        join(world.folder, "job.ts"),
        "export const inputs = [1, 2, 3];\nexport default (x: number) => { if (x === 2) throw new Error('two'); return x; };\n",
      );
      writeFileSync(
        join(world.folder, "fixed.ts"),
        "export const inputs = [1, 2, 3];\nexport default (x: number) => x;\n",
      );
      const first = await script('"$CC" submit job.ts');
      expect([first.exitCode, first.stdout]).toEqual([1, "1\n3\n"]);
      expect(first.stderr).toMatch(/no foreman is running: running here, on \d+ slots?/);
      await untilNothingIsLeft();
      const looks = await script(
        '"$CC" results 1; "$CC" jobs --json; "$CC" wait 1; echo "wait $?"',
      );
      expect(looks.stdout).toMatch(/^1\n3\n\{.*"state":"failed".*\}\nwait 1\n$/s);
      const retried = await script('"$CC" retry 1 --with fixed.ts');
      expect([retried.exitCode, retried.stdout]).toEqual([0, "2\n"]);
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "-d is refused with the line that starts a foreman",
    async () => {
      const { exitCode, stdout, stderr } = await script('"$CC" submit -d -- true');
      expect([exitCode, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(/cc foreman --workers \d+/);
      expect(await script('"$CC" jobs -q')).toMatchObject({ stdout: "" });
    },
    LONG,
  );

  test(
    "Ctrl-C stops it without loss, and cc wait goes on",
    async () => {
      const { stdout, stderr } = await script(
        `"$CC" submit --shell --array 1-6 -- 'sleep 0.3; echo {}' & pid=$!
       for i in $(seq 100); do [ -n "$("$CC" jobs -q 2>/dev/null)" ] && break; sleep 0.05; done
       sleep 0.5; kill -INT $pid; wait $pid; echo "submit $?"
       "$CC" wait 1; echo "wait $?"; "$CC" results 1`,
      );
      expect(stderr).toMatch(/stopped; job 1 is kept: cc wait 1 goes on with it/);
      expect(stdout).toMatch(/submit 130\nwait 0\n1\n2\n3\n4\n5\n6\n$/);
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "a second submit finds the first one's foreman, which stays until both have ended",
    async () => {
      const { stdout, stderr } = await script(
        `"$CC" submit -- sleep 1 & first=$!
       for i in $(seq 100); do [ -e "$XDG_STATE_HOME/crowdcompute/url" ] && break; sleep 0.02; done
       "$CC" submit -d -- true; echo "detached $?"
       "$CC" submit --shell --array 1-4 -- 'sleep 0.7; echo {}'; echo "second $?"
       wait $first; echo "first $?"`,
      );
      expect(stderr.match(/running here/g)).toHaveLength(1);
      expect(stdout).toContain("1\n2\n3\n4\n");
      expect(stdout).toContain("detached 3\n");
      expect(stdout).toContain("second 0\n");
      expect(stdout).toContain("first 0\n");
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "a submitter that is killed takes foreman, worker and task with it",
    async () => {
      await script(
        `"$CC" submit -- sleep 30 & pid=$!
       for i in $(seq 200); do "$CC" jobs --json 2>/dev/null | grep -q '"running":1' && break; sleep 0.05; done
       kill -KILL $pid; wait $pid 2>/dev/null; true`,
      );
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "something else on the port: exit 3 with the hint --local, which then works",
    async () => {
      if (!canUnshare) return;
      const { stdout, stderr } = await script(
        `python3 -m http.server 9000 --bind 127.0.0.1 >/dev/null 2>&1 & server=$!
       for i in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/9000) 2>/dev/null && break; sleep 0.02; done
       "$CC" submit -- true; echo "plain $?"
       "$CC" submit --local -- echo here; echo "local $?"
       kill $server`,
      );
      expect(stderr).toMatch(/127\.0\.0\.1:9000 is not a CrowdCompute foreman/);
      expect(stderr).toMatch(/--local/);
      expect(stdout).toBe("plain 3\nhere\nlocal 0\n");
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "--local beside a foreman has a store of its own, gone when all is done",
    async () => {
      const { stdout, stderr } = await script(
        `"$CC" foreman --workers 1 --ready-file ready >/dev/null 2>&1 & foreman=$!
       for i in $(seq 200); do [ -s ready ] && break; sleep 0.02; done
       "$CC" submit --local=1 -- echo apart; echo "local $?"
       "$CC" jobs -q; "$CC" submit -q -- echo shared
       kill $foreman; wait $foreman; echo "foreman $?"`,
      );
      expect(stderr).toMatch(/running here, on 1 slot, with a store of its own/);
      expect(stdout).toBe("apart\nlocal 0\nshared\nforeman 0\n");
      const state = join(world.env["XDG_STATE_HOME"] ?? "", "crowdcompute");
      expect(readdirSync(state).filter((name) => name.startsWith("local-"))).toEqual([]);
      expect(existsSync(join(state, "foreman.db"))).toBe(true);
      await untilNothingIsLeft();
    },
    LONG,
  );

  test(
    "scripts may call it again and again",
    async () => {
      const { stdout } = await script(
        'for i in 1 2 3 4 5; do "$CC" submit -q -- echo $i; done; "$CC" submit --local -q -- echo 6; "$CC" submit -q -- echo 7',
      );
      expect(stdout).toBe("1\n2\n3\n4\n5\n6\n7\n");
      await untilNothingIsLeft();
    },
    LONG,
  );
});
