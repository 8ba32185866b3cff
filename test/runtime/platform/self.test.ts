import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { isCompiled, selfCommand } from "../../../src/runtime/platform/self.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cc-self-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("from sources the program starts through the runtime and its entry", () => {
  expect(isCompiled).toBe(false);
  const [runtime, entry, ...args] = selfCommand(["worker", "--slots", "2"]);
  expect(isAbsolute(runtime)).toBe(true);
  expect(entry).toEndWith("/src/cli.ts");
  expect(args).toEqual(["worker", "--slots", "2"]);
});

test.if(process.platform === "linux")(
  "a binary starts itself again, also after an upgrade replaced its file",
  async () => {
    const program = join(folder, "program");
    const source = join(import.meta.dir, "restart-self.fixture.ts");
    const flags = ["--no-compile-autoload-bunfig", "--no-compile-autoload-dotenv"];
    const build = Bun.spawnSync(
      [process.execPath, "build", "--compile", ...flags, source, "--outfile", program],
      { stdout: "ignore", stderr: "inherit", timeout: 60_000 },
    );
    expect(build.exitCode).toBe(0);
    const run = Bun.spawnSync([program], { stdout: "pipe", stderr: "inherit", timeout: 20_000 });
    expect(run.stdout.toString()).toBe("child compiled=true\n");
    expect(run.exitCode).toBe(0);
  },
  90_000,
);
