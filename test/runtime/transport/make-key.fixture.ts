/** A process that makes the local keys as soon as it is told to, and prints what it ended up with. */
import { ensureLocalKeys } from "../../../src/runtime/transport/key-files.ts";
import { formatKey } from "../../../src/runtime/transport/keys.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("give the folder");
process.stdout.write("ready\n");
process.stdin.once("data", () => {
  const { admin, worker } = ensureLocalKeys(folder);
  process.stdout.write(`${formatKey(admin)} ${formatKey(worker)}\n`);
  process.exit(0);
});
