import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServedWorld, type ServedWorld } from "./submit-support.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld();
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

describe("inputs of a command", () => {
  test(
    "--each-line gives what xargs gives, in the order of the lines",
    async () => {
      const names = [
        "plain",
        "two words",
        "it's",
        '"quoted"',
        "$(touch broken)",
        "`id`",
        "a;b",
        "*",
        "-n x",
        "ünï 🚀",
        "",
      ];
      served.file("names.txt", `${names.join("\n")}\n`);
      const { stdout, exitCode } = await served.cc([
        "submit",
        "-q",
        "--each-line",
        "names.txt",
        "--",
        "printf",
        "<%s>\n",
        "{}",
      ]);
      expect(exitCode).toBe(0);
      expect(stdout).toBe(names.map((name) => `<${name}>\n`).join(""));
      expect(served.shell("ls broken 2>/dev/null || true")).toBe("");
    },
    LONG,
  );

  test(
    "--each-line - with --null takes what find -print0 gives",
    async () => {
      served.shell("mkdir -p tree && cd tree && touch 'new\nline' 'sp ace' -- '-dash'");
      const input = served.shell("find tree -type f -print0 | sort -z");
      const { stdout } = await served.cc(["submit", "-q", "-0", "-a", "-", "--", "sha256sum"], {
        input,
      });
      expect(stdout).toBe(
        served.shell("find tree -type f -print0 | sort -z | xargs -0 -n1 sha256sum"),
      );
    },
    LONG,
  );

  test(
    "--array counts, and chunks become arguments",
    async () => {
      const { stdout } = await served.cc([
        "submit",
        "-q",
        "--array",
        "1-1000:3",
        "-n",
        "50",
        "--",
        "echo",
      ]);
      expect(stdout).toBe(served.shell("seq 1 3 1000 | xargs -n 50 echo"));
    },
    LONG,
  );

  test(
    "--each-csv names fields, --each-json too",
    async () => {
      served.file("people.csv", 'name,size\nann,1\n"o\'neil, bob",2\n');
      const csv = await served.cc([
        "submit",
        "-q",
        "--each-csv",
        "people.csv",
        "--",
        "echo",
        "{name}={size}",
      ]);
      expect(csv.stdout).toBe("ann=1\no'neil, bob=2\n");
      const input = '{"name":"a","tags":[1,2]}\n{"name":"b","tags":[]}\n';
      const json = await served.cc(
        ["submit", "-q", "--each-json", "-", "--", "echo", "{name}:{tags}"],
        { input },
      );
      expect(json.stdout).toBe("a:[1,2]\nb:[]\n");
    },
    LONG,
  );

  test(
    "::: lists make their product",
    async () => {
      const { stdout } = await served.cc([
        "submit",
        "-q",
        "--",
        "echo",
        "{1.}-{2}",
        ":::",
        "a.png",
        "b.png",
        ":::",
        "64",
        "128",
      ]);
      expect(stdout).toBe("a-64\na-128\nb-64\nb-128\n");
    },
    LONG,
  );

  test(
    "path forms and numbers",
    async () => {
      const { stdout } = await served.cc([
        "submit",
        "-q",
        "--",
        "echo",
        "{} {.} {/} {//} {/.} {#}",
        ":::",
        "dir/a.tar.gz",
        "b",
      ]);
      expect(stdout).toBe("dir/a.tar.gz dir/a.tar a.tar.gz dir a.tar 1\nb b b . b 2\n");
    },
    LONG,
  );

  test(
    "--stdin gives the lines back as they were",
    async () => {
      served.file("text.txt", "one\n two  words \n\nlast");
      const { stdout } = await served.cc([
        "submit",
        "-q",
        "--each-line",
        "text.txt",
        "--stdin",
        "--",
        "cat",
      ]);
      expect(stdout).toBe("one\n two  words \n\nlast\n");
    },
    LONG,
  );

  test(
    "--shell quotes values wherever they stand",
    async () => {
      const input = "a b\n$(touch broken)\nit's\n";
      const { stdout } = await served.cc(
        [
          "submit",
          "-q",
          "--shell",
          "-a",
          "-",
          "--",
          "printf '<%s>' \"{}\" '{}' {} | tr a-z A-Z; echo",
        ],
        { input },
      );
      const expected = input
        .trimEnd()
        .split("\n")
        .map((line) => `<${line}>`.repeat(3).toUpperCase());
      expect(stdout).toBe(`${expected.join("\n")}\n`);
      expect(served.shell("ls broken 2>/dev/null || true")).toBe("");
    },
    LONG,
  );

  test(
    "-I renames {}, which is then text",
    async () => {
      const { stdout } = await served.cc([
        "submit",
        "-q",
        "-I",
        "@",
        "--",
        "echo",
        "{}",
        "@",
        ":::",
        "x",
        "y",
      ]);
      expect(stdout).toBe("{} x\n{} y\n");
    },
    LONG,
  );

  test(
    "--head, --cwd, --env and --scratch",
    async () => {
      served.shell("mkdir -p sub");
      const head = await served.cc([
        "submit",
        "-q",
        "--array",
        "1-100000000",
        "--head",
        "3",
        "--",
        "echo",
      ]);
      expect(head.stdout).toBe("1\n2\n3\n");
      const cwd = await served.cc([
        "submit",
        "-q",
        "--cwd",
        "sub",
        "--env",
        "A=1 {}",
        "--env",
        "LANG",
        "--shell",
        "--",
        "echo $(basename $PWD) $A {}",
        ":::",
        "x",
      ]);
      expect(cwd.stdout).toBe("sub 1 x x\n");
      const scratch = await served.cc([
        "submit",
        "-q",
        "--scratch",
        "--shell",
        "--",
        "ls | wc -l; touch x; ls",
      ]);
      expect(scratch.stdout.trim().split(/\s+/)).toEqual(["0", "x"]);
    },
    LONG,
  );
});

