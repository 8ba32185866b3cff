/**
 * Names, notes, reasons and errors that try to drive a terminal, in every verb that shows what others wrote:
 * nothing but text, line ends and our own colours leaves a verb, and tables stay tables.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ValueColumnBuilder } from "../../src/runtime/protocol/columns.ts";
import { encodeCommandOutcome } from "../../src/runtime/protocol/command-outcome.ts";
import { encodeFailure } from "../../src/runtime/protocol/failure.ts";
import type { JobSpec } from "../../src/runtime/protocol/job-spec.ts";
import type { MessageOf } from "../../src/runtime/protocol/messages.ts";
import { encodeValue } from "../../src/runtime/protocol/value.ts";
import { readKeyFile } from "../../src/runtime/transport/key-files.ts";
import { openProven, type RawPeer } from "../faults/hostile/raw-peer.ts";
import { BINARY, createWorld, type RunningCc, type World } from "../support/binary.ts";
import { hostileTexts } from "../support/monitor/hostile-texts.ts";
import { anOffer, aSpec, commandWork } from "../support/specs.ts";
import { openTerminal, type TestTerminal } from "../support/terminal/terminal.ts";
import { SETUP_MS } from "./stage.ts";

const LONG = 60_000;
/** Clears the screen, sets title and clipboard, colours, reverses, breaks lines, is wide and long. */
const EVIL = `\u001b[2J\u001b]0;title\u0007\u001b]52;c;ZXZpbA==\u0007\u001b[31mred\u009b1m\u009d0;c1\u009c \u202egnp.exe\u202c \u2066x\u2069\nsecond\r\nline\u2028\u0085\ttab 日本語 👩‍👧 e\u0301 z\u0336\u0337\u0338 `;
const NAME = (EVIL + "long-".repeat(60)).slice(0, 250);
const TEXTS = hostileTexts(26);

let world: World;
let foreman: RunningCc;
let url: string;
let worker: RawPeer;
const open = new Set<TestTerminal>();

beforeAll(async () => {
  world = await createWorld();
  foreman = world.start(["foreman", "--port", "0", "--lease", "10m"]);
  await foreman.untilStderr(/workers join with/);
  url = /foreman at (\S+)/.exec(foreman.stderr())?.[1] ?? "";
  worker = await openWorker();
  await submitAll();
}, SETUP_MS);
afterAll(async () => {
  for (const terminal of open) await terminal.close();
  worker?.end();
  await world.close();
});

function key(name: "admin" | "worker") {
  const folder = join(world.env["XDG_CONFIG_HOME"] ?? "", "crowdcompute", "keys");
  return readKeyFile(join(folder, `local-${name}.key`));
}

/** A worker that calls itself what it likes, and fails most of what it is given in such words. */
async function openWorker(): Promise<RawPeer> {
  const peer = await openProven(url, key("worker"), "worker");
  peer.onMessage = (message) => {
    if (message.type === "assign_task") answer(peer, message);
  };
  const named = { host: NAME, platform: NAME, version: NAME, roles: [NAME.slice(0, 200)] };
  peer.send({
    type: "worker_ready",
    worker_id: NAME,
    boot_id: "hostile-boot",
    connection_seq: 1,
    offer: anOffer({ ...named, labels: { [NAME.slice(0, 100)]: NAME }, resources: { [NAME]: 1 } }),
    inventory: [],
    acknowledged_seq: 0,
  });
  peer.send({
    type: "announce",
    offer: anOffer({ ...named }),
    accepting: true,
    reason: null,
  });
  return peer;
}

let reportSeq = 0;

