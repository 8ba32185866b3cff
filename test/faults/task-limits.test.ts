// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts here are shell code
/** Tasks that print, allocate, loop, crash and break things. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { residentMebibytes } from "./hostile/attacked.ts";
import { type Cluster, eventually, type Member, openCluster } from "./support/cluster.ts";
import { count, report, SETUP_MS, SHORT_TIMING, TEST_MS } from "./support/long.ts";

let cluster: Cluster;
let worker: Member;
beforeAll(async () => {
  cluster = await openCluster({ timing: SHORT_TIMING });
  worker = await cluster.worker("w", { slots: 2 });
}, SETUP_MS);
afterAll(() => cluster.close());

interface Row {
  readonly status: string;
  readonly value?: unknown;
  readonly error?: { readonly code: string };
  readonly attempts: number;
  readonly stderr?: string;
}

async function rowsOf(...words: readonly string[]): Promise<readonly Row[]> {
  const run = await cluster.cc(["submit", "-q", "--json", ...words]);
  const lines = run.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

async function onlyRow(...words: readonly string[]): Promise<Row> {
  const [row] = await rowsOf(...words);
  if (row === undefined) throw new Error(`cc submit ${words.join(" ")} gave no row`);
  return row;
}

let fileCount = 0;
const job = (code: string): string => cluster.file(`job-${fileCount++}.ts`, code);

/** How much more memory the process had at most while this went on. */
async function grownMebibytes(pid: number, act: () => Promise<void>): Promise<number> {
  const before = residentMebibytes(pid);
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, residentMebibytes(pid));
  }, 20);
  try {
    await act();
  } finally {
    clearInterval(sampling);
  }
  return most - before;
}

describe("a gigabyte of output", () => {
  const bytes = count(300_000_000, 1_000_000_000);
  const OUTPUT_MEBIBYTES_MAX = 256;
  const pour = `head -c ${bytes} /dev/zero | tr '\\0' x`;

  test(
    "on stdout is kept at the foreman; on stderr, or past the console, only its end is kept",
    async () => {
      const grown = await grownMebibytes(worker.pid, async () => {
        const stdout = await onlyRow("--shell", "--", pour);
        expect(stdout).toMatchObject({ status: "completed", value: null, stdout_bytes: bytes });
        const stderr = await onlyRow("--shell", "--", `${pour} >&2; echo fine`);
        expect(stderr).toMatchObject({ status: "completed", value: "fine\n" });
        expect(stderr.stderr?.length).toBe(64 * 1024);
        const loops = Math.round(bytes / 1e6);
        const printed = `const s = "x".repeat(1e6); for (let i = 0; i < ${loops}; i++) console.log(s);`;
        const console = job(`export default () => { ${printed} return 7; };`);
        expect(await onlyRow(console)).toMatchObject({ status: "completed", value: 7 });
        const written = `const b = Buffer.alloc(1e6, 120); for (let i = 0; i < ${loops}; i++) writeSync(1 + (i % 2), b);`;
        const direct = job(
          `import { writeSync } from "node:fs"; export default () => { ${written} return 8; };`,
        );
        expect(await onlyRow(direct)).toMatchObject({ status: "completed", value: 8 });
      });
      report(`4 x ${bytes / 1e6} MB of output: the worker grew by ${grown.toFixed(0)} MiB at most`);
      expect(grown).toBeLessThan(OUTPUT_MEBIBYTES_MAX);
    },
    TEST_MS,
  );

  test(
    "exactly 8 MiB of stdout are a result, also beside a long stderr, and one byte more is one, too",
    async () => {
      const script =
        "head -c 100000 /dev/zero | tr '\\0' e >&2; head -c 8388608 /dev/zero | tr '\\0' o";
      const row = await onlyRow("--shell", "--", script);
      expect(row.status).toBe("completed");
      expect(String(row.value).length).toBe(8_388_608);
      expect(row.stderr?.length).toBe(64 * 1024);
      const larger = await onlyRow("--shell", "--", "head -c 8388609 /dev/zero | tr '\\0' o");
      expect([larger.status, String(larger.value).length]).toEqual(["completed", 8_388_609]);
    },
    TEST_MS,
  );
});

