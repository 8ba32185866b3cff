import { describe, expect, test } from "bun:test";
import { csvHeader, printCsv } from "../../../../src/runtime/client/output/csv-format.ts";
import { printJsonLines } from "../../../../src/runtime/client/output/jsonl-format.ts";
import { printTagged } from "../../../../src/runtime/client/output/tagged-format.ts";
import { printValues } from "../../../../src/runtime/client/output/value-format.ts";
import { pageOf } from "../results-page.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const values = (...all: unknown[]) => all.map((value) => ({ value }));

describe("--format value", () => {
  test("numbers and objects are their JSON, a line each", () => {
    const page = pageOf(values(1, 0.5, { a: [1, "x"] }, null, true));
    expect(text(printValues(page).stdout)).toBe('1\n0.5\n{"a":[1,"x"]}\nnull\ntrue\n');
  });

  test("strings are raw, whatever they hold", () => {
    const strings = ["plain", 'with "quotes"', "back\\slash", "two\nlines", "ünï 🚀", "", "\u0000"];
    expect(text(printValues(pageOf(values(...strings))).stdout)).toBe(`${strings.join("\n")}\n`);
  });

  test("undefined prints nothing, also between others", () => {
    expect(text(printValues(pageOf(values(1, undefined, 2))).stdout)).toBe("1\n2\n");
    expect(printValues(pageOf(values(undefined, undefined))).stdout.byteLength).toBe(0);
  });

  test("bytes are printed as they are, extended values with their tags", () => {
    const bytes = new Uint8Array([0, 255, 10]);
    expect(printValues(pageOf(values(bytes))).stdout).toEqual(Buffer.from(bytes));
    expect(text(printValues(pageOf(values(12n, Number.NaN))).stdout)).toBe(
      '{"$bigint":"12"}\n{"$number":"NaN"}\n',
    );
  });

  test("a command's stdout and stderr pass as they are, also of a failed one", () => {
    const page = pageOf([
      { command: { stdout: "no newline" } },
      { command: { stdout: new Uint8Array([255, 0]), stderr: "warning\n" } },
      {
        failure: { code: "exit_status", message: "oops" },
        command: { exitCode: 3, stdout: "partial\n", stderr: "oops\n" },
      },
    ]);
    const { stdout, stderr } = printValues(page);
    expect(stdout).toEqual(
      Buffer.concat([Buffer.from("no newline"), Buffer.from([255, 0]), Buffer.from("partial\n")]),
    );
    expect(text(stderr)).toBe("warning\noops\n");
  });

  test("failed functions and cancelled tasks print nothing", () => {
    const failure = { code: "error", message: "no" };
    const page = pageOf([{ failure }, { value: 7 }, { failure, cancelled: true }]);
    expect(text(printValues(page).stdout)).toBe("7\n");
  });
});

