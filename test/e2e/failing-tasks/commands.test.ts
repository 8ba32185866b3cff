import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServedWorld, type ServedWorld } from "../submit-support.ts";
import { type BadCommand, expectFailure, parseRows, runBadCommand } from "./bad-task.ts";
import { untilGone, untilThere } from "./process-list.ts";

let served: ServedWorld;
beforeAll(async () => {
  served = await createServedWorld(1, ["--output-size", "32M"]);
}, 180_000);
afterAll(() => served.close());

const LONG = 60_000;

const failing = (bad: BadCommand, code: string, message: string | RegExp) =>
  expectFailure(runBadCommand(served, bad), code, message);

describe("a command that fails fails alone", () => {
  test(
    "with its status, what it printed, and the last line of its stderr as message",
    async () => {
      const row = await failing(
        { script: "echo partial; echo first >&2; echo no such row >&2; echo >&2; exit 3" },
        "exit_status",
        "no such row",
      );
      expect(row).toMatchObject({
        exit_code: 3,
        signal: null,
        stdout: "partial\n",
        stderr: "first\nno such row\n\n",
      });
      await failing({ script: "exit 9" }, "exit_status", "The command ended with status 9.");
    },
    LONG,
  );

  test(
    "with its signal, also where it meant its whole group",
    async () => {
      const row = await failing(
        { script: "echo partial; kill -SEGV $$" },
        "signal",
        "The command was ended by SIGSEGV.",
      );
      expect(row).toMatchObject({ exit_code: null, signal: "SIGSEGV", stdout: "partial\n" });
      await failing({ script: "kill -TERM 0; sleep 5" }, "signal", /SIGTERM/);
    },
    LONG,
  );

  test(
    "with closed output, and with none",
    () => failing({ script: "exec >&- 2>&-; exit 5" }, "exit_status", /status 5/),
    LONG,
  );

  test(
    "by --timeout, also when it ignores SIGTERM",
    async () => {
      const flags = ["--timeout", "300ms"];
      const MESSAGE = "The command ran longer than its time-out of 0.3 s.";
      const kind = await failing(
        { script: "echo partial; sleep 321.1", flags },
        "timeout",
        MESSAGE,
      );
      expect(kind).toMatchObject({ signal: "SIGTERM", stdout: "partial\n" });
      await untilGone("sleep 321.1");
      const stubborn = "trap '' TERM; while :; do sleep 0.1; done";
      const row = await failing({ script: stubborn, flags }, "timeout", MESSAGE);
      expect(row.signal).toBe("SIGKILL");
      expect(row.run_seconds).toBeWithin(5, 9);
    },
    LONG,
  );

  test(
    "by more memory than --mem",
    () =>
      failing(
        { script: "exec tail /dev/zero", flags: ["--mem", "100M"] },
        "out_of_memory",
        "The command used more memory than the 100 MiB it asked for.",
      ),
    LONG,
  );

  test(
    "by an endless stdout, which is larger than what the foreman keeps, and leaves nothing running",
    async () => {
      const MESSAGE =
        "The command's stdout is too large for what is left of the 32 MiB that the foreman keeps of such outputs (cc foreman --output-size); cc rm and cc gc make room.";
      await failing({ script: "exec yes endless" }, "result_too_large", MESSAGE);
      await untilGone("yes endless");
    },
    LONG,
  );
});

describe("a command that completes", () => {
  const completing = async (bad: BadCommand) => {
    const { bad: row, exitCode } = await runBadCommand(served, bad);
    expect({ status: row.status, exitCode }).toEqual({ status: "completed", exitCode: 0 });
    return row;
  };

  test(
    "keeps the last 64 KiB of a huge stderr, and its whole stdout",
    async () => {
      const script = "head -c 20000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; echo fine";
      const row = await completing({ script });
      expect(row.stdout).toBe("fine\n");
      // The whole text would drown what is wrong.
      expect(row.stderr?.length).toBe(64 * 1024);
      expect(row.stderr?.slice(-12)).toBe("xlast words\n");
    },
    LONG,
  );

  test(
    "reads an empty stdin unless it is given one",
    async () => {
      expect((await completing({ script: "cat; echo end" })).stdout).toBe("end\n");
      const given = await served.cc(["submit", "-q", "--stdin", "--array", "1-3", "--", "cat"]);
      expect(given.stdout).toBe("1\n2\n3\n");
    },
    LONG,
  );

  test(
    "does not wait for what it left in the background, which ends with it",
    async () => {
      const row = await completing({ script: "sleep 321.2 & setsid sleep 321.3 & echo fine" });
      expect(row.stdout).toBe("fine\n");
      expect(row.run_seconds).toBeLessThan(5);
      await untilGone("sleep 321.2");
      await untilGone("sleep 321.3");
    },
    LONG,
  );

  test(
    "may have a hundred years to do it in",
    async () => {
      await completing({
        script: "echo fine",
        flags: ["--timeout", "36525d", "--backoff", "36525d"],
      });
    },
    LONG,
  );

  test(
    "after two failed attempts, knows its attempt's number",
    async () => {
      const row = await completing({
        script: "[ $CC_ATTEMPT = 3 ] || exit 1; echo third",
        flags: ["--retries", "5", "--backoff", "5ms"],
      });
      expect(row).toMatchObject({ attempts: 3, stdout: "third\n" });
    },
    LONG,
  );
});

