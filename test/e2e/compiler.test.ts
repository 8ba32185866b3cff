/** Our `cc` stands first on PATH, the C compiler behind it: whose call is it, and does a build notice us? */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BINARY, createWorld, type World } from "../support/binary.ts";

let world: World;
let ours: string;

beforeAll(async () => {
  world = await createWorld();
  ours = join(dirname(world.folder), "ours");
  mkdirSync(ours);
  symlinkSync(BINARY, join(ours, "cc"));
});
afterAll(() => world.close());

/** A folder whose `cc` is this shell script. */
function fakeCompiler(name: string, script: string): string {
  const folder = join(dirname(world.folder), name);
  mkdirSync(folder);
  writeFileSync(join(folder, "cc"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "cc"), 0o755);
  return folder;
}

const behind = (...folders: string[]) => ({
  env: { PATH: [ours, ...folders, world.env["PATH"]].join(":") },
});

describe("calls that are ours", () => {
  test("no argument, -h and --help print the verbs on stdout", async () => {
    for (const args of [[], ["-h"], ["--help"]]) {
      const run = await world.cc(args);
      expect(run.stdout).toContain("Usage: cc VERB [options]");
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    }
  });

  test("cc version tells version and platform, as JSON too", async () => {
    expect((await world.cc(["version"])).stdout).toMatch(/^crowdcompute \d+\.\d+\.\d+ \(.*bun /);
    expect(JSON.parse((await world.cc(["version", "--json"])).stdout)).toMatchObject({
      schema: "crowdcompute/v1",
    });
    expect((await world.cc(["--json", "version"])).stdout).toStartWith("{");
  });

  test("a mistyped verb ends with 2 and the nearest one", async () => {
    const run = await world.cc(["sumbit"], behind(fakeCompiler("typo", "echo compiled")));
    expect(run.stderr).toBe('cc: There is no verb "sumbit".\nhint: Did you mean cc submit?\n');
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  test("habits from other programs are answered with the verb that does it here", async () => {
    const answers = {
      ls: "jobs",
      ps: "jobs",
      status: "jobs",
      "job-list": "jobs",
      kill: "cancel",
      run: "submit",
      log: "logs",
    };
    for (const [word, verb] of Object.entries(answers)) {
      const run = await world.cc([word], behind());
      expect(run.stderr).toBe(
        `cc: There is no verb "${word}"; here it is "${verb}".\nhint: cc ${verb} --help\n`,
      );
      expect(run.exitCode).toBe(2);
    }
  });

  test("a job file without its verb is answered with the line to type", async () => {
    const run = await world.cc(["job.ts"], behind());
    expect(run.stderr).toContain("hint: cc submit job.ts");
    expect(run.exitCode).toBe(2);
  });

  test("an error is one JSON object on stderr with --json", async () => {
    const run = await world.cc(["version", "--json", "--nope"]);
    expect(JSON.parse(run.stderr)).toMatchObject({ code: "unknown_option", retryable: false });
    expect(run.exitCode).toBe(2);
  });

  test("the name crowdcompute never calls a compiler", async () => {
    const options = {
      ...behind(fakeCompiler("unwanted", "echo compiled")),
      program: join(dirname(BINARY), "crowdcompute"),
    };
    for (const args of [["-c", "x.c"], ["x.c"], ["@file"]]) {
      const run = await world.cc(args, options);
      expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 2, stdout: "" });
    }
    expect((await world.cc(["--version"], options)).stdout).toStartWith("crowdcompute ");
  });
});

describe("calls that are the compiler's", () => {
  test("arguments, exit code and name reach it unchanged", async () => {
    const folder = fakeCompiler(
      "echo",
      'echo "$0"; for word in "$@"; do echo "[$word]"; done; exit 7',
    );
    const run = await world.cc(["-c", "a b.c", "", "-D$(x)='y'", "--", "submit"], behind(folder));
    expect(run.stdout).toBe(
      `${join(folder, "cc")}\n[-c]\n[a b.c]\n[]\n[-D$(x)='y']\n[--]\n[submit]\n`,
    );
    expect(run.exitCode).toBe(7);
  });

  test("a response file, a source file, an existing bare name and an unknown long option are calls of it", async () => {
    const options = behind(fakeCompiler("any", 'echo "compiled $1"'));
    writeFileSync(join(world.folder, "program"), "");
    for (const word of [
      "@args",
      "x.c",
      "lib/x.o",
      "program",
      "-",
      "-v",
      "--sysroot=/x",
      "--version",
    ]) {
      expect((await world.cc([word], options)).stdout).toBe(`compiled ${word}\n`);
    }
  });

  test("standard input and output are the compiler's own", async () => {
    const run = await world.cc(["-E", "-"], {
      ...behind(fakeCompiler("cat", "cat")),
      input: "int x;\n",
    });
    expect(run.stdout).toBe("int x;\n");
  });

  test("a signal to us is a signal to it, for the process is replaced", async () => {
    const child = world.start(
      ["-c"],
      behind(fakeCompiler("sleep", "echo ready >&2; exec sleep 30")),
    );
    await child.untilStderr(/ready/);
    child.kill("SIGTERM");
    expect((await child.ended).signal).toBe("SIGTERM");
  });

  test("copies, links and other names of ours on PATH are skipped", async () => {
    const copies = join(dirname(world.folder), "copies");
    mkdirSync(copies);
    copyFileSync(BINARY, join(copies, "cc"));
    const run = await world.cc(["-c"], behind(copies, ours, fakeCompiler("last", "echo last")));
    expect(run.stdout).toBe("last\n");
  });

  test("a wrapper that calls cc on PATH again makes no loop", async () => {
    const wrapper = fakeCompiler("wrapper", 'echo wrapped; exec cc "$@"');
    const run = await world.cc(["-c"], behind(wrapper, fakeCompiler("real", "echo real")));
    expect(run.stdout).toBe("wrapped\nreal\n");
    const alone = await world.cc(["-c"], behind(wrapper));
    expect(alone.stdout).toBe("wrapped\n");
    expect(alone.stderr).toContain("already tried");
    expect(alone.exitCode).toBe(2);
  });

  test("without another cc one line says how to get out of the way", async () => {
    const run = await world.cc(["-o", "x", "x.c"], behind());
    expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(run.stderr).toContain("set CC=gcc");
    expect(run.exitCode).toBe(2);
    expect((await world.cc(["--version"], behind())).stdout).toStartWith("crowdcompute ");
  });

  test("a compiler piped into a reader that stops dies of SIGPIPE as it would alone", async () => {
    const folder = fakeCompiler("pipe", "grep SigIgn /proc/self/status");
    const run = await world.cc(["-E"], behind(folder));
    const ignored = BigInt(`0x${run.stdout.trim().split(/\s+/)[1]}`);
    const SIGPIPE_BIT = 1n << 12n;
    expect(ignored & SIGPIPE_BIT).toBe(0n);
  });
});

// Needs a real C compiler; `.ci/run` installs one.
describe.if(existsSync("/usr/bin/gcc") && existsSync("/usr/bin/make"))(
  "with a real compiler behind us",
  () => {
    const real = () => {
      const folder = join(dirname(world.folder), "gcc");
      if (!existsSync(folder)) {
        mkdirSync(folder);
        symlinkSync("/usr/bin/gcc", join(folder, "cc"));
      }
      return { ...behind(folder), timeoutMs: 60_000 };
    };

    test("cc compiles, links and reports errors as gcc does", async () => {
      writeFileSync(
        join(world.folder, "hello.c"),
        '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n',
      );
      expect(await world.cc(["-c", "hello.c", "-o", "hello.o"], real())).toMatchObject({
        exitCode: 0,
        stderr: "",
      });
      expect(await world.cc(["hello.o", "-o", "hello"], real())).toMatchObject({
        exitCode: 0,
        stderr: "",
      });
      expect(Bun.spawnSync([join(world.folder, "hello")]).stdout.toString()).toBe("hello\n");
      const broken = await world.cc(["absent.c"], real());
      expect(broken.stderr).toContain("absent.c: No such file or directory");
      expect(broken.exitCode).toBe(1);
    });

    test("make builds a program of two files with our cc first on PATH", async () => {
      writeFileSync(
        join(world.folder, "main.c"),
        '#include <stdio.h>\nint twice(int);\nint main(void) { printf("%d\\n", twice(21)); return 0; }\n',
      );
      writeFileSync(join(world.folder, "twice.c"), "int twice(int x) { return 2 * x; }\n");
      writeFileSync(join(world.folder, "Makefile"), "answer: main.o twice.o\n\t$(CC) -o $@ $^\n");
      const make = await world.cc(["-j2", "-s"], { ...real(), program: "/usr/bin/make" });
      expect({ exitCode: make.exitCode, stderr: make.stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(Bun.spawnSync([join(world.folder, "answer")]).stdout.toString()).toBe("42\n");
      expect(readFileSync(join(world.folder, "main.o")).length).toBeGreaterThan(0);
    });
  },
);
