import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkDestination } from "../../../../src/runtime/client/output/check-destination.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "cc-output-"));
  mkdirSync(join(cwd, "folder"));
  writeFileSync(join(cwd, "kept"), "old");
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const check = (output: string) => checkDestination({ output, placeholder: null, cwd });
async function refusalOf(output: string): Promise<string> {
  const thrown = await check(output).then(
    () => null,
    (error: unknown) => error as Error & { code: string; exitCode: number },
  );
  expect(thrown).toMatchObject({ code: "output_not_written", exitCode: 2 });
  return thrown?.message ?? "";
}

describe("a destination", () => {
  test("that can be written is left as it was", async () => {
    await check("new");
    await check("kept");
    await check("-");
    expect(existsSync(join(cwd, "new"))).toBe(false);
    expect(readFileSync(join(cwd, "kept"), "utf8")).toBe("old");
  });

  test("without its folder, or that is one, is refused", async () => {
    expect(await refusalOf("nowhere/out")).toBe(
      "--output: nowhere/out cannot be written: its folder does not exist.",
    );
    expect(await refusalOf("folder")).toContain("that is a folder");
    expect(await refusalOf("kept/out")).toContain("a file stands where a folder is needed");
  });

  test("with a placeholder may lie in folders that are still to be made", async () => {
    await check("new/deep/{}.txt");
    await check("{}");
    await check("folder/{#}");
    expect(readdirSync(cwd).sort()).toEqual(["folder", "kept"]);
    expect(await refusalOf("kept/new/{}.txt")).toContain("a file stands where a folder is needed");
  });

  test("that is a pipe is not opened, as that would wait for its reader", async () => {
    expect(Bun.spawnSync(["mkfifo", join(cwd, "pipe")]).exitCode).toBe(0);
    await check("pipe");
    rmSync(join(cwd, "pipe"));
  });
});
