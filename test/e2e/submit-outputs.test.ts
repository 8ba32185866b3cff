import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createServedWorld, jobIdOf, type ServedWorld } from "./submit-support.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld();
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;
const read = (name: string): string => readFileSync(join(served.world.folder, name), "utf8");

describe("results", () => {
  test(
    "come in the order of the inputs, though later ones end first",
    async () => {
      const args = ["submit", "-q", "--shell", "--", "sleep 0.{}; echo {}"];
      const inputs = [":::", "6", "4", "2", "1"];
      const ordered = await served.cc([...args, ...inputs]);
      expect(ordered.stdout).toBe("6\n4\n2\n1\n");
      const unordered = await served.cc([
        "submit",
        "-q",
        "--unordered",
        ...args.slice(2),
        ...inputs,
      ]);
      expect(unordered.stdout.split("\n").toSorted()).toEqual(["", "1", "2", "4", "6"]);
      expect(unordered.stdout.startsWith("6")).toBe(false);
    },
    LONG,
  );

  test(
    "checksums of every file of a folder are what sha256sum prints",
    async () => {
      served.shell(
        "mkdir -p files && cd files && for i in $(seq 1 60); do seq 1 $((i * 50)) > \"file $i.txt\"; done; touch 'a\"b' '$(x)'",
      );
      const input = served.shell("ls files | sed 's|^|files/|'");
      const { stdout, exitCode } = await served.cc(["submit", "-q", "-a", "-", "--", "sha256sum"], {
        input,
      });
      expect(exitCode).toBe(0);
      expect(stdout).toBe(
        served.shell("ls files | sed 's|^|files/|' | tr '\\n' '\\0' | xargs -0 -n1 sha256sum"),
      );
    },
    LONG,
  );

  test(
    "a command's bytes are passed on untouched, also a large output",
    async () => {
      served.shell("head -c 3000000 /dev/urandom > random.bin");
      const { stdoutBytes } = await served.cc(["submit", "-q", "--", "cat", "random.bin"]);
      expect(
        Buffer.compare(stdoutBytes, readFileSync(join(served.world.folder, "random.bin"))),
      ).toBe(0);
    },
    LONG,
  );

  test(
    "stdout and stderr of a command stay apart, also of a failed one",
    async () => {
      const { stdout, stderr, exitCode } = await served.cc([
        "submit",
        "-q",
        "--shell",
        "--",
        "echo out{}; echo err{} >&2; exit {}",
        ":::",
        "0",
        "3",
      ]);
      expect({ stdout, stderr, exitCode }).toEqual({
        stdout: "out0\nout3\n",
        stderr: "err0\nerr3\n",
        exitCode: 1,
      });
    },
    LONG,
  );

  test(
    "--format jsonl and csv say how each task ended",
    async () => {
      const command = ["--shell", "--", "echo out{}; exit {}", ":::", "0", "3"];
      const jsonl = await served.cc(["submit", "-q", "--json", ...command]);
      const rows = jsonl.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(rows).toMatchObject([
        {
          index: 0,
          status: "completed",
          value: "out0\n",
          attempts: 1,
          exit_code: 0,
          signal: null,
          stdout: "out0\n",
          stderr: "",
        },
        {
          index: 1,
          status: "failed",
          error: { code: "exit_status" },
          exit_code: 3,
          stdout: "out3\n",
        },
      ]);
      const csv = await served.cc(["submit", "-q", "--format", "csv", ...command]);
      const [header, ...lines] = csv.stdout.split("\r\n");
      expect(header).toBe(
        "index,status,value,error_code,error_message,attempts,run_seconds,worker,exit_code,signal,stdout,stderr",
      );
      expect(lines[0]).toMatch(/^0,completed,"out0\n",,,1,[\d.e-]+,[^,]+,0,,"out0\n",$/);
      expect(lines[1]).toMatch(
        /^1,failed,"out3\n",exit_status,[^,]*,1,[\d.e-]+,[^,]+,3,,"out3\n",$/,
      );
    },
    LONG,
  );

  test(
    "values of a function: strings raw, the rest as JSON, what JSON lacks with tags",
    async () => {
      served.file(
        "kinds.ts",
        `export const inputs = [0, 1, 2, 3, 4, 5];
       const values = ["raw \\"text\\"", { a: [1, null] }, undefined, 12n, new Uint8Array([104, 105, 10]), new Map([["k", new Date(0)]])];
       export default (i: number) => values[i];\n`,
      );
      const { stdout } = await served.cc(["submit", "-q", "kinds.ts"]);
      expect(stdout).toBe(
        'raw "text"\n{"a":[1,null]}\n{"$bigint":"12"}\nhi\n{"$map":[["k",{"$date":"1970-01-01T00:00:00.000Z"}]]}\n',
      );
      const jsonl = await served.cc(["submit", "-q", "--json", "kinds.ts"]);
      const values = jsonl.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { value: unknown }).value);
      expect(values).toEqual([
        'raw "text"',
        { a: [1, null] },
        { $undefined: true },
        { $bigint: "12" },
        { $bytes: "aGkK" },
        { $map: [["k", { $date: "1970-01-01T00:00:00.000Z" }]] },
      ]);
    },
    LONG,
  );

  test(
    "-o writes one file, or with a placeholder one a task; --tag names the input of each line",
    async () => {
      const one = await served.cc(["submit", "-q", "-o", "all.txt", "--", "echo", ":::", "a", "b"]);
      expect(one.stdout).toBe("");
      expect(read("all.txt")).toBe("a\nb\n");
      await served.cc([
        "submit",
        "-q",
        "-o",
        "each/{/.}-{#}.out",
        "--",
        "echo",
        ":::",
        "d/a.x",
        "d/b.y",
      ]);
      expect(readdirSync(join(served.world.folder, "each")).toSorted()).toEqual([
        "a-1.out",
        "b-2.out",
      ]);
      expect(read("each/b-2.out")).toBe("d/b.y\n");
      const tagged = await served.cc([
        "submit",
        "-q",
        "--tag",
        "--shell",
        "--",
        "echo 1; printf 2",
        ":::",
        "a b",
        "c",
      ]);
      expect(tagged.stdout).toBe("a b\t1\na b\t2\nc\t1\nc\t2\n");
    },
    LONG,
  );

  test(
    "reduce prints its one value; with a failed task nothing, unless --partial",
    async () => {
      served.file(
        "sum.ts",
        `export function* inputs() { for (let i = 1; i <= 1000; i++) yield i; }
       export default (x: number, ctx: { metadata: Record<string, string> }) => {
         if (ctx.metadata.bad === String(x)) throw new Error("bad " + x);
         return x;
       };
       export const initial = 0;
       export const reduce = (total: number, value: number, index: number) => {
         if (value !== index + 1) throw new Error("out of order");
         return total + value;
       };\n`,
      );
      const whole = await served.cc(["submit", "sum.ts"]);
      expect([whole.exitCode, whole.stdout]).toEqual([0, "500500\n"]);
      const failed = await served.cc(["submit", "-q", "--metadata", "bad=7", "sum.ts"]);
      expect([failed.exitCode, failed.stdout]).toEqual([1, ""]);
      const partial = await served.cc([
        "submit",
        "-q",
        "--partial",
        "--metadata",
        "bad=7",
        "sum.ts",
      ]);
      expect([partial.exitCode, partial.stdout]).toEqual([1, "500493\n"]);
      const jobId = jobIdOf(whole.stderr);
      expect((await served.cc(["results", jobId, "--reduce"])).stdout).toBe("500500\n");
      expect((await served.cc(["wait", jobId, "--reduce"])).stdout).toBe("500500\n");
    },
    LONG,
  );
});