function answer(
  peer: RawPeer,
  { assignment, job_id, count, ...message }: MessageOf<"assign_task">,
) {
  const outcome = encodeCommandOutcome({
    exitCode: 1,
    signal: null,
    stdout: Buffer.from(EVIL),
    stderr: Buffer.from(EVIL),
    stderrDroppedBytes: 5,
  });
  for (let row = 0; row < count; row++) {
    const index = message.index?.[row] ?? (message.first_index ?? 0) + row;
    const failure = { code: NAME, message: `${index} ${EVIL}`, stack: EVIL, console: EVIL };
    const value = index === 0 ? outcome : encodeFailure(failure, index === 1 ? outcome : undefined);
    peer.send({
      type: "task_result",
      seq: ++reportSeq,
      assignment,
      job_id,
      status: index === 0 ? "completed" : "failed",
      index: Uint32Array.of(index),
      count: 1,
      attempt:
        message.attempt instanceof Uint32Array
          ? message.attempt.subarray(row, row + 1)
          : message.attempt,
      run_us: 1_000,
      ended_ago_us: 0,
      ...(index === 0 ? {} : { code: [NAME] }),
      value: { lengths: value.byteLength, data: value },
    });
  }
}

const hostileSpec = (changes: Partial<JobSpec> = {}): JobSpec =>
  aSpec({
    name: NAME,
    note: EVIL.repeat(3),
    metadata: { [NAME.slice(0, 100)]: NAME },
    env: { [NAME.slice(0, 100)]: { value: NAME, secret: false } },
    work: commandWork(["echo", NAME, "{}"], { cwd: `/${NAME}` }),
    submitted_from: { host: NAME, user: NAME, folder: `/${NAME}`, command_line: NAME },
    ...changes,
  });

/** Job 1 ends with failures, 2 waits for a role that nobody has, 3 and on have names of every sort. */
async function submitAll(): Promise<void> {
  const client = await openProven(url, key("admin"), "client");
  let accepted = Promise.withResolvers<void>();
  client.onMessage = (message) => {
    if (message.type === "job_accepted") accepted.resolve();
    else if (message.type === "error") accepted.reject(new Error(message.message));
  };
  const specs = [
    hostileSpec(),
    hostileSpec({ role: "nobody has it", worker_labels: { [NAME.slice(0, 100)]: NAME } }),
    ...TEXTS.map((text) =>
      hostileSpec({ name: text.slice(0, 250) || "none", role: "nobody has it", note: text }),
    ),
  ];
  for (const [number, spec] of specs.entries()) {
    const inputs = new ValueColumnBuilder();
    for (const input of number === 0 ? [1, EVIL, { [EVIL]: EVIL }] : [EVIL])
      encodeValue(input, inputs);
    client.send({
      type: "submit_job",
      request: number + 1,
      submission_id: `hostile-${number}`,
      resumable: true,
      spec,
      count: number === 0 ? 3 : 1,
      input: inputs.take(),
      close: true,
    });
    await accepted.promise;
    accepted = Promise.withResolvers();
  }
  client.end();
}

interface Shown {
  /** As it came. */
  readonly bytes: string;
  readonly terminal: TestTerminal;
}

async function show(args: readonly string[], columns = 100, rows = 60): Promise<Shown> {
  const env = { ...world.env, CC_FOREMAN: url };
  const terminal = openTerminal({
    command: [BINARY, ...args],
    cwd: world.folder,
    env,
    columns,
    rows,
  });
  open.add(terminal);
  await terminal.end(20_000);
  return { bytes: terminal.raw.since(0), terminal };
}

async function hide({ terminal }: Shown): Promise<void> {
  open.delete(terminal);
  await terminal.close();
}

/** Colours and attributes; the bar's own carriage return and "clear to the end of the line"; line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OURS = /\u001b\[(?:[0-9]{1,2}(?:;[0-9]{1,2})*)?m|\u001b\[K|\r|\n/g;
const NOT_TEXT = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

function expectInert({ bytes, terminal }: Shown, what: string): void {
  const found = NOT_TEXT.exec(bytes.replace(OURS, ""));
  const at =
    found === null
      ? ""
      : bytes.replace(OURS, "").slice(Math.max(0, found.index - 60), found.index + 30);
  expect({ what, found: JSON.stringify(at) }).toEqual({ what, found: '""' });
  expect({ what, commands: terminal.emulator.commands }).toEqual({ what, commands: [] });
}

/**
 * Verbs and what they are asked; every one of them shows something that others wrote. Only what commands
 * print is left as it is by `--format value`, as a shell does: it is data.
 */