describe("inputs of a job file", () => {
  test(
    "squares of a hundred thousand numbers, byte for byte what awk computes",
    async () => {
      served.file("squares.ts", "export default (x: number) => x * x;\n");
      const { stdout, exitCode } = await served.cc([
        "submit",
        "-q",
        "--array",
        "1-100000",
        "squares.ts",
      ]);
      expect(exitCode).toBe(0);
      // mawk's %d ends at 2^31.
      const expected = served.shell("seq 1 100000 | awk '{printf \"%.0f\\n\", $1*$1}'");
      expect(stdout === expected).toBe(true);
    },
    LONG,
  );

  test(
    "its own inputs: array, generator, async generator, function of the arguments",
    async () => {
      const task = "export default (x: unknown) => x;\n";
      const forms: readonly (readonly [string, string])[] = [
        ["array.ts", "export const inputs = ['a', 'b'];"],
        ["set.ts", "export const inputs = new Set(['a', 'b']);"],
        ["generator.ts", "export function* inputs(args: string[]) { yield* args; }"],
        [
          "async.ts",
          "export async function* inputs(args: string[]) { for (const a of args) yield await Promise.resolve(a); }",
        ],
        ["function.ts", "export const inputs = (args: string[]) => args;"],
      ];
      for (const [name, source] of forms) {
        served.file(name, `${source}\n${task}`);
        const args = source.includes("args") ? ["--", "a", "b"] : [];
        const { stdout, stderr } = await served.cc(["submit", "-q", name, ...args]);
        expect(`${name}: ${stdout}${stderr}`).toBe(`${name}: a\nb\n`);
      }
    },
    LONG,
  );

  test(
    "options stand before or after the file, and words behind -- are the file's",
    async () => {
      served.file(
        "echo.ts",
        "export const inputs = (args: string[]) => [args];\nexport default (x: unknown) => x;\n",
      );
      const before = await served.cc([
        "submit",
        "-q",
        "--name",
        "n",
        "echo.ts",
        "--",
        "--name",
        "-x",
      ]);
      const after = await served.cc([
        "submit",
        "echo.ts",
        "-q",
        "--name",
        "n",
        "--",
        "--name",
        "-x",
      ]);
      expect(before.stdout).toBe('["--name","-x"]\n');
      expect(after.stdout).toBe(before.stdout);
    },
    LONG,
  );

  test(
    "chunks are arrays, --input is one value, and sources replace the file's own",
    async () => {
      served.file("own.ts", "export const inputs = ['own'];\nexport default (x: unknown) => x;\n");
      const run = async (...args: string[]) =>
        (await served.cc(["submit", "-q", ...args, "own.ts"])).stdout;
      expect(await run("--array", "1-5", "-n", "2")).toBe("[1,2]\n[3,4]\n[5]\n");
      expect(await run("--input", '{"a":[1,{"$date":"2026-01-02T03:04:05.000Z"}]}')).toBe(
        '{"a":[1,{"$date":"2026-01-02T03:04:05.000Z"}]}\n',
      );
      expect(await run()).toBe("own\n");
    },
    LONG,
  );

  test(
    "console output of the file goes to stderr while it runs in the submitter",
    async () => {
      served.file(
        "chatty.ts",
        "console.log('top');\nexport function* inputs() { console.log('inputs'); yield 1; }\nexport default (x: number) => x;\n",
      );
      const { stdout, stderr } = await served.cc(["submit", "chatty.ts"]);
      expect(stdout).toBe("1\n");
      expect(stderr).toContain("top\n");
      expect(stderr).toContain("inputs\n");
    },
    LONG,
  );
});