describe("memory", () => {
  const siblings = async (): Promise<void> => {
    const rows = await rowsOf("--array", "1-4", "--", "sh", "-c", "sleep 0.2; echo $0", "{}");
    expect(rows.map(({ value }) => value)).toEqual(["1\n", "2\n", "3\n", "4\n"]);
  };

  test(
    "beyond --mem ends the task as out_of_memory, its whole tree together, and no sibling",
    async () => {
      const greedy = onlyRow(
        "--mem",
        "150M",
        "--shell",
        "--",
        "tail /dev/zero & tail /dev/zero; wait",
      );
      await siblings();
      expect(await greedy).toMatchObject({ status: "failed", error: { code: "out_of_memory" } });
      const hoard = "const kept = []; for (;;) kept.push(new Uint8Array(2 ** 24).fill(1));";
      const grow = onlyRow("--mem", "300M", job(`export default () => { ${hoard} };`));
      await siblings();
      expect(await grow).toMatchObject({ status: "failed", error: { code: "out_of_memory" } });
      process.kill(worker.pid, 0);
    },
    TEST_MS,
  );

  test(
    "the kernel is offered every process of a task before the worker and the foreman",
    async () => {
      const own = "cat /proc/self/oom_score_adj";
      // The child is there before its parent can have been offered.
      const script = `sh -c 'read _ < go; ${own}; exec ${own}' & sleep 0.3; ${own}; echo > go; wait`;
      const row = await onlyRow("--shell", "--scratch", "--", `mkfifo go; ${script}`);
      expect(row.value).toBe("1000\n1000\n1000\n");
      const read = `import { readFileSync } from "node:fs"; export default () => readFileSync("/proc/self/oom_score_adj", "utf8");`;
      expect((await onlyRow(job(read))).value).toBe("1000\n");
      for (const { pid } of [worker, cluster.foreman]) {
        const score = Number(readFileSync(`/proc/${pid}/oom_score_adj`, "latin1"));
        expect(score).toBeLessThan(1000);
      }
    },
    TEST_MS,
  );

  const group = createMemoryGroup();
  test.skipIf(group === null)(
    "where memory runs out the kernel ends the task, not its worker, and it says so",
    async () => {
      const limited = await cluster.worker("limited", { args: ["--label", "is=limited"] });
      group?.add(limited.pid);
      try {
        const flags = ["--worker-label", "is=limited", "--max-crashes", "1"];
        const row = await onlyRow(...flags, "--shell", "--", "tail /dev/zero; exit $?");
        expect(row.status).toBe("failed");
        const direct = await onlyRow(...flags, "--", "tail", "/dev/zero");
        expect(direct).toMatchObject({ status: "failed", error: { code: "out_of_memory" } });
        expect((await onlyRow(...flags, "--", "echo", "alive")).value).toBe("alive\n");
        process.kill(limited.pid, 0);
      } finally {
        await limited.stop();
        group?.remove();
      }
    },
    TEST_MS,
  );
});

interface MemoryGroup {
  add(pid: number): void;
  remove(): void;
}

/** A control group (version 1 or 2) that gives 500 MiB and no swap; null where none can be made. */
function createMemoryGroup(): MemoryGroup | null {
  const roots = [
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    ["/sys/fs/cgroup", "memory.max"],
  ] as const;
  for (const [root, limit] of roots) {
    const folder = `${root}/cc-test-${process.pid}`;
    try {
      readFileSync(`${root}/cgroup.procs`);
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      writeFileSync(`${folder}/${limit}`, String(500 * 2 ** 20));
      return {
        add: (pid) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
        remove: () => rmdirSync(folder),
      };
    } catch {
      rmdirSync(folder);
    }
  }
  return null;
}

test(
  "an endless loop is ended by its time-out, and its worker is never thought lost",
  async () => {
    const seconds = count(4, 30);
    const flags = ["--timeout", `${seconds}s`];
    const rows = await Promise.all([
      onlyRow(...flags, job("export default () => { while (true) {} };")),
      onlyRow(...flags, "--", "sh", "-c", "while :; do :; done"),
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ status: "failed", attempts: 1, error: { code: "timeout" } });
    }
    expect(worker.stderr()).not.toMatch(/is lost|connected again/);
    expect(cluster.foreman.stderr()).not.toMatch(/worker (is )?lost/);
  },
  TEST_MS,
);

test(
  "a task whose process ends, crashes or closes what it must not never completes",
  async () => {
    const imports = 'import { closeSync, readdirSync, writeSync } from "node:fs";';
    const ends: readonly (readonly [string, RegExp])[] = [
      ["process.exit(0);", /^exited$/],
      ["setTimeout(() => process.exit(0), 5); await new Promise(() => {});", /^exited$/],
      ['process.kill(process.pid, "SIGSEGV"); await new Promise(() => {});', /^signal$/],
    ];
    for (const [code, expected] of ends) {
      const row = await onlyRow(job(`export default async () => { ${code} };`));
      expect({ code, status: row.status }).toEqual({ code, status: "failed" });
      expect(row.error?.code).toMatch(expected);
    }
    // Every descriptor it has, the one over which results go among them. What it returned before its
    // process broke lies in memory that the worker shares, so it may be recorded; nothing else may.
    for (const act of ["closeSync(fd)", "writeSync(fd, Buffer.alloc(64, 255))"]) {
      const code = `for (const fd of readdirSync("/proc/self/fd").map(Number)) { try { ${act}; } catch {} }`;
      const file = job(`${imports} export default () => { ${code} return 1; };`);
      const { status, value, error } = await onlyRow("--timeout", "5s", file);
      if (status === "completed") expect(value).toBe(1);
      else expect(error?.code).toMatch(/^(exited|signal|timeout)$/);
    }
    const commands: readonly (readonly [string, string])[] = [
      ["kill -SEGV $$", "signal"],
      ["kill -KILL $$", "signal"],
      ["exec >&- 2>&-; exit 5", "exit_status"],
    ];
    for (const [script, expected] of commands) {
      const row = await onlyRow("--shell", "--", script);
      expect({ script, code: row.error?.code }).toEqual({ script, code: expected });
    }
    await eventually("the slots are as good as before", async () => {
      return (await onlyRow("--", "echo", "fine")).value === "fine\n";
    });
  },
  TEST_MS,
);
