/** Reads a long text in $PAGER: pieces flow as fast as it reads them, and end when it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { withoutSmallHeap } from "../../runtime/platform/small-heap.ts";

/** `less` keeps colours out of it and stays also for a short text. */
const DEFAULT_PAGER = "less";

/** @returns null, or what is wrong in a sentence. The terminal is the pager's meanwhile. */
export async function runPager(pieces: AsyncIterable<string>): Promise<string | null> {
  const command = process.env["PAGER"]?.trim() || DEFAULT_PAGER;
  const pager = spawn("/bin/sh", ["-c", command], {
    stdio: ["pipe", "inherit", "inherit"],
    env: withoutSmallHeap(process.env),
  });
  const ended = new Promise<string | null>((resolve) => {
    pager.on("error", (error) => resolve(`the pager cannot be started: ${error.message}`));
    pager.on("exit", (code) => resolve(code === 127 ? `no such pager: ${command}` : null));
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  // Whoever quits a pager before the end of the text closes the pipe.
  pager.stdin.on("error", () => {
    isOver = true;
  });
  for await (const piece of pieces) {
    if (isOver) break;
    if (!pager.stdin.write(piece)) await Promise.race([once(pager.stdin, "drain"), ended]);
  }
  pager.stdin.end();
  return await ended;
}
