/** Compiled by self.test.ts: replaces its own file on disk and then starts itself again. */
import { unlinkSync, writeFileSync } from "node:fs";
import { isCompiled, selfCommand } from "../../../src/runtime/platform/self.ts";

const [word] = process.argv.slice(2);
if (word === "child") {
  process.stdout.write(`child compiled=${isCompiled}\n`);
} else {
  const file = process.execPath;
  unlinkSync(file);
  writeFileSync(file, "#!/bin/sh\necho another version\n", { mode: 0o755 });
  const child = Bun.spawnSync(selfCommand(["child"]), { stdout: "inherit", stderr: "inherit" });
  process.exit(child.exitCode);
}
