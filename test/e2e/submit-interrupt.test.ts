// biome-ignore-all lint/suspicious/noTemplateCurlyInString: some texts here are shell code
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServedWorld, jobIdOf, type ServedWorld } from "./submit-support.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld();
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

async function stateOf(jobId: string): Promise<string> {
  const { stdout } = await served.cc(["jobs", jobId, "--json"]);
  return (JSON.parse(stdout) as { state: string }).state;
}

/** Runs a shell line with `cc` on its PATH against this foreman. */
function shell(script: string): { readonly stdout: string; readonly stderr: string } {
  const child = Bun.spawnSync(["/bin/bash", "-c", script], {
    cwd: served.world.folder,
    env: {
      ...served.world.env,
      CC_FOREMAN: served.url,
      BINARY: join(import.meta.dir, "../../dist/cc"),
    },
    timeout: 30_000,
  });
  return { stdout: child.stdout.toString(), stderr: child.stderr.toString() };
}

describe("Ctrl-C", () => {
  test(
    "with all inputs accepted detaches: exit 130, the job goes on, cc wait follows it",
    async () => {
      const running = served.start([
        "submit",
        "--shell",
        "--",
        "echo started >&2; sleep 1; echo done",
      ]);
      await until(async () => /running/.test((await served.cc(["jobs", "last", "--json"])).stdout));
      running.kill("SIGINT");
      const { exitCode, stdout, stderr } = await running.ended;
      expect([exitCode, stdout]).toEqual([130, ""]);
      const jobId = jobIdOf(stderr);
      expect(stderr).toContain(`cc wait ${jobId}`);
      expect(stderr).toContain(`cc cancel ${jobId}`);
      expect((await served.cc(["wait", jobId])).exitCode).toBe(0);
      expect((await served.cc(["results", jobId])).stdout).toBe("done\n");
    },
    LONG,
  );

  test(
    "with inputs still arriving cancels the job",
    async () => {
      served.file(
        "slow.ts",
        "export async function* inputs() { yield 1; await new Promise(() => {}); }\nexport default (x: number) => x;\n",
      );
      const running = served.start(["submit", "slow.ts"]);
      await until(async () => running.stdout() === "1\n");
      running.kill("SIGINT");
      const { exitCode, stderr } = await running.ended;
      expect(exitCode).toBe(130);
      expect(stderr).toMatch(/job \d+ is cancelled: its submitter was interrupted/);
      expect(await stateOf(jobIdOf(stderr))).toBe("cancelled");
    },
    LONG,
  );

  test(
    "with inputs still arriving under a key leaves the job open for the same line",
    async () => {
      served.file(
        "keyed.ts",
        `import { existsSync } from "node:fs";
       export async function* inputs() {
         for (let i = 0; i < 3000; i++) yield i;
         if (!existsSync("go")) await new Promise(() => {});
         for (let i = 3000; i < 5000; i++) yield i;
       }
       export default (x: number) => x;\n`,
      );
      const line = ["submit", "--idempotency-key", "nightly-1", "keyed.ts"];
      const running = served.start(line);
      await until(async () => running.stdout().endsWith("\n2999\n"));
      running.kill("SIGINT");
      const first = await running.ended;
      expect(first.exitCode).toBe(130);
      expect(first.stderr).toContain("type the same line again");
      served.file("go", "");
      const second = await served.cc(line);
      expect(second.exitCode).toBe(0);
      expect(jobIdOf(second.stderr)).toBe(jobIdOf(first.stderr));
      expect(second.stdout === served.shell("seq 0 4999")).toBe(true);
      const third = await served.cc(["submit", "-q", "--retries", "9", ...line.slice(1)]);
      expect(third.exitCode).toBe(2);
      expect(third.stdout).toBe("");
    },
    LONG,
  );

  test(
    "a key given again with more or fewer inputs is refused, and its running job left alone",
    async () => {
      const line = (inputs: string) => [
        ...["submit", "-d", "--idempotency-key", "nightly-2", "--array", inputs],
        ...["--", "sleep", "30"],
      ];
      const jobId = (await served.cc(line("1-3"))).stdout.trim();
      for (const inputs of ["1-4", "1-2", "2-4"]) {
        const other = await served.cc(line(inputs));
        expect([inputs, other.exitCode, other.stdout]).toEqual([inputs, 2, ""]);
        expect(other.stderr).toContain(`This idempotency key belongs to job ${jobId}, which has `);
        expect(other.stderr).not.toContain("is cancelled");
      }
      expect((await served.cc(line("1-3"))).stdout.trim()).toBe(jobId);
      const { stdout } = await served.cc(["jobs", jobId, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({
        inputs_open: false,
        tasks: { total: 3, cancelled: 0 },
      });
      await served.cc(["cancel", jobId]);
    },
    LONG,
  );

  test(
    "of an attached job cancels it, and so does the end of its submitter by SIGKILL",
    async () => {
      const submit = () => served.start(["submit", "--attached", "--", "sleep", "60"]);
      const interrupted = submit();
      await until(async () =>
        /"state":"running"/.test((await served.cc(["jobs", "last", "--json"])).stdout),
      );
      interrupted.kill("SIGINT");
      const { stderr } = await interrupted.ended;
      expect(await stateOf(jobIdOf(stderr))).toBe("cancelled");
      const killed = submit();
      await until(async () =>
        /"state":"running"/.test((await served.cc(["jobs", "last", "--json"])).stdout),
      );
      killed.kill("SIGKILL");
      await killed.ended;
      await until(async () => (await stateOf("last")) === "cancelled");
    },
    LONG,
  );

  test(
    "of cc wait leaves the job alone",
    async () => {
      const { stdout } = await served.cc(["submit", "-d", "-q", "--", "sleep", "30"]);
      const jobId = stdout.trim();
      const waiting = served.start(["wait", jobId, "--progress", "json"]);
      await waiting.untilStderr(/connected_workers/);
      waiting.kill("SIGINT");
      expect((await waiting.ended).exitCode).toBe(130);
      expect(await stateOf(jobId)).toBe("running");
      const late = await served.cc(["wait", jobId, "--wait-timeout", "100ms"]);
      expect(late.exitCode).toBe(124);
      await served.cc(["cancel", jobId]);
    },
    LONG,
  );
});

describe("a closed pipe", () => {
  test(
    "ends the command quietly and leaves the job behind",
    async () => {
      const { stdout, stderr } = shell(
        'seq 1 20000 | "$BINARY" submit --each-line - -n 100 -- echo | head -n 1; echo "${PIPESTATUS[1]}"',
      );
      expect(stdout).toMatch(/^1 2 3 .* 100\n0\n$/);
      expect(stderr).not.toMatch(/cc:|EPIPE/);
      const wait = await served.cc(["wait", "last"]);
      expect(wait.exitCode).toBe(0);
      expect(wait.stderr).toMatch(/200 completed/);
    },
    LONG,
  );
});

describe("a foreman that goes away", () => {
  test(
    "and comes back: the submitter sends the rest and prints every result once",
    async () => {
      const own = await createServedWorld();
      try {
        const port = new URL(own.url).port;
        own.file(
          "stream.ts",
          `import { existsSync } from "node:fs";
         export async function* inputs() {
           for (let i = 0; i < 20000; i++) yield i;
           while (!existsSync("restarted")) await new Promise((r) => setTimeout(r, 20));
           for (let i = 20000; i < 40000; i++) yield i;
         }
         export default (x: number) => x;\n`,
        );
        const submitter = own.start(["submit", "stream.ts"]);
        await until(async () => submitter.stdout().length > 20_000);
        own.foreman.kill("SIGKILL");
        await own.foreman.ended;
        const again = own.world.start(["foreman", "--port", port, "--workers", "2"]);
        await again.untilStderr(/foreman at \S+\n/);
        own.file("restarted", "");
        const { exitCode, stdout } = await submitter.ended;
        expect(stdout === own.shell("seq 0 39999")).toBe(true);
        expect(exitCode).toBe(0);
      } finally {
        await own.close();
      }
    },
    LONG,
  );

  test(
    "is said at once when it was never there",
    async () => {
      const { exitCode, stderr } = await served.cc(["submit", "--", "true"], {
        env: { CC_FOREMAN: "ws://127.0.0.1:1" },
      });
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(/127\.0\.0\.1:1/);
      const look = await served.cc(["results", "1"], { env: { CC_FOREMAN: "ws://127.0.0.1:1" } });
      expect(look.exitCode).toBe(3);
    },
    LONG,
  );
});

describe("cc retry", () => {
  test(
    "queues only what failed, with corrected code, and judges only that",
    async () => {
      const source = (threshold: number) =>
        `export const inputs = [1, 2, 3, 4, 5];
       export default (x: number) => { if (x > ${threshold}) throw new Error("too large: " + x); return x * 10; };
       export const initial = 0;\n`;
      served.file("job.ts", source(3));
      const first = await served.cc(["submit", "job.ts"]);
      expect([first.exitCode, first.stdout]).toEqual([1, "10\n20\n30\n"]);
      const jobId = jobIdOf(first.stderr);
      served.file("fixed.ts", source(4));
      const second = await served.cc(["retry", jobId, "--with", "fixed.ts"]);
      expect([second.exitCode, second.stdout]).toEqual([1, "40\n"]);
      expect(second.stderr).toMatch(/2 tasks again: 1 completed, 1 failed/);
      served.file("fixed.ts", source(9));
      const third = await served.cc(["retry", `${jobId}/4`, "--with", "fixed.ts", "--json"]);
      expect(third.exitCode).toBe(0);
      expect(JSON.parse(third.stdout)).toMatchObject({
        index: 4,
        status: "completed",
        value: 50,
        attempts: 3,
      });
      expect((await served.cc(["results", jobId])).stdout).toBe("10\n20\n30\n40\n50\n");
      const nothing = await served.cc(["retry", jobId]);
      expect([nothing.exitCode, nothing.stdout]).toEqual([0, ""]);
      expect(nothing.stderr).toMatch(/nothing to queue again/);
      const all = await served.cc(["retry", jobId, "--all"]);
      expect(all.stdout).toBe("10\n20\n30\n40\n50\n");
    },
    LONG,
  );

  test(
    "with another command, by code, and with options anew",
    async () => {
      const first = await served.cc([
        "submit",
        "-q",
        "--shell",
        "--name",
        "x",
        "--",
        "exit {}",
        ":::",
        "0",
        "3",
        "4",
      ]);
      expect(first.exitCode).toBe(1);
      const jobId = (
        JSON.parse((await served.cc(["jobs", "last", "--json"])).stdout) as { job_id: number }
      ).job_id;
      const none = await served.cc(["retry", String(jobId), "--where", "code=timeout"]);
      expect(none.stderr).toMatch(/nothing to queue again/);
      const second = await served.cc([
        "retry",
        "-q",
        String(jobId),
        "--where",
        "code=exit_status",
        "--name",
        "renamed",
        "--",
        "echo fixed {}",
      ]);
      expect([second.exitCode, second.stdout]).toEqual([0, "fixed 3\nfixed 4\n"]);
      expect((await served.cc(["jobs", String(jobId), "--json"])).stdout).toContain(
        '"name":"renamed"',
      );
    },
    LONG,
  );

  test(
    "reduces over all tasks of the job",
    async () => {
      const source = (bad: number) =>
        `export const inputs = [1, 2, 3];
       export default (x: number) => { if (x === ${bad}) throw new Error("no"); return x; };
       export const reduce = (total: number, value: number) => total + value;\n`;
      served.file("reduced.ts", source(2));
      const first = await served.cc(["submit", "reduced.ts"]);
      expect([first.exitCode, first.stdout]).toEqual([1, ""]);
      served.file("reduced.ts", source(0));
      const second = await served.cc(["retry", jobIdOf(first.stderr), "--with", "reduced.ts"]);
      expect([second.exitCode, second.stdout]).toEqual([0, "6\n"]);
    },
    LONG,
  );
});

test("a million inputs stream through a submitter of bounded memory", async () => {
  served.shell("mkfifo last");
  const held = `x === "input 999999" && readFileSync(${JSON.stringify(join(served.world.folder, "last"))})`;
  served.file(
    "million.ts",
    `import { readFileSync } from "node:fs";
     export function* inputs() { for (let i = 0; i < 1000000; i++) yield "input " + i; }
     export default (x: string) => { ${held}; return x.length; };\n`,
  );
  const running = served.start(["submit", "-q", "-o", "lengths.txt", "million.ts"]);
  const lineCount = (): number => Number(served.shell("cat lengths.txt* | wc -l"));
  // All but the last are printed; it waits for somebody who writes into the pipe.
  await until(async () => lineCount() === 999_999);
  const status = readFileSync(`/proc/${running.pid}/status`, "utf8");
  served.shell("echo > last");
  expect((await running.ended).exitCode).toBe(0);
  expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1])).toBeWithin(1, 300 * 1024);
  expect(lineCount()).toBe(1_000_000);
}, 120_000);

/** Asks again until it holds; the test's own time-out is the limit. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(20);
}