describe("the end of a job", () => {
  test(
    "is said on stderr with groups and what to type, and nothing under -q",
    async () => {
      served.file(
        "fails.ts",
        "export const inputs = [1, 2, 3, 4];\nexport default (x: number) => {\n  if (x % 2 === 0) throw new Error('no good: ' + x);\n  return x;\n};\n",
      );
      const { exitCode, stdout, stderr } = await served.cc(["submit", "fails.ts"]);
      expect([exitCode, stdout]).toEqual([1, "1\n3\n"]);
      const jobId = jobIdOf(stderr);
      expect(stderr).toMatch(new RegExp(`^task ${jobId}/1 failed: error: no good: 2\n`));
      expect(stderr).toMatch(/job \d+ failed: 2 completed, 2 failed, \S+\n/);
      expect(stderr).toMatch(/ {2}2x error: no good: 2 \(fails\.ts:3:\d+\) \d+\/1\n/);
      expect(stderr).toContain(
        `next: cc tasks ${jobId} --state failed · cc logs ${jobId} --failed · cc try ${jobId}/1 · cc retry ${jobId}\n`,
      );
      const quiet = await served.cc(["submit", "-q", "fails.ts"]);
      expect(quiet.stderr).toBe("");
    },
    LONG,
  );

  test(
    "a failed command's message is its last line on stderr",
    async () => {
      const { stderr } = await served.cc([
        "submit",
        "--shell",
        "--",
        "echo first >&2; echo 'the reason' >&2; echo >&2; exit 4",
      ]);
      expect(stderr).toMatch(/1x exit_status: the reason \d+\/0/);
    },
    LONG,
  );

  test(
    "--progress json ends with an object",
    async () => {
      const { stderr } = await served.cc(["submit", "--progress", "json", "--", "true"]);
      const last = stderr.trim().split("\n").at(-1) ?? "";
      expect(JSON.parse(last)).toMatchObject({
        schema: "crowdcompute/v1",
        state: "completed",
        completed: 1,
        failed: 0,
      });
    },
    LONG,
  );

  test(
    "-d prints the id alone, or as an object; wait judges later",
    async () => {
      const plain = await served.cc(["submit", "-d", "--", "false"]);
      expect(plain.stdout).toMatch(/^\d+\n$/);
      expect(plain.exitCode).toBe(0);
      const json = await served.cc(["submit", "-d", "--json", "--", "true"]);
      const { schema, job_id: jobId } = JSON.parse(json.stdout) as {
        schema: string;
        job_id: number;
      };
      expect(schema).toBe("crowdcompute/v1");
      const wait = await served.cc(["wait", plain.stdout.trim(), String(jobId)]);
      expect([wait.exitCode, wait.stdout]).toEqual([1, ""]);
      expect((await served.cc(["wait", "-q", String(jobId)])).exitCode).toBe(0);
      expect((await served.cc(["wait", "424242"])).exitCode).toBe(2);
    },
    LONG,
  );

  test(
    "jobs wait for others with --after",
    async () => {
      const first = (await served.cc(["submit", "-d", "-q", "--", "sleep", "0.3"])).stdout.trim();
      const second = await served.cc(["submit", "-q", "--after", first, "--", "echo", "then"]);
      expect(second.stdout).toBe("then\n");
      const failing = (await served.cc(["submit", "-d", "-q", "--", "false"])).stdout.trim();
      const third = await served.cc(["submit", "--after", failing, "--", "echo", "never"]);
      expect([third.exitCode, third.stdout]).toEqual([1, ""]);
      expect(third.stderr).toMatch(/job \d+ cancelled: 0 completed, 1 cancelled/);
    },
    LONG,
  );
});