describe("wrong at once: exit 2, a sentence, and nothing submitted", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["a missing job file", ["nowhere.ts"], /nowhere\.ts/],
    [
      "a missing input file",
      ["--each-line", "nowhere.txt", "--", "echo"],
      /--each-line nowhere\.txt: there is no such file/,
    ],
    ["two sources", ["--array", "1-2", "--input", "1", "--", "echo"], /both --array and --input/],
    ["a bad range", ["--array", "5-1", "--", "echo"], /--array: "5-1"/],
    ["no inputs at all", ["--each-line", "-", "--", "echo"], /has no inputs/],
    ["nothing to run", [], /needs a job file or a command/],
    ["a command without --", ["echo"], /cc submit -- echo/],
    ["an unknown flag", ["--retrys", "1", "--", "echo"], /--retries/],
    ["a bad duration", ["--timeout", "5", "--", "echo"], /--timeout/],
    ["a job that does not exist", ["--after", "999999", "--", "echo"], /no job 999999/],
    ["a flag of commands with a job file", ["--stdin", "own2.ts"], /--stdin is for commands/],
    ["detached and attached", ["-d", "--attached", "--", "echo"], /--attached/],
    [
      "a tag beside JSON",
      ["--tag", "--json", "--", "echo", ":::", "a"],
      /--tag is for --format value/,
    ],
  ];
  for (const [name, args, message] of cases) {
    test(
      name,
      async () => {
        served.file("own2.ts", "export default () => 1;\n");
        const { exitCode, stdout, stderr } = await served.cc(["submit", ...args], { input: "" });
        expect(stderr).toMatch(message);
        expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      },
      LONG,
    );
  }

  test(
    "a line that is not UTF-8, with its number",
    async () => {
      served.file("latin1.txt", Buffer.from([0x61, 0x0a, 0xe9, 0x0a]));
      const { exitCode, stderr } = await served.cc([
        "submit",
        "--each-line",
        "latin1.txt",
        "--",
        "echo",
      ]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("line 2 is not UTF-8");
    },
    LONG,
  );

  test(
    "an input that cannot be carried, with its path",
    async () => {
      served.file(
        "bad-input.ts",
        "export const inputs = [1, { rows: [{ f: () => 1 }] }];\nexport default () => 1;\n",
      );
      const { exitCode, stderr } = await served.cc(["submit", "bad-input.ts"]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/Input 1: The value at \.rows\[0\]\.f is a function/);
    },
    LONG,
  );

  test(
    "inputs that fail later cancel the job and name it",
    async () => {
      served.file(
        "breaks.ts",
        "export function* inputs() { for (let i = 0; i < 100000; i++) yield i; throw new Error('broken'); }\nexport default (x: number) => x;\n",
      );
      const { exitCode, stderr } = await served.cc(["submit", "breaks.ts"]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/breaks\.ts:1:\d+: inputs threw after 100000 inputs: .*broken/);
      const [, jobId] = /job (\d+) is cancelled/.exec(stderr) ?? [];
      expect(jobId).toBeDefined();
      const { stdout } = await served.cc(["jobs", jobId as string, "--json"]);
      expect(JSON.parse(stdout)).toMatchObject({ state: "cancelled" });
    },
    LONG,
  );
});
