/** Looks at the processes of this machine by the words they were started with. */
import { expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";

const POLLS_MAX = 200;
const POLL_MS = 50;

/** Resolves when no process has this command line; polls, because strangers' ends cannot be awaited. */
export async function untilGone(commandLine: string): Promise<void> {
  for (let polls = 0; polls < POLLS_MAX && find(commandLine).length > 0; polls++) {
    await Bun.sleep(POLL_MS);
  }
  expect(find(commandLine)).toEqual([]);
}

export async function untilThere(commandLine: string): Promise<void> {
  for (let polls = 0; polls < POLLS_MAX && find(commandLine).length === 0; polls++) {
    await Bun.sleep(POLL_MS);
  }
  expect(find(commandLine)).not.toEqual([]);
}

function find(commandLine: string): readonly string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && wordsOf(name) === commandLine);
}

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trimEnd();
  } catch {
    // It has just ended.
    return "";
  }
}
