import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { inflateSync } from "node:zlib";
import { bundleJob } from "../../src/runtime/bundle/bundle-job.ts";
import { describeThrown } from "../../src/runtime/job-module/describe-thrown.ts";
import { readInputs } from "../../src/runtime/job-module/read-inputs.ts";
import { createReducer } from "../../src/runtime/job-module/reducer.ts";
import { createContext } from "../../src/runtime/job-module/task-context.ts";
import { createShared } from "../runtime/job-module/modules.ts";

const EXAMPLES = join(import.meta.dir, "../../examples");

interface Outcome {
  readonly values: readonly unknown[];
  readonly errors: readonly { readonly code: string; readonly message: string }[];
  readonly total: unknown;
}

/** Runs a job file as one process would: inputs, every task, reduce. */
async function runJob(file: string, args: readonly string[], cwd = EXAMPLES): Promise<Outcome> {
  const { module } = await bundleJob(file, { cwd });
  const reducer = createReducer(module);
  const values: unknown[] = [];
  const errors: Outcome["errors"][number][] = [];
  let index = 0;
  for await (const input of readInputs(module, args)) {
    try {
      // Copies, as between processes: nothing may depend on shared memory.
      const value = await module.task(
        structuredClone(input),
        createContext(createShared(), index, 1),
      );
      values.push(structuredClone(value));
      await reducer?.add(structuredClone(value), index);
    } catch (thrown) {
      const { code, message } = describeThrown(thrown, {
        bundlePath: module.path,
        classifyError: module.classifyError,
      });
      errors.push({ code, message });
    }
    index += 1;
  }
  return { values, errors, total: reducer?.total() };
}

test("word-count prints the most frequent words, with relative paths resolved", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cc-examples-test-"));
  try {
    await writeFile(join(folder, "one.txt"), "The cat and the dog. Écoute, the end!");
    await writeFile(join(folder, "two.txt"), `and AND and\n${"cat ".repeat(1000)}`);
    const paths = ["one.txt", "two.txt"].map((name) => relative(process.cwd(), join(folder, name)));
    const { total, errors } = await runJob("word-count.ts", paths);
    expect(errors).toEqual([]);
    expect(total).toBe(
      [
        "   1,001  cat",
        "       4  and",
        "       3  the",
        "       1  dog",
        "       1  end",
        "       1  écoute",
      ].join("\n"),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("word-count without files is refused, and a missing file fails for good", async () => {
  expect(runJob("word-count.ts", [])).rejects.toMatchObject({
    code: "inputs_failed",
    message: expect.stringMatching(/^word-count\.ts:\d+:\d+: inputs threw: no files given; /),
  });
  const { errors } = await runJob("word-count.ts", ["/nonexistent"]);
  expect(errors).toEqual([{ code: "unreadable_file", message: "cannot read /nonexistent" }]);
});

test("primes counts the primes below a limit", async () => {
  expect((await runJob("primes.ts", [])).total).toBe(78_498);
  expect((await runJob("primes.ts", ["3"])).total).toBe(1);
});

test("mandelbrot assembles its tiles to one PNG", async () => {
  const { total, values } = await runJob("mandelbrot.ts", ["250", "120"]);
  expect(values).toHaveLength(6);
  if (!(total instanceof Uint8Array)) throw new Error("expected bytes");
  const view = new DataView(total.buffer, total.byteOffset, total.byteLength);
  expect([...total.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
  expect([view.getUint32(16), view.getUint32(20)]).toEqual([250, 120]);
  const rows = inflateSync(total.subarray(41, 41 + view.getUint32(33)));
  expect(rows.byteLength).toBe(251 * 120);
  // The middle of the set is black, the corner far outside is white.
  expect(rows[60 * 251 + 1 + 125]).toBe(0);
  expect(rows[1]).toBe(255);
});

test("the job with an npm dependency checks records with it", async () => {
  const { values, errors } = await runJob("job.ts", [], join(EXAMPLES, "npm-dependency"));
  expect(values).toEqual([
    { id: 1, customer: "Ada", total: 12.5 },
    { id: 3, customer: "Grace", total: 0 },
  ]);
  expect(errors).toEqual([
    { code: "bad_record", message: expect.stringMatching(/^customer: .*; total: /) },
  ]);
});
