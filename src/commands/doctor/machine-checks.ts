/** This machine as a worker: what it could offer, and what would trip up its tasks. */
import { accessSync, constants, mkdtempSync, readFileSync, rmdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFileLimit } from "../../runtime/platform/open-files.ts";
import { CcError } from "../../runtime/protocol/error.ts";
import { createHostProbe } from "../../runtime/worker/host/host-probe.ts";
import { formatBytes, formatPlural } from "../../tui/text/amounts.ts";
import { type Check, type CheckSection, failed, finding, ok, warning } from "./check.ts";
import { judgeSpace, nearestExisting } from "./store-checks.ts";

const TEMPORARY_BYTES_NEEDED = 16 * 1024 ** 2;
/** A worker needs about four a slot; a foreman one a connection. */
const OPEN_FILES_WANTED = 1_024;
const OPEN_FILES_NEEDED = 256;

export async function checkMachine(cacheFolder: string): Promise<CheckSection> {
  const checks = [
    finding("slots", describeSlots),
    finding("temporary_folder", checkTemporaryFolder),
    finding("temporary_space", checkTemporarySpace),
    finding("cache_folder", () => checkCacheFolder(cacheFolder)),
    finding("open_files", checkOpenFiles),
    finding("process_table", checkProcessTable),
  ];
  return { title: "this machine as a worker", checks: await Promise.all(checks) };
}

function describeSlots(): Check {
  const { processorCount, memoryBytes } = createHostProbe();
  const text = `${formatPlural(processorCount, "core")} and ${formatBytes(memoryBytes)} of memory that this process may use`;
  return ok("slots", text, { cores: processorCount, memory_bytes: memoryBytes });
}

function checkTemporaryFolder(): Check {
  const folder = tmpdir();
  try {
    rmdirSync(mkdtempSync(join(folder, "cc-doctor-")));
    return ok("temporary_folder", `${folder} can be written`, { folder });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return failed(
      "temporary_folder",
      `${folder} cannot be written: ${reason}`,
      "Set TMPDIR to a folder that can be written.",
      { folder },
    );
  }
}

function checkTemporarySpace(): Check {
  const { bavail, bsize } = statfsSync(tmpdir());
  return judgeSpace("temporary_space", tmpdir(), bavail * bsize, TEMPORARY_BYTES_NEEDED);
}

/** Asks the nearest folder that is there: looking makes nothing. */
function checkCacheFolder(folder: string): Check {
  const existing = nearestExisting(folder);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new CcError({
      code: "worker_storage",
      message: `The cache folder ${folder} cannot be written.`,
      hint: "Look at the owner of the folder, or give workers another with --cache-dir.",
      cause,
    });
  }
  const text = existing === folder ? "can be written" : "made when first needed";
  return ok("cache_folder", `${folder}: ${text}`, { folder });
}

function checkOpenFiles(): Check {
  const limit = openFileLimit();
  if (limit === null) return ok("open_files", "the limit of open files is not told here");
  const text = `${limit === Number.POSITIVE_INFINITY ? "any number of" : limit} open files`;
  const facts = { limit: Number.isFinite(limit) ? limit : null };
  const hint = `Raise it where this shell is started: ulimit -n ${4 * OPEN_FILES_WANTED}`;
  if (limit < OPEN_FILES_NEEDED) return failed("open_files", `only ${text}`, hint, facts);
  if (limit < OPEN_FILES_WANTED) return warning("open_files", `only ${text}`, hint, facts);
  return ok("open_files", text, facts);
}

function checkProcessTable(): Check {
  if (readProc("/proc/self/stat") !== null) {
    return ok("process_table", "/proc is there: whole process trees of tasks can be ended");
  }
  return warning(
    "process_table",
    "/proc is not there: of a task that starts a session of its own not everything is ended",
    process.platform === "linux"
      ? "Mount it: mount -t proc proc /proc"
      : "This is so on this system.",
  );
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Not Linux, or a sandbox without it.
    return null;
  }
}
