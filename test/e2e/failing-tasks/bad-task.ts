/**
 * Runs a job of ten tasks of which the fifth is bad, on a worker with one slot, so that all share it.
 * The other nine must complete exactly once, whatever the bad one does, and the slot must live on.
 */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedWorld } from "../submit-support.ts";

/** A row of `--format jsonl`. */
export interface Row {
  readonly index: number;
  readonly status: "completed" | "failed" | "cancelled";
  readonly value?: unknown;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly stack?: string;
    readonly console?: string;
  };
  readonly attempts: number;
  readonly run_seconds: number;
  readonly exit_code?: number | null;
  readonly signal?: string | null;
  readonly stdout?: string;
  readonly stderr?: string;
}

export const BAD_INDEX = 4;
/** The line of the job file on which the bad task's code stands. */
export const BAD_LINE = 6;
const NEIGHBOURS = [0, 1, 2, 3, 5, 6, 7, 8, 9];

export interface BadFunction {
  /** What the fifth task does; `input` is 4. */
  readonly code: string;
  /** More exports or imports, in one line. */
  readonly also?: string;
  /** What the others do before they return. */
  readonly others?: string;
  readonly isSync?: boolean;
  readonly flags?: readonly string[];
}

export interface Ran {
  /** The bad task's row. */
  readonly bad: Row;
  readonly exitCode: number | null;
  readonly stderr: string;
}

let count = 0;

export async function runBadFunction(served: ServedWorld, bad: BadFunction): Promise<Ran> {
  const name = `job-${count++}`;
  served.file(`${name}.txt`, "");
  const effects = JSON.stringify(join(served.world.folder, `${name}.txt`));
  const lines = [
    'import { appendFileSync } from "node:fs";',
    "export const inputs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];",
    bad.also ?? "",
    `export default ${bad.isSync ? "" : "async "}(input: number, ctx: any) => {`,
    `  if (input !== 4) { appendFileSync(${effects}, input + "\\n"); ${bad.others ?? ""} return input * 10; }`,
    `  ${bad.code}`,
    "};",
  ];
  served.file(`${name}.ts`, lines.join("\n"));
  return await runAround(served, name, [...(bad.flags ?? []), `${name}.ts`], (index) => index * 10);
}

export interface BadCommand {
  /** What the fifth task does, for /bin/sh. */
  readonly script: string;
  readonly flags?: readonly string[];
}

export async function runBadCommand(served: ServedWorld, bad: BadCommand): Promise<Ran> {
  const name = `job-${count++}`;
  served.file(`${name}.txt`, "");
  const script = `if [ {} = 4 ]; then ${bad.script}; else echo {} >> ${name}.txt; echo out {}; fi`;
  const words = ["--shell", "--array", "0-9", ...(bad.flags ?? []), "--", script];
  return await runAround(served, name, words, (index) => `out ${index}\n`);
}

async function runAround(
  served: ServedWorld,
  name: string,
  words: readonly string[],
  expectedOf: (index: number) => unknown,
): Promise<Ran> {
  const run = await served.cc(["submit", "-q", "--json", ...words]);
  const rows = parseRows(run.stdout);
  expect(rows.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const good = rows.filter(({ index }) => index !== BAD_INDEX);
  expect(
    good.map(({ index, status, value, attempts }) => ({ index, status, value, attempts })),
  ).toEqual(
    NEIGHBOURS.map((index) => ({
      index,
      status: "completed",
      value: expectedOf(index),
      attempts: 1,
    })),
  );
  expect(readEffects(served, name)).toEqual(NEIGHBOURS);
  const next = await served.cc(["submit", "-q", "--", "echo", "the slot lives"]);
  expect(next.stdout).toBe("the slot lives\n");
  return { bad: rows[BAD_INDEX] as Row, exitCode: run.exitCode, stderr: run.stderr };
}

/** Runs it, and expects the bad task to fail in its first attempt, and the job with it. */
export async function expectFailure(
  ran: Promise<Ran>,
  code: string,
  message: string | RegExp,
): Promise<Row> {
  const { bad, exitCode, stderr } = await ran;
  expect(bad.status).toBe("failed");
  expect(bad.error?.code).toBe(code);
  if (typeof message === "string") expect(bad.error?.message).toBe(message);
  else expect(bad.error?.message).toMatch(message);
  expect({ attempts: bad.attempts, exitCode, stderr }).toEqual({
    attempts: 1,
    exitCode: 1,
    stderr: "",
  });
  return bad;
}

export function parseRows(stdout: string): readonly Row[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Row);
}

function readEffects(served: ServedWorld, name: string): readonly number[] {
  const text = readFileSync(join(served.world.folder, `${name}.txt`), "utf8");
  return text.trimEnd().split("\n").map(Number).sort();
}