describe("a command that cannot be started fails its task alone", () => {
  async function rowsOf(...words: string[]) {
    const run = await served.cc(["submit", "-q", "--json", ...words]);
    expect(run.exitCode).toBe(1);
    return parseRows(run.stdout).map(({ status, error }) =>
      status === "completed" ? "completed" : `${error?.code}: ${error?.message}`,
    );
  }

  test(
    "because there is no such program, or it is not executable",
    async () => {
      served.file("plain.txt", "");
      served.file("script", "#!/no/such/interpreter\n");
      served.shell("mkdir -p folder && chmod +x script");
      const programs = ["true", "no-such-program", "./plain.txt", "./folder", "./script", "true"];
      expect(await rowsOf("--", "{}", ":::", ...programs)).toEqual([
        "completed",
        'command_not_found: There is no executable "no-such-program" on this worker.',
        'command_not_found: "./plain.txt" is not an executable file.',
        'command_not_found: "./folder" is not an executable file.',
        'command_not_found: "./script" exists, but the interpreter in its first line does not.',
        "completed",
      ]);
    },
    LONG,
  );

  test(
    "because its folder does not exist",
    async () => {
      expect(await rowsOf("--cwd", "/{}", "--", "true", ":::", "tmp", "nope", "usr")).toEqual([
        "completed",
        "no_such_cwd: The folder /nope does not exist on this worker; use --scratch, or --cwd with a folder that every worker has.",
        "completed",
      ]);
    },
    LONG,
  );

  test(
    "because an argument is over 128 KiB, or holds a NUL",
    async () => {
      served.file("values.json", JSON.stringify(["a", "x".repeat(128 * 1024), "b\0c", "d"]));
      expect(await rowsOf("--each-json", "values.json", "--", "true", "{}")).toEqual([
        "completed",
        "input_too_large: The arguments and the environment are larger than the system takes (128 KiB each); use --stdin or CC_INPUT_FILE.",
        "error: An argument or a variable holds a NUL byte, which no command can be given.",
        "completed",
      ]);
      const fed = ["submit", "-q", "--stdin", "--each-json", "values.json", "--", "wc", "-c"];
      expect((await served.cc(fed)).stdout).toBe("2\n131073\n4\n2\n");
    },
    LONG,
  );
});

describe("a daemon that a command starts", () => {
  // In sessions of their own, and of no parent.
  const daemons = (seconds: string) =>
    `setsid sh -c 'setsid sleep ${seconds} & setsid sleep ${seconds} &' >/dev/null 2>&1; `;

  test(
    "is gone after a time-out",
    async () => {
      const script = `${daemons("322.1")}sleep 30`;
      await failing({ script, flags: ["--timeout", "500ms"] }, "timeout", /0\.5 s/);
      await untilGone("sleep 322.1");
    },
    LONG,
  );

  test(
    "is gone after cc cancel, and the slot is free again",
    async () => {
      const submitted = await served.cc([
        "submit",
        "-d",
        "-q",
        "--shell",
        "--",
        `${daemons("322.2")}trap '' TERM; sleep 30; sleep 30`,
      ]);
      await untilThere("sleep 322.2");
      expect((await served.cc(["cancel", submitted.stdout.trim()])).exitCode).toBe(0);
      expect((await served.cc(["submit", "-q", "--", "echo", "free"])).stdout).toBe("free\n");
      await untilGone("sleep 322.2");
    },
    LONG,
  );
});
