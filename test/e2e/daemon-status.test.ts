/** The live status of `cc foreman` and `cc worker` on a terminal: there, out of the log's way, and gone at the end. */
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { BINARY, createWorld, type World } from "../support/binary.ts";
import {
  openTerminal,
  type TerminalRequest,
  type TestTerminal,
} from "../support/terminal/terminal.ts";
import { SETUP_MS } from "./stage.ts";

let world: World;
const terminals: TestTerminal[] = [];

beforeAll(async () => {
  world = await createWorld();
}, SETUP_MS);
afterEach(async () => {
  for (const terminal of terminals.splice(0).reverse()) await terminal.close();
});
afterAll(() => world.close());

interface OpenOptions extends Partial<Omit<TerminalRequest, "command">> {
  /** A line for a shell with job control; `$CC` is the program. */
  readonly shell?: string;
}

function open(words: readonly string[], { shell, env, ...request }: OpenOptions = {}) {
  const command = shell === undefined ? [BINARY, ...words] : ["/bin/bash", "-c", shell];
  const terminal = openTerminal({
    ...request,
    command,
    cwd: world.folder,
    env: { ...world.env, CC: BINARY, ...env },
  });
  terminals.push(terminal);
  return terminal;
}

setDefaultTimeout(20_000);
const FOREMAN = ["foreman", "--port", "0"];
const FOREMAN_STATUS = /── cc foreman ──[\s\S]* tasks\/s [\s\S]*workers/;
const INTERACTIVE = "exec env PS1='prompt> ' /bin/bash --norc --noprofile -i";

/** Nothing of the status is left, the cursor stands below the last line, and a shell can go on. */
function expectClean(terminal: TestTerminal): void {
  expect(terminal.screen()).not.toMatch(/──|tasks\/s|slots [█░]/);
  expect(terminal.modes()).toMatchObject({ cursorVisible: true, alternateScreen: false });
  expect(terminal.sttyState()).toEqual({ canonical: true, echo: true, signals: true });
  const { row, column } = terminal.emulator.cursor();
  expect(column).toBe(0);
  expect(terminal.screen().trimEnd().split("\n")).toHaveLength(row);
}

async function openForeman(args: readonly string[] = [], options: OpenOptions = {}) {
  const terminal = open([...FOREMAN, ...args], options);
  await terminal.waitFor(FOREMAN_STATUS);
  return terminal;
}

async function submit(count: number, script: string): Promise<void> {
  const inputs = Array.from({ length: count }, (_, at) => String(at));
  const words = ["submit", "-d", "--name", "render", "--", "sh", "-c", script, ":::", ...inputs];
  const { exitCode, stderr } = await world.cc(words);
  expect(`${exitCode} ${stderr}`).toStartWith("0 ");
}