describe("--format jsonl", () => {
  const lines = (page: Parameters<typeof printJsonLines>[0]): unknown[] =>
    text(printJsonLines(page).stdout)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown);

  test("a completed function", () => {
    const page = pageOf(values("ü 🚀", { a: 1 }), {
      firstIndex: 5,
      runUs: 120_000,
      worker: "wörk",
    });
    expect(text(printJsonLines(page).stdout)).toBe(
      '{"index":5,"status":"completed","value":"ü 🚀","attempts":1,"run_seconds":0.12,"worker":"wörk"}\n' +
        '{"index":6,"status":"completed","value":{"a":1},"attempts":1,"run_seconds":0.12,"worker":"wörk"}\n',
    );
  });

  test("what JSON lacks is tagged", () => {
    expect(lines(pageOf(values(undefined, new Uint8Array([1]), 1n)))).toMatchObject([
      { value: { $undefined: true } },
      { value: { $bytes: "AQ==" } },
      { value: { $bigint: "1" } },
    ]);
  });

  test("a failure has its error, a task that never ran no worker", () => {
    const failure = { code: "timeout", message: "took ü long", stack: "at job.ts:1:1" };
    const page = pageOf(
      [{ failure }, { failure: { code: "cancelled", message: "x" }, cancelled: true }],
      {
        worker: "",
      },
    );
    expect(lines(page)).toEqual([
      {
        index: 0,
        status: "failed",
        error: failure,
        attempts: 1,
        run_seconds: 0.0015,
        worker: null,
      },
      {
        index: 1,
        status: "cancelled",
        error: { code: "cancelled", message: "x" },
        attempts: 1,
        run_seconds: 0.0015,
        worker: null,
      },
    ]);
  });

  test("commands add exit code, signal and output; what is no UTF-8 becomes base64", () => {
    const page = pageOf([
      { command: { stdout: "out\n", stderr: "é" } },
      {
        failure: { code: "signal", message: "killed" },
        command: { exitCode: null, signal: "SIGKILL", stdout: new Uint8Array([255]) },
      },
    ]);
    expect(lines(page)).toMatchObject([
      {
        status: "completed",
        value: "out\n",
        exit_code: 0,
        signal: null,
        stdout: "out\n",
        stderr: "é",
      },
      {
        status: "failed",
        error: { code: "signal", message: "killed" },
        exit_code: null,
        signal: "SIGKILL",
        stdout_base64: "/w==",
        stderr: "",
      },
    ]);
  });
});

describe("--format csv", () => {
  test("the header names the columns, commands have four more", () => {
    expect(csvHeader(false)).toBe(
      "index,status,value,error_code,error_message,attempts,run_seconds,worker\r\n",
    );
    expect(csvHeader(true)).toBe(
      "index,status,value,error_code,error_message,attempts,run_seconds,worker,exit_code,signal,stdout,stderr\r\n",
    );
  });

  test("fields with commas, quotes and line breaks are quoted", () => {
    const page = pageOf(
      [
        { value: 'say "hi", ü\nbye' },
        { value: { a: 1 } },
        { value: undefined },
        { failure: { code: "error", message: "a,b" } },
      ],
      { runUs: 2_000_000 },
    );
    expect(text(printCsv(page, false).stdout)).toBe(
      '0,completed,"say ""hi"", ü\nbye",,,1,2,w1\r\n' +
        '1,completed,"{""a"":1}",,,1,2,w1\r\n' +
        "2,completed,,,,1,2,w1\r\n" +
        '3,failed,,error,"a,b",1,2,w1\r\n',
    );
  });

  test("a command's row", () => {
    const page = pageOf([
      {
        failure: { code: "exit_status", message: "no" },
        command: { exitCode: 2, stdout: "o\n", stderr: "e" },
      },
    ]);
    expect(text(printCsv(page, true).stdout)).toBe(
      '0,failed,"o\n",exit_status,no,1,0.0015,w1,2,,"o\n",e\r\n',
    );
  });
});

describe("--tag", () => {
  test("each line begins with the input, on both streams", () => {
    const page = pageOf(
      [
        { command: { stdout: "a\nb\n", stderr: "warn" } },
        { command: { stdout: "no newline" } },
        { command: {} },
        { value: "ü\nx" },
      ],
      { inputs: ["in 1", ["p", 2], "quiet", "line\nbreak"] },
    );
    const { stdout, stderr } = printTagged(page);
    expect(text(stdout)).toBe("in 1\ta\nin 1\tb\np 2\tno newline\nline break\tü\nline break\tx\n");
    expect(text(stderr)).toBe("in 1\twarn\n");
  });
});

test("a page of a thousand plain rows is the same bytes by the fast and the slow way", () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => i * i);
  const fast = printValues(pageOf(values(...numbers))).stdout;
  const slow = printValues(pageOf(values(...numbers, "end"))).stdout;
  expect(`${text(fast)}end\n`).toBe(text(slow));
});
