/** A store: whether it can be used, whether it is whole, and whether its disk has room. */
import { existsSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { hasStore, storePaths } from "../../runtime/store/folder.ts";
import { examineLogs } from "../../runtime/store/logs/open-logs.ts";
import { examineStore, isStoreHeld } from "../../runtime/store/sqlite/examine-store.ts";
import { damageText } from "../../runtime/store/storage-error.ts";
import { formatBytes, formatPlural } from "../../tui/text/amounts.ts";
import { type Check, type CheckSection, failed, finding, ok, warning } from "./check.ts";

const MIB = 1024 ** 2;
/** Below this a job of some size may fill the disk. */
const SPACE_WARNING_BYTES = 1024 * MIB;
/** Below this a foreman cannot go on for long. */
const SPACE_NEEDED_BYTES = 64 * MIB;
const OTHERS_MAY_ANYTHING = 0o077;

/** The store that a foreman of this account uses unless told otherwise; it need not exist yet. */
export async function checkStore(folder: string): Promise<CheckSection> {
  const space = await finding("disk_space", () => checkSpace(folder));
  if (!hasStore(folder)) {
    const none = ok("store", `${folder}: the first foreman makes it`, { folder, exists: false });
    return { title: "store", checks: [none, space] };
  }
  const state = await finding("store", () => checkPages(folder));
  return { title: "store", checks: [state, checkMode(folder), space] };
}

/** Everything in it, row by row. */
export async function checkWholeStore(folder: string): Promise<CheckSection> {
  const { folder: absolute } = storePaths(folder);
  try {
    const { jobCount, byteCount, problems } = await examineStore(absolute, { whole: true });
    const facts = { folder: absolute, job_count: jobCount, bytes: byteCount };
    const size = `${formatPlural(jobCount, "job")}, ${formatBytes(byteCount)}`;
    const found =
      problems.length === 0
        ? [ok("store", `${absolute}: every page and every row agrees (${size})`, facts)]
        : problems.map((problem) => failed("store", problem, remedyOf(absolute), facts));
    const checks = [...found, await checkLogs(absolute), await describeHolder(absolute)];
    return { title: "store", checks };
  } catch (thrown) {
    const check = await finding("store", () => Promise.reject(thrown));
    return { title: "store", checks: [check] };
  }
}

/** They are no results: what is wrong with them ends nothing. */
async function checkLogs(folder: string): Promise<Check> {
  return await finding("logs", async () => {
    const { path, byteCount, problem } = await examineLogs(folder);
    const facts = { path, bytes: byteCount };
    if (problem === null) return ok("logs", `${path}: ${formatBytes(byteCount)}, whole`, facts);
    const text = `${path} is damaged: ${damageText(problem)}`;
    return warning("logs", text, "The next foreman sets it aside and begins new logs.", facts);
  });
}

const remedyOf = (folder: string): string =>
  `Stop its foreman, keep a copy of ${folder}, and restore a backup.`;

async function checkPages(folder: string): Promise<Check> {
  const { version, byteCount, jobCount, unfinishedCount, checked } = await examineStore(folder, {
    whole: false,
  });
  const held = await isStoreHeld(folder);
  const facts = {
    folder,
    exists: true,
    version,
    bytes: byteCount,
    job_count: jobCount,
    unfinished_count: unfinishedCount,
    held,
    checked,
  };
  const size = `${formatBytes(byteCount)}, ${formatPlural(jobCount, "job")}, ${unfinishedCount} unfinished`;
  const holder = held ? "a foreman has it" : "no foreman has it";
  const depth = checked === "pages" ? "its pages are whole" : "its small tables are whole";
  return ok("store", `${folder}: version ${version}, ${size}; ${depth}; ${holder}`, facts);
}

async function describeHolder(folder: string): Promise<Check> {
  return await finding("holder", async () => {
    const held = await isStoreHeld(folder);
    return ok("holder", held ? "a foreman has it, and goes on" : "no foreman has it", { held });
  });
}

/** It holds the inputs and results of everything that was submitted. */
function checkMode(folder: string): Check {
  const mode = statSync(folder).mode & 0o777;
  const text = mode.toString(8).padStart(4, "0");
  if ((mode & OTHERS_MAY_ANYTHING) === 0) {
    return ok("store_mode", `only this account may enter it (mode ${text})`, { mode: text });
  }
  return warning(
    "store_mode",
    `others may enter it (mode ${text}, expected 0700)`,
    `chmod 700 ${folder}`,
    { mode: text },
  );
}

function checkSpace(folder: string): Check {
  const existing = nearestExisting(folder);
  const { bavail, bsize } = statfsSync(existing);
  return judgeSpace("disk_space", existing, bavail * bsize, SPACE_NEEDED_BYTES);
}

/** Also of other folders: how much is left there, and whether it is enough. */
export function judgeSpace(
  name: string,
  folder: string,
  freeBytes: number,
  neededBytes: number,
): Check {
  const facts = { folder, free_bytes: freeBytes };
  const text = `${formatBytes(freeBytes)} are free on the disk of ${folder}`;
  const hint = "Free some space, or use another disk.";
  if (freeBytes < neededBytes) return failed(name, text, hint, facts);
  if (freeBytes < SPACE_WARNING_BYTES) return warning(name, text, hint, facts);
  return ok(name, text, facts);
}

export function nearestExisting(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}