const SHOWN: readonly (readonly string[])[] = [
  ["jobs"],
  ["jobs", "--wide"],
  ["jobs", "1"],
  ["jobs", "2"],
  ["jobs", "--json"],
  ["tasks", "1"],
  ["tasks", "1", "--inputs"],
  ["tasks", "1/0"],
  ["tasks", "1/1"],
  ["tasks", "1/2"],
  ["tasks", "1/2", "--json"],
  ["workers"],
  ["workers", "-q"],
  ["workers", "--json"],
  ["workers", NAME],
  ["why", "1"],
  ["why", "1/1"],
  ["why", "2"],
  ["why", NAME],
  ["why", `no ${NAME}`],
  ["events"],
  ["events", "1"],
  ["results", "1", "--json"],
  ["logs", "1"],
  ["logs", "1/1"],
  ["wait", "1"],
  ["wait", "1", "--progress", "json"],
  ["gc", "--dry-run"],
  ["set", "2", "--name", NAME, "--note", EVIL],
  ["pause", "2"],
  ["resume", "2"],
  ["pause", NAME],
  ["resume", NAME],
  ["resume", NAME, "--json"],
  ["drain", `no ${NAME}`],
  ["drain", `no ${NAME}`, "--json"],
  ["retry", "1/1", "--progress", "none", "--json"],
  ["retry", "1/1", "--progress", "bar", "--json"],
  ["cancel", "3", "--reason", EVIL],
  ["cancel", "3"],
  ["rm", "3"],
  ["submit", "--dry-run", "--", "echo", "{}", ":::", EVIL, NAME],
  ["submit", "--dry-run", "--json", "--", "echo", "{}", ":::", EVIL, NAME],
  ["submit", `${NAME}.ts`],
  ["submit", "--state", EVIL],
  ["submit", "-d", "--name", NAME, "--", "true"],
  ["try", "1/1"],
  ["try", "1/1", "--json"],
  ["top", "--once"],
  ["top", "1", "--once"],
  ["top", "1/1", "--once"],
  ["top", NAME, "--once"],
  ["top", "--once", "--json"],
  [NAME],
];

describe("what others wrote is inert", () => {
  test(
    "in every verb",
    async () => {
      const silent: string[] = [];
      // Two at a time: the machine has other things to do.
      for (const args of SHOWN) {
        const shown = await show(args);
        const what = JSON.stringify(args).slice(0, 60);
        expectInert(shown, what);
        if (shown.bytes.trim() === "") silent.push(what);
        await hide(shown);
      }
      expect(silent).toEqual([]);
    },
    LONG,
  );

  test(
    "in the foreman's log",
    () => {
      expect(foreman.stderr()).toContain("worker connected");
      expect(foreman.stderr().replaceAll("\n", "")).not.toMatch(NOT_TEXT);
    },
    LONG,
  );
});

describe("a table", () => {
  const LEFT = /^(NAME|STATE|QUEUE|OWNER|SUBMITTED|TASK|WORKER|INPUT|ERROR|JOBS|NOTE|ENDED|FOR)\b/;

  /** Where left-aligned columns begin, behind their gap. */
  const leftColumns = (header: string): number[] =>
    [...header.matchAll(/ {2,}(?=\S)/g)]
      .map((match) => match.index + match[0].length)
      .filter((at) => LEFT.test(header.slice(at)));

  for (const columns of [80, 120, 200]) {
    test(
      `has its columns below their titles, in the cells of a terminal ${columns} wide`,
      async () => {
        for (const args of [["jobs"], ["tasks", "1", "--inputs"], ["workers"]]) {
          const shown = await show(args, columns);
          // The second half of a wide character is no blank.
          const rows = shown.terminal.cells().map((row) => row.map(({ text }) => text || "»"));
          const [header = [], ...lines] = rows.filter((row) => row.join("").trim() !== "");
          const columnsAt = leftColumns(header.join(""));
          expect(columnsAt.length).toBeGreaterThan(1);
          expect(lines.length).toBeGreaterThan(0);
          for (const line of lines) {
            const gaps = columnsAt.map((at) => line.slice(at - 2, at).join(""));
            const what = `${args[0]}: ${line.join("").trimEnd()}`;
            expect({ what, gaps }).toEqual({ what, gaps: gaps.map(() => "  ") });
          }
          await hide(shown);
        }
      },
      LONG,
    );
  }
});