describe("on a terminal", () => {
  test("foreman and worker show what they do below their logs, and leave with last words", async () => {
    // The emulator of the tests is the one of this program.
    const foreman = await openForeman([], { env: { TERM_PROGRAM: "vscode" } });
    expect(foreman.screen()).toMatch(/^foreman at (ws:\S+)\nstore .*\nworkers join with: .*\n── /);
    const worker = open(["worker", "--slots", "2", "--id", "box"]);
    await worker.waitFor(/── cc worker ── up ── box ── ws:/);
    await foreman.waitFor(/info {2}worker connected worker=box slots=2\n── cc foreman/);
    expect(foreman.screen()).toContain("workers join with: ");
    await submit(3, "exit 0");
    await submit(2, "exec sleep 600");
    await worker.waitFor(/slots █+ 2\/2 +done 3 [\s\S]*\n 2\/0 {2}render +\ds\n 2\/1 {2}render/);
    await foreman.waitFor(/running 2 +done 3 [\s\S]*workers 1 +slots █+ 2\/2 +jobs 1/);
    foreman.resize(50, 24);
    await foreman.waitFor(/\n done 3 +failed 0\n/);
    expect(foreman.screen().match(/cc foreman/g)).toHaveLength(1);

    worker.keys("Ctrl-C");
    await worker.waitFor(/worker drains signal=SIGINT[\s\S]*── cc worker ── draining/);
    worker.keys("Ctrl-C");
    expect(await worker.end()).toEqual({ exitCode: 0, signal: null });
    expectClean(worker);
    expect(worker.screen()).toMatch(/worker ends\n*$/);

    expect((await world.cc(["cancel", "2"])).exitCode).toBe(0);
    process.kill(foreman.pid, "SIGTERM");
    expect(await foreman.end()).toEqual({ exitCode: 0, signal: null });
    expectClean(foreman);
    expect(foreman.screen()).toMatch(/foreman stops signal=SIGTERM\n*$/);
  });

  test("the lines of a worker of its own scroll by above the foreman's status", async () => {
    const foreman = await openForeman(["--workers", "2", "--log-level", "debug"]);
    await foreman.waitFor(/info {2}connected to the foreman foreman=\S+\n/);
    await foreman.waitFor(/── cc foreman[\s\S]*workers 1 +slots ░+ 0\/2/);
    foreman.keys("Ctrl-C");
    expect((await foreman.end()).exitCode).toBe(0);
    expectClean(foreman);
    expect(foreman.screen()).toContain("worker ends");
    await foreman.untilAlone();
  });

  test("Ctrl-Z gives the shell a clean terminal, in the background there is no status, fg brings it back", async () => {
    const terminal = open([], { shell: INTERACTIVE });
    await terminal.waitFor(/prompt> $/m);
    terminal.type(`$CC ${FOREMAN.join(" ")}\r`);
    await terminal.waitFor(FOREMAN_STATUS);
    terminal.keys("Ctrl-Z");
    await terminal.waitFor(/Stopped[\s\S]*prompt> $/m);
    expect(terminal.screen()).not.toContain("tasks/s");
    terminal.type("bg\r");
    await terminal.waitFor(/foreman --port 0 &\n[\s\S]*prompt> $/m);
    // It works there: its line comes, and no status with it.
    const worker = world.start(["worker", "--id", "seen"]);
    await terminal.waitFor(/worker connected worker=seen/);
    expect(terminal.screen()).not.toContain("tasks/s");
    worker.kill("SIGTERM");
    await terminal.waitFor(/worker disconnected worker=seen/);
    terminal.type("fg\r");
    await terminal.waitFor(FOREMAN_STATUS);
    terminal.keys("Ctrl-C");
    await terminal.waitFor(/foreman stops signal=SIGINT\n[\s\S]*prompt> $/m);
    expect(terminal.screen()).not.toContain("tasks/s");
    terminal.type("exit\r");
    await terminal.untilAlone();
  });

  test("an end that was not asked for leaves the message and a terminal to go on with", async () => {
    await openForeman();
    const worker = open(["worker", "--id", "twin"]);
    await worker.waitFor(/── up ──/);
    const second = open(["worker", "--id", "twin"]);
    expect((await second.end()).exitCode).toBe(75);
    expectClean(second);
    process.kill(worker.pid, "SIGQUIT");
    expect((await worker.end()).signal).toBe("SIGQUIT");
    expectClean(worker);
  });

  test("a terminal that takes nothing holds up neither the foreman nor its end", async () => {
    const foreman = await openForeman();
    foreman.keys("Ctrl-S");
    const worker = world.start(["worker", "--id", "unseen"]);
    await worker.untilStderr(/connected to the foreman/);
    expect((await world.cc(["workers", "-q"])).stdout).toContain("unseen");
    worker.kill("SIGTERM");
    expect((await worker.ended).exitCode).toBe(0);
    expect((await world.cc(["jobs"])).exitCode).toBe(0);
    expect(foreman.screen()).not.toContain("unseen");
    process.kill(foreman.pid, "SIGTERM");
    await foreman.ended;
  });

  test("without colours and in ASCII where that is all there is", async () => {
    const env = { NO_COLOR: "1", LANG: "C" };
    const foreman = open(FOREMAN, { columns: 40, env });
    await foreman.waitFor(/-- cc foreman --[\s\S]* tasks\/s [\s\S]*workers/);
    const written = foreman.raw.since(0);
    expect(written.replaceAll("\x1b", "")).toMatch(/^[\n\r\x20-\x7e]*$/);
    expect(
      new Set(
        foreman
          .cells()
          .flat()
          .map(({ foreground }) => foreground),
      ),
    ).toEqual(new Set(["default"]));
  });
});

describe("no status, and not one escape byte", () => {
  const cases: readonly (readonly [string, readonly string[], OpenOptions])[] = [
    ["with --quiet", ["--quiet"], {}],
    ["with -q", ["-q"], {}],
    ["with --log-format json", ["--log-format", "json"], {}],
    ["with CI set", [], { env: { CI: "true" } }],
    ["on a dumb terminal", [], { env: { TERM: "dumb" } }],
    ["without input from the terminal", [], { shell: `$CC ${FOREMAN.join(" ")} < /dev/null` }],
  ];
  test.each(cases)("%s", async (_, args, options) => {
    const foreman = open([...FOREMAN, ...args], options);
    await foreman.waitFor(/workers join with/);
    const { pid } = foreman.processes().at(-1) ?? foreman;
    process.kill(pid, "SIGTERM");
    expect((await foreman.end()).exitCode).toBe(0);
    expect(foreman.raw.since(0)).not.toContain("\x1b");
  });

  test("on pipes", async () => {
    const foreman = world.start(FOREMAN);
    await foreman.untilStderr(/workers join with/);
    const worker = world.start(["worker"]);
    await worker.untilStderr(/connected to the foreman/);
    worker.kill("SIGTERM");
    expect((await worker.ended).stderr).not.toContain("\x1b");
    foreman.kill("SIGTERM");
    const { stdout, stderr } = await foreman.ended;
    expect(stdout + stderr).not.toContain("\x1b");
  });
});

test("--quiet keeps warnings and errors of the log only", async () => {
  const foreman = world.start([...FOREMAN, "--workers", "1", "--quiet", "--log-level", "debug"]);
  await foreman.untilStderr(/workers join with/);
  await submit(1, "exit 0");
  expect((await world.cc(["wait", "last"])).exitCode).toBe(0);
  foreman.kill("SIGTERM");
  const { stderr, exitCode } = await foreman.ended;
  expect(exitCode).toBe(0);
  expect(stderr).not.toMatch(/"level":"(info|debug)"/);
});