describe("cc results", () => {
  test(
    "prints what is settled in input order, skips holes and says that the job still runs",
    async () => {
      const submitted = await served.cc([
        "submit",
        "-d",
        "-q",
        "--shell",
        "--",
        "sleep {}; echo {}",
        ":::",
        "0",
        "5",
        "0.1",
      ]);
      const jobId = submitted.stdout.trim();
      let found = await served.cc(["results", jobId]);
      for (let tries = 0; tries < 50 && found.stdout !== "0\n0.1\n"; tries++)
        found = await served.cc(["results", jobId]);
      expect([found.exitCode, found.stdout]).toEqual([0, "0\n0.1\n"]);
      expect(found.stderr).toMatch(/has not ended: 2 of 3 tasks are settled/);
      await served.cc(["cancel", jobId]);
    },
    LONG,
  );

  test(
    "-f follows to the end; formats, files and tags work later too",
    async () => {
      const submitted = await served.cc([
        "submit",
        "-d",
        "-q",
        "--shell",
        "--",
        "sleep 0.{}; echo {}",
        ":::",
        "5",
        "1",
      ]);
      const jobId = submitted.stdout.trim();
      expect((await served.cc(["results", jobId, "-f"])).stdout).toBe("5\n1\n");
      expect((await served.cc(["results", jobId, "--tag"])).stdout).toBe("5\t5\n1\t1\n");
      expect((await served.cc(["results", jobId, "--unordered"])).stdout).toBe("1\n5\n");
      await served.cc(["results", jobId, "-o", "later/{}.txt"]);
      expect(read("later/5.txt")).toBe("5\n");
      const json = await served.cc(["results", "last", "--json"]);
      expect(
        json.stdout
          .trim()
          .split("\n")
          .map((line) => (JSON.parse(line) as { index: number }).index),
      ).toEqual([0, 1]);
    },
    LONG,
  );
});
